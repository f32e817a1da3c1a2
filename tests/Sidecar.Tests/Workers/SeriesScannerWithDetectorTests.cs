using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.TestData;
using Sidecar.Worker;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Workers;

/// <summary>Whole series with the real detector, which test.sh installs: what is looked at together, and text that no view of a whole frame shows.</summary>
public sealed class SeriesScannerWithDetectorTests(SeriesScannerWithDetectorTests.Detector detector) : IClassFixture<SeriesScannerWithDetectorTests.Detector>
{
    private const int Columns = 320;
    private const int Rows = 352;
    private const string Text = "DOE JOHN 1970-01-02";
    private static readonly PixelFormat Format = PixelFormat.Grey(Columns, Rows, bitsStored: 12);

    [Fact]
    public void Scan_BannerOnAllSlicesAndALineOnOne_EachIsFoundWhereItIs()
    {
        var results = Scan([.. Enumerable.Range(0, 40).Select(i =>
        {
            var frame = Ground(i, (_, y) => 300 + (y * 4), 12);
            Burn(frame, 3800, 10, 10);
            if (i == 17)
            {
                Burn(frame, 3800, 60, 200);
            }
            return frame;
        })]);

        Assert.All(results, result => Assert.Contains(result.Findings, finding => Covers(finding.Region, 10, 10)));
        Assert.Equal(["17"], results.Where(result => result.Findings.Any(finding => Covers(finding.Region, 60, 200))).Select(result => result.Name));
        Assert.All(results, result => Assert.Equal(result.Name == "17" ? 2 : 1, result.Findings.Count));
    }

    /// <summary>The edge of a body, which is in all slices, is not taken for the letters.</summary>
    [Fact]
    public void Scan_LineAcrossAnEdgeOnOneSlice_IsFoundThereAndNowhereElse()
    {
        var results = Scan([.. Enumerable.Range(0, 24).Select(i =>
        {
            var frame = Ground(i, (x, _) => x < 150 ? 1400 : 100, 12);
            if (i == 5)
            {
                Burn(frame, 3800, 60, 200);
            }
            return frame;
        })]);

        Assert.Equal(["5"], results.Where(result => result.Findings.Count > 0).Select(result => result.Name));
        Assert.True(ShareOfInkIn(results[5].Findings, 60, 200, isUpright: false) >= 0.9);
    }

    /// <summary>A bright band comes by where the text was or will be, so that neither the brightest nor the darkest of all slices shows it, nor a single one of each group.</summary>
    [Fact]
    public void Scan_GreyTextOnSomeSlicesWhereOthersAreBrighter_IsFoundThere()
    {
        var results = Scan([.. Enumerable.Range(0, 64).Select(i =>
        {
            var frame = Ground(i, (_, y) => i < 40 && Math.Abs(y - 200 + (8 * (i % 16)) - 64) < 40 ? 3900 : 400, 60);
            if (i is >= 52 and < 60)
            {
                Burn(frame, 1600, 40, 200);
            }
            return frame;
        })]);

        Assert.All(results.Skip(52).Take(8), result => Assert.True(ShareOfInkIn(result.Findings, 40, 200, isUpright: false) >= 0.9, $"Not found on {result.Name}."));
        // Not in the group before it. In its own, a slice where the band's edge runs through the letters may be taken for one of them.
        Assert.All(results.Take(32), result => Assert.Empty(result.Findings));
    }

    [Fact]
    public void Scan_NoText_FindsNothing() =>
        Assert.All(Scan([.. Enumerable.Range(0, 8).Select(i => Ground(i, (x, y) => 400 + (x * 3) + (y * 4), 30))]), result => Assert.Empty(result.Findings));

