using System.Security.Cryptography;
using System.Text.Json;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Commands;

/// <summary>The command line contract, by the executable itself.</summary>
public sealed class MaskCommandTests : CommandTests
{
    private static readonly byte[] Image = new InstanceBuilder().Build();
    private static readonly byte[] Video = new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.840.10008.1.2.4.102").Build();

    [Fact]
    public void Mask_Directory_KeepsRelativePathsAndReportsEachFile()
    {
        Put("in/a/one.dcm", Image);
        Put("in/two", Image);
        Put("in/notes.txt", "no image"u8.ToArray());
        Put("in/a/video.dcm", Video);

        var run = Run("mask", "in", "--region", "1,2,10,5", "--region", "60,40,100,100", "--out", "out");

        Assert.Equal(1, run.Status);
        var lines = run.Lines.ToDictionary(line => line.GetProperty("file").GetString()!);
        Assert.Equal(["a/one.dcm", "a/video.dcm", "notes.txt", "two"], lines.Keys.Order());
        Assert.Equal(["out/a/one.dcm", "out/two"], FilesIn("out"));
        var one = lines["a/one.dcm"];
        Assert.Equal("masked", one.GetProperty("status").GetString());
        Assert.Equal("a/one.dcm", one.GetProperty("output").GetString());
        Assert.Equal(1, one.GetProperty("frames").GetInt32());
        Assert.Equal(0, one.GetProperty("changedOutside").GetInt64());
        Assert.Equal(TransferSyntaxes.ExplicitLittleEndian, one.GetProperty("transferSyntax").GetString());
        Assert.Equal(TransferSyntaxes.ExplicitLittleEndian, one.GetProperty("outputTransferSyntax").GetString());
        Assert.Equal(Sha256("in/a/one.dcm"), one.GetProperty("sha256").GetString());
        Assert.Equal(Sha256("out/a/one.dcm"), one.GetProperty("outputSha256").GetString());
        Assert.Equal("""[{"x":1,"y":2,"width":10,"height":5},{"x":60,"y":40,"width":4,"height":8}]""", one.GetProperty("regions").GetRawText());
        Assert.Equal("unsupported", lines["a/video.dcm"].GetProperty("status").GetString());
        Assert.Equal("1.2.840.10008.1.2.4.102", lines["a/video.dcm"].GetProperty("transferSyntax").GetString());
        Assert.Equal("failed", lines["notes.txt"].GetProperty("status").GetString());
        Assert.Contains("not a DICOM file", lines["notes.txt"].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("2 of 4 files masked", run.Errors, StringComparison.Ordinal);
        Assert.Equal(Image, File.ReadAllBytes(In("in/a/one.dcm")));
    }

    [Fact]
    public void Mask_NamedFile_IsCalledAsItWasNamed()
    {
        Put("in/a/one.dcm", Image);

        var run = Run("mask", "in/a/one.dcm", "--region", "0,0,4,4", "--out", "out", "--results", "lines.ndjson");

        Assert.Equal(0, run.Status);
        Assert.Empty(run.Lines);
        var line = JsonDocument.Parse(File.ReadAllText(In("lines.ndjson"))).RootElement;
        Assert.Equal("in/a/one.dcm", line.GetProperty("file").GetString());
        Assert.Equal("one.dcm", line.GetProperty("output").GetString());
        Assert.Equal(["out/one.dcm"], FilesIn("out"));
    }

    [Fact]
    public void Mask_RegionsFile_GivesEachFileItsOwn()
    {
        Put("in/a/one.dcm", Image);
        Put("in/two.dcm", Image);
        Put("regions.json", """{"a/one.dcm":[{"x":1,"y":1,"width":2,"height":3}],"*":[{"x":5,"y":6,"width":7,"height":8}]}"""u8.ToArray());

        var run = Run("mask", "in", "--regions", "regions.json", "--out", "out");

        Assert.Equal(0, run.Status);
        Assert.Equal(
            ["""a/one.dcm [{"x":1,"y":1,"width":2,"height":3}]""", """two.dcm [{"x":5,"y":6,"width":7,"height":8}]"""],
            run.Lines.Select(line => $"{line.GetProperty("file").GetString()} {line.GetProperty("regions").GetRawText()}").Order());
    }

    [Fact]
    public void Mask_FileWithoutRegions_Fails()
    {
        Put("in/one.dcm", Image);
        Put("regions.json", """{"other.dcm":[{"x":1,"y":1,"width":2,"height":3}]}"""u8.ToArray());

        var run = Run("mask", "in", "--regions", "regions.json", "--out", "out");

        Assert.Equal(1, run.Status);
        Assert.Contains("no region for this file", Assert.Single(run.Lines).GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Mask_Frames_AreCountedFromOne()
    {
        var format = PixelFormat.Grey(8, 8);
        var frames = Enumerable.Range(0, 4).Select(_ => { var frame = new SampleFrame(8, 8, 1); Array.Fill(frame.Samples, 9); return frame; }).ToArray();
        Put("in/cine.dcm", new InstanceBuilder().Image(format, frames).Build());

        var run = Run("mask", "in", "--region", "0,0,8,8", "--frames", "1,3-4", "--out", "out");

        Assert.Equal(0, run.Status);
        Assert.Equal([0, 9, 0, 0], Dicom.Oracle.Decode([File.ReadAllBytes(In("out/cine.dcm"))])[0].Chunk(64).Select(frame => frame[0]));
    }

    [Fact]
    public void Mask_FailedFile_LeavesNothingBehind()
    {
        Put("in/broken.dcm", Image[..^7]);
        Put("out/broken.dcm", "an earlier result"u8.ToArray());

        var run = Run("mask", "in", "--region", "0,0,4,4", "--out", "out");

        Assert.Equal(1, run.Status);
        Assert.Empty(FilesIn("out"));
    }

    [Fact]
    public void Mask_IntoItsInput_NeverOverwritesIt()
    {
        Put("in/one.dcm", Image);

        var run = Run("mask", "in", "--region", "0,0,4,4", "--out", "in");

        Assert.Equal(1, run.Status);
        Assert.Contains("overwrite an input", Assert.Single(run.Lines).GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(Image, File.ReadAllBytes(In("in/one.dcm")));
    }

    [Fact]
    public void Mask_OutputBelowInput_IsNotWalked()
    {
        Put("in/one.dcm", Image);
        Put("in/out/earlier.dcm", Image);

        var run = Run("mask", "in", "--region", "0,0,4,4", "--out", "in/out");

        Assert.Equal(0, run.Status);
        Assert.Equal("one.dcm", Assert.Single(run.Lines).GetProperty("file").GetString());
    }

    [Fact]
    public void Mask_TwoInputsOfOneName_OnlyTheFirstIsMasked()
    {
        Put("a/one.dcm", Image);
        Put("b/one.dcm", Image);

        var run = Run("mask", "a/one.dcm", "b/one.dcm", "--region", "0,0,4,4", "--out", "out");

        Assert.Equal(1, run.Status);
        Assert.Equal(["a/one.dcm masked", "b/one.dcm failed"], run.Lines.Select(line => $"{line.GetProperty("file").GetString()} {line.GetProperty("status").GetString()}").Order());
        Assert.Contains("Another input has the same name, so their results would be one file. Mask them into different directories.", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mask in --out out", "Give --region X,Y,WIDTH,HEIGHT or --regions FILE.")]
    [InlineData("mask in --region 1,2,3 --out out", "--region 1,2,3 is not X,Y,WIDTH,HEIGHT")]
    [InlineData("mask in --region 1,2,0,4 --out out", "size of at least 1×1")]
    [InlineData("mask in --region -1,2,3,4 --out out", "origin of at least 0,0")]
    [InlineData("mask in --region 1,2,3,4 --frames 0 --out out", "--frames 0 is not a list such as 1-5,9, counted from 1.")]
    [InlineData("mask in --region 1,2,3,4 --frames 5-2 --out out", "--frames 5-2 is not a list such as 1-5,9, counted from 1.")]
    [InlineData("mask in --region 1,2,3,4 --regions regions.json --out out", "Give either --region or --regions, not both.")]
    [InlineData("mask in --regions regions.json --out out", "regions.json cannot be read: ")]
    [InlineData("mask in --regions empty.json --out out", "empty.json is empty.")]
    [InlineData("mask in --regions list.json --out out", "list.json is not a JSON object of lists of {x,y,width,height}: line 2, at $")]
    [InlineData("mask nowhere --region 1,2,3,4 --out out", "nowhere does not exist")]
    [InlineData("mask in --region 1,2,3,4", "--out")]
    [InlineData("mask --region 1,2,3,4 --out out", "INPUT")]
    [InlineData("mask in --region 1,2,3,4 --out out --wrong", "--wrong")]
    public void WrongUsage_IsExplainedAndExitsWithTwo(string call, string explanation)
    {
        Put("in/one.dcm", Image);
        Put("empty.json", "null"u8.ToArray());
        Put("list.json", "\n[1,2]"u8.ToArray());

        var run = Run(call.Split(' '));

        Assert.Equal(2, run.Status);
        Assert.Contains(explanation, run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("out")));
    }

    [Fact]
    public void Help_ShowsAnExample()
    {
        var run = Run("mask", "--help");

        Assert.Equal(0, run.Status);
        Assert.Contains("sidecar mask study/ --region 0,0,640,40 --out masked/", run.Output, StringComparison.Ordinal);
    }

    private string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(In(path))));
}
