using System.Text.Json;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Commands;

/// <summary>The contract of `sidecar scan`, by the executable itself with the real detector and the real Tesseract.</summary>
public sealed class ScanCommandTests : CommandTests
{
    private static readonly PixelFormat Format = PixelFormat.Grey(320, 128);
    private static readonly byte[] Clean = Image(1, null);
    private static readonly byte[] Named = Image(1, 0);
    private static readonly byte[] NamedInOneFrame = Image(3, 1);
    private static readonly byte[] Video = new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.840.10008.1.2.4.102").Build();

    [Fact]
    public void Scan_Directory_ReportsEachFileWithWhatWasFound()
    {
        Put("in/a/named.dcm", Named);
        Put("in/a/loop.dcm", NamedInOneFrame);
        Put("in/clean", Clean);
        Put("in/notes.txt", "no image"u8.ToArray());
        Put("in/video.dcm", Video);

        var run = Run("scan", "in");

        Assert.Equal(1, run.Status);
        var lines = run.Lines.ToDictionary(line => line.GetProperty("file").GetString()!);
        Assert.Equal(["a/loop.dcm", "a/named.dcm", "clean", "notes.txt", "video.dcm"], lines.Keys.Order());
        var finding = Assert.Single(lines["a/named.dcm"].GetProperty("findings").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, finding.GetProperty("frame").ValueKind);
        Assert.InRange(finding.GetProperty("x").GetInt32(), 20, 40);
        Assert.InRange(finding.GetProperty("y").GetInt32(), 45, 60);
        Assert.InRange(finding.GetProperty("x").GetInt32() + finding.GetProperty("width").GetInt32(), 40 + (8 * 12) - 4, 160);
        Assert.InRange(finding.GetProperty("y").GetInt32() + finding.GetProperty("height").GetInt32(), 60 + 14, 90);
        Assert.InRange(finding.GetProperty("confidence").GetDouble(), 0.5, 1);
        Assert.Equal("personName", finding.GetProperty("kind").GetString());
        Assert.Equal("PatientName", finding.GetProperty("matchedAttribute").GetString());
        Assert.False(finding.TryGetProperty("text", out _));
        Assert.Equal(2, Assert.Single(lines["a/loop.dcm"].GetProperty("findings").EnumerateArray()).GetProperty("frame").GetInt32());
        Assert.Equal(3, lines["a/loop.dcm"].GetProperty("frames").GetInt32());
        Assert.Equal("scanned", lines["clean"].GetProperty("status").GetString());
        Assert.Equal(0, lines["clean"].GetProperty("findings").GetArrayLength());
        Assert.False(lines["clean"].GetProperty("isWeak").GetBoolean());
        Assert.Equal("unsupported", lines["video.dcm"].GetProperty("status").GetString());
        Assert.Equal("failed", lines["notes.txt"].GetProperty("status").GetString());
        Assert.Contains("not a DICOM file", lines["notes.txt"].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("3 of 5 files scanned", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("LUCY", run.Output + run.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Scan_ShowText_WritesWhatWasRead()
    {
        Put("in/named.dcm", Named);

        var run = Run("scan", "in/named.dcm", "--show-text", "--results", "lines.ndjson");

        Assert.Equal(0, run.Status);
        Assert.Empty(run.Lines);
        var line = JsonDocument.Parse(File.ReadAllText(In("lines.ndjson"))).RootElement;
        Assert.Equal("in/named.dcm", line.GetProperty("file").GetString());
        Assert.Contains("LUCY", line.GetProperty("findings")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_WithoutDetector_SaysSoOnStandardErrorAndInEachLine()
    {
        Put("in/named.dcm", Named);

        var run = Run(new Dictionary<string, string> { ["SIDECAR_TextModels__Directory"] = In("nowhere") }, "scan", "in");

        Assert.Contains("WEAK MODE", run.Errors, StringComparison.Ordinal);
        Assert.Contains("npm ci", run.Errors, StringComparison.Ordinal);
        var line = Assert.Single(run.Lines);
        Assert.True(line.GetProperty("isWeak").GetBoolean());
        // Never clean by accident: found all the same, or not scanned.
        Assert.True(line.GetProperty("findings").GetArrayLength() > 0 || line.GetProperty("status").GetString() == "failed");
    }

    [Theory]
    [InlineData("scan nowhere", "nowhere does not exist")]
    [InlineData("scan", "INPUT")]
    [InlineData("scan in --wrong", "--wrong")]
    [InlineData("scan in --languages tlh", "tesseract-ocr-tlh")]
    [InlineData("scan in --languages ../eng", "eng+deu")]
    [InlineData("scan in --results no/such/folder/lines", "cannot be written")]
    public void WrongUsage_IsExplainedAndExitsWithTwo(string call, string explanation)
    {
        Put("in/clean.dcm", Clean);

        var run = Run(call.Split(' '));

        Assert.Equal(2, run.Status);
        Assert.Contains(explanation, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("\"status\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_ShowsAnExample() => Assert.Contains("sidecar scan study/ --results findings.ndjson", Run("scan", "--help").Output, StringComparison.Ordinal);

    private static byte[] Image(int frames, int? named)
    {
        var pictures = Enumerable.Range(0, frames).Select(_ => new SampleFrame(Format.Columns, Format.Rows, 1)).ToArray();
        if (named is { } frame)
        {
            TextBurner.Burn(pictures[frame], Format, "ROE^LUCY", 40, 60);
        }
        return new InstanceBuilder($"scan/{frames}/{named}").Set(Tags.PatientName, "Roe^Lucy").Image(Format, pictures).Build();
    }
}