    /// <summary>One half dark: in every scaling of the whole range the letters are as bright, or as dark, as the ground beside them.</summary>
    [Theory]
    [InlineData("greatest stored value", false)]
    [InlineData("least stored value", false)]
    [InlineData("faint and bright", false)]
    [InlineData("faint and dark", false)]
    [InlineData("greatest stored value", true)]
    [InlineData("least stored value", true)]
    [InlineData("faint and bright", true)]
    [InlineData("faint and dark", true)]
    public void Scan_TextThatNoViewOfTheWholeFrameShows_IsFound(string how, bool isUpright)
    {
        var frame = how switch
        {
            "greatest stored value" => Ground(1, (x, _) => x < 40 ? 100 : 3960, 120),
            "least stored value" => Ground(1, (x, _) => x < 40 ? 3900 : 45, 20),
            _ => Ground(1, (x, _) => x < 40 ? 100 : x > Columns - 40 ? 4000 : 2000, 3),
        };
        // Nothing but the letters has the extreme value.
        for (var i = 0; i < frame.Samples.Length; i++)
        {
            frame.Samples[i] = Math.Clamp(frame.Samples[i], 20, 4075);
        }
        Burn(frame, how switch { "greatest stored value" => 4095, "least stored value" => 0, "faint and bright" => 2018, _ => 1982 }, 64, isUpright ? 90 : 120, isUpright);

        var result = Assert.Single(Scan([frame]));

        // Of a turned line a letter or two may be missing.
        Assert.True(ShareOfInkIn(result.Findings, 64, isUpright ? 90 : 120, isUpright) >= (isUpright ? 0.75 : 0.9), $"Found: {string.Join("; ", result.Findings.Select(finding => finding.Region))}");
    }

    private IReadOnlyList<InstanceScan> Scan(IReadOnlyList<SampleFrame> frames) => new SeriesScanner(FrameCodecs.Managed, detector.Pool).Scan(
        [.. frames.Select((frame, i) => new MemorySource(i.ToString(System.Globalization.CultureInfo.InvariantCulture), new InstanceBuilder($"slice{i}").Image(Format, frame).Build()))], CancellationToken.None);

    /// <summary>With noise that is the same in each run, evenly spread over twice <paramref name="noise"/>.</summary>
    private static SampleFrame Ground(int seed, Func<int, int, int> value, int noise)
    {
        var frame = new SampleFrame(Columns, Rows, 1);
        for (var i = 0; i < frame.Samples.Length; i++)
        {
            frame.Samples[i] = value(i % Columns, i / Columns) + (int)(SampleFrame.Hash(seed, 0, i) % (ulong)((2 * noise) + 1)) - noise;
        }
        return frame;
    }

    private static void Burn(SampleFrame frame, int value, int x, int y, bool isUpright = false)
    {
        foreach (var i in InkAt(x, y, isUpright))
        {
            frame.Samples[i] = value;
        }
    }

    private static List<int> InkAt(int x, int y, bool isUpright)
    {
        var ink = new SampleFrame(Columns, Rows, 1);
        TextBurner.Burn(ink, Format, Text, isUpright ? 0 : x, isUpright ? 0 : y, 2);
        var length = ((Text.Length * BitmapFont.Advance) - 1) * 2;
        // Written upward: what was the end of the line is its top.
        return [.. Enumerable.Range(0, ink.Samples.Length).Where(i => ink.Samples[i] == Format.White[0])
            .Select(i => isUpright ? ((y + length - 1 - (i % Columns)) * Columns) + x + (i / Columns) : i)];
    }

    /// <summary>A line may be found in several parts.</summary>
    private static double ShareOfInkIn(IReadOnlyList<ScanFinding> findings, int x, int y, bool isUpright) => InkAt(x, y, isUpright)
        .Average(i => findings.Any(finding => finding.Region is var region && i % Columns >= region.X && i % Columns < region.Right && i / Columns >= region.Y && i / Columns < region.Bottom) ? 1.0 : 0);

    private static bool Covers(Region region, int x, int y) =>
        region.X <= x && region.Y <= y && region.Right >= x + (((Text.Length * BitmapFont.Advance) - 1) * 2) && region.Bottom >= y + (BitmapFont.Height * 2);

    private sealed class MemorySource(string name, byte[] file) : IScanSource
    {
        public string Name => name;

        public Stream Open() => new MemoryStream(file, 0, file.Length, writable: false, publiclyVisible: true);
    }

    /// <summary>One pool for all tests.</summary>
    public sealed class Detector : IDisposable
    {
        public TextWorkerPool Pool { get; } = new(new WorkerOptions(), TextModelFiles.Find("")
            ?? throw new InvalidOperationException("The text detector is not installed. Run 'npm ci --ignore-scripts' in sidecar/text-models."));

        public void Dispose() => Pool.Dispose();
    }
}
