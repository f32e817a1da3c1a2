using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Text;

/// <summary>What is looked at together, and what is said of each frame, with a detector that sees whatever is white.</summary>
public sealed class SeriesScannerTests
{
    private const int Columns = 320;
    private const int Rows = 320;
    private static readonly PixelFormat Format = PixelFormat.Grey(Columns, Rows);
    private readonly WhiteDetector detector = new();

    [Fact]
    public void Scan_TextInOneSliceOnly_IsFoundThereAndNowhereElse()
    {
        var results = Scan([.. Enumerable.Range(0, 40).Select(i => Instance(i, i == 17 ? [(50, 60)] : []))]);

        Assert.All(results, result => Assert.Equal(ScanStatus.Scanned, result.Status));
        Assert.Equal(["17"], results.Where(result => result.Findings.Count > 0).Select(result => result.Name));
        AssertCovers(Assert.Single(results[17].Findings), 50, 60, frames: null);
    }

    [Fact]
    public void Scan_SameBannerOnAllSlices_CostsLessThanOneLookASlice()
    {
        var results = Scan([.. Enumerable.Range(0, 60).Select(i => Instance(i, [(8, 8)]))]);

        Assert.All(results, result => AssertCovers(Assert.Single(result.Findings), 8, 8, frames: null));
        Assert.InRange(detector.Looks, 1, 59);
    }

    [Fact]
    public void Scan_TextInSomeFrames_NamesThem()
    {
        var frames = Enumerable.Range(0, 12).Select(i => Frame(i, i is >= 3 and <= 5 ? [(100, 40)] : [])).ToArray();

        var result = Assert.Single(Scan([("cine", new InstanceBuilder("cine").Image(Format, frames).Build())]));

        Assert.Equal(12, result.Frames);
        AssertCovers(Assert.Single(result.Findings), 100, 40, frames: [3, 4, 5]);
    }

    [Fact]
    public void Scan_TextThatMoves_IsCoveredInEveryFrame()
    {
        var frames = Enumerable.Range(0, 20).Select(i => Frame(i, [(10 + (8 * i), 100 + (4 * i))])).ToArray();

        var result = Assert.Single(Scan([("moving", new InstanceBuilder("moving").Image(Format, frames).Build())]));

        for (var i = 0; i < frames.Length; i++)
        {
            var (x, y) = (10 + (8 * i), 100 + (4 * i));
            Assert.Contains(result.Findings, finding => (finding.Frames is null || finding.Frames.Contains(i)) && Covers(finding.Region, x, y));
        }
    }

    [Fact]
    public void Scan_EqualFrames_AreLookedAtOnce()
    {
        var once = Frame(3, [(20, 20)]);

        var result = Assert.Single(Scan([("equal", new InstanceBuilder("equal").Image(Format, [.. Enumerable.Repeat(once, 50)]).Build())]));

        AssertCovers(Assert.Single(result.Findings), 20, 20, frames: null);
        Assert.InRange(detector.Looks, 1, 4);
    }

    [Fact]
    public void Scan_TextOfTheSameWhiteAsWhatOtherSlicesShowThere_IsFound()
    {
        // A white patch on every slice but the one with the text: the maximum of all is white all over.
        var results = Scan([.. Enumerable.Range(0, 24).Select(i => (i.ToString(), new InstanceBuilder($"patch{i}").Image(Format, Frame(i, i == 11 ? [(50, 60)] : [], withPatch: i != 11)).Build()))]);

        AssertCovers(Assert.Single(results[11].Findings), 50, 60, frames: null);
    }

    [Fact]
    public void Scan_ShapeThatOnlyTheMixtureOfSlicesShows_IsNoText()
    {
        // Every slice lacks another eighth of a row of dots; all together they show the row.
        var frames = Enumerable.Range(0, 24).Select(i =>
        {
            var frame = Frame(i, []);
            for (var dot = 0; dot < 24; dot++)
            {
                for (var y = 0; y < 12 && dot % 8 != i % 8; y++)
                {
                    Array.Fill(frame.Samples, 255, ((80 + y) * Columns) + 60 + (dot * 8), 4);
                }
            }
            return frame;
        }).ToList();
        var whole = new RowDetector(24 * 12 * 4);

        var results = new SeriesScanner(FrameCodecs.Managed, whole).Scan(
            [.. frames.Select((frame, i) => new MemorySource($"{i}", new InstanceBuilder($"dots{i}").Image(Format, frame).Build()))], CancellationToken.None);

        Assert.True(whole.HasSeen, "The mixture was not looked at.");
        Assert.All(results, result => Assert.Empty(result.Findings));
    }

    [Fact]
    public void Scan_FilesOfOtherSizesAndDamagedOnesBetween_EachHasItsResult()
    {
        var other = PixelFormat.Grey(200, 100);
        var small = SampleFrame.Gradient(other)[0];
        Array.Fill(small.Samples, 30);
        var results = Scan([Instance(0, [(8, 8)]), ("broken", [1, 2, 3]), ("other", new InstanceBuilder("other").Image(other, small).Build()), Instance(3, [(8, 8)])]);

        Assert.Equal([ScanStatus.Scanned, ScanStatus.Damaged, ScanStatus.Scanned, ScanStatus.Scanned], results.Select(result => result.Status));
        Assert.NotNull(results[1].Reason);
        Assert.Empty(results[2].Findings);
        Assert.Single(results[0].Findings);
        Assert.Single(results[3].Findings);
    }

    [Fact]
    public void Scan_DetectorFailsOnOneFrame_OnlyThatInstanceIsNotClean()
    {
        detector.FailsOn = 251;
        var poisoned = Frame(2, []);
        Array.Fill(poisoned.Samples, 251, 0, 900);

        var results = Scan([Instance(0, []), Instance(1, []), ("2", new InstanceBuilder("2").Image(Format, poisoned).Build()), Instance(3, [])]);

        Assert.Equal([ScanStatus.Scanned, ScanStatus.Scanned, ScanStatus.Failed, ScanStatus.Scanned], results.Select(result => result.Status));
        Assert.Contains("lost", results[2].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, 8)]
    [InlineData(true, false, 8)]
    [InlineData(false, true, 12)]
    [InlineData(true, false, 12)]
    [InlineData(false, false, 16)]
    public void Scan_EachKindOfGrey_ShowsWhiteTextWhite(bool isInverted, bool isSigned, int bits)
    {
        var format = PixelFormat.Grey(Columns, Rows, bits, isSigned, isInverted);
        var frame = new SampleFrame(Columns, Rows, 1);
        Array.Fill(frame.Samples, format.Black[0]);
        TextBurner.Burn(frame, format, "DOE JOHN", 50, 60, 2);

        var result = Assert.Single(Scan([("grey", new InstanceBuilder("grey").Image(format, frame).Build())]));

        AssertCovers(Assert.Single(result.Findings), 50, 60, frames: null);
    }

    [Fact]
    public void Scan_ColourPlanar_IsLookedAtAsColour()
    {
        var format = PixelFormat.Colour(Columns, Rows, "RGB", 1);
        var frame = new SampleFrame(Columns, Rows, 3);
        TextBurner.Burn(frame, format, "DOE JOHN", 50, 60, 2);

        AssertCovers(Assert.Single(Assert.Single(Scan([("colour", new InstanceBuilder("colour").Image(format, frame).Build())])).Findings), 50, 60, frames: null);
    }

    [Fact]
    public void Scan_LineInsideAnother_IsNoFindingOfItsOwn()
    {
        var result = ScanBoxes(new TextBox(new Region(50, 60, 120, 40), 0.9), new TextBox(new Region(60, 62, 60, 12), 0.95), new TextBox(new Region(150, 62, 60, 12), 0.9));

        Assert.Equal([new Region(42, 52, 136, 56), new Region(147, 59, 66, 18)], result.Findings.Select(finding => finding.Region));
    }

    [Fact]
    public void Scan_LargeShapeThatIsNotSeenFromFartherAway_IsNoText_UnlessLinesAreInIt()
    {
        var waves = new TextBox(new Region(20, 100, 340, 100), 0.95);

        Assert.Empty(ScanBoxes(waves).Findings);
        Assert.Equal(340 + (2 * 20), Assert.Single(ScanBoxes(waves, new TextBox(new Region(30, 105, 200, 20), 0.9), new TextBox(new Region(30, 150, 200, 20), 0.9)).Findings).Region.Width);
    }

    [Fact]
    public void Scan_TinyLineOfWhichAPartIsSeen_IsCompletedFromVeryNear()
    {
        var part = new TextBox(new Region(50, 60, 60, 10), 0.9);
        // From very near, with 56 pixels beyond both ends and 14 above and below, as far as the picture goes.
        var boxes = new FixedDetector([part], (4 * 166, 4 * 38), [new TextBox(new Region(4 * 50, 4 * 14, 4 * 100, 4 * 10), 0.9)]);

        Assert.Equal(new Region(47, 57, 106, 16), Assert.Single(ScanBoxes(boxes).Findings).Region);
    }

    [Fact]
    public void Scan_TextInTheIconAlone_IsNotFound()
    {
        // Said in docs/conformance.md: masking removes icons, the search does not look at them.
        var file = new InstanceBuilder("icon").Image(Format, Frame(1, [])).Icon(64, 64).Build();

        Assert.Empty(Assert.Single(Scan([("icon", file)])).Findings);
    }

    [Fact]
    public void Scan_TextInAnOverlay_IsFoundWhereItLiesOverTheImage()
    {
        var ink = Frame(0, [(10, 20)]);
        var file = new InstanceBuilder("overlay").Image(Format, Frame(1, [])).Overlay(1, 200, 100, (_, x, y) => ink.Samples[(y * Columns) + x] > 200, originRow: 41, originColumn: 31).Build();

        AssertCovers(Assert.Single(Assert.Single(Scan([Instance(0, []), ("overlay", file), Instance(2, [])]), result => result.Findings.Count > 0).Findings), 40, 60, frames: null);
    }

    [Fact]
    public void Scan_OverlayOfSomeFrames_NamesThem()
    {
        var ink = Frame(0, [(10, 20)]);
        var file = new InstanceBuilder("overlays").Image(Format, [.. Enumerable.Range(0, 6).Select(i => Frame(i, []))])
            .Overlay(0, Columns, Rows, (frame, x, y) => frame is 2 or 3 && ink.Samples[(y * Columns) + x] > 200, frames: 6).Build();

        AssertCovers(Assert.Single(Assert.Single(Scan([("overlays", file)])).Findings), 10, 20, frames: [2, 3]);
    }

    [Fact]
    public void Scan_OverlayInAnUnusedBit_IsLookedAt()
    {
        var ink = Frame(0, [(10, 20)]);
        var file = new InstanceBuilder("bit").Image(PixelFormat.Grey(Columns, Rows, 12), Frame(1, [])).OverlayInHighBit(0, 14, (_, x, y) => ink.Samples[(y * Columns) + x] > 200).Build();

        AssertCovers(Assert.Single(Assert.Single(Scan([("bit", file)])).Findings), 10, 20, frames: null);
    }

    [Fact]
    public void Scan_NoDetectorInstalled_SaysSoAndStillFindsLines()
    {
        var scanner = new SeriesScanner(FrameCodecs.Managed, detector: null);
        var (name, file) = Instance(1, [(50, 60)]);

        var result = Assert.Single(scanner.Scan([new MemorySource(name, file)], CancellationToken.None));

        Assert.True(scanner.IsWeak);
        Assert.NotEqual(new SeriesScanner(FrameCodecs.Managed, detector).Engine, scanner.Engine);
        Assert.Contains(result.Findings, finding => Covers(finding.Region, 50, 60));
    }

    private IReadOnlyList<InstanceScan> Scan(params IReadOnlyList<(string Name, byte[] File)> files) =>
        new SeriesScanner(FrameCodecs.Managed, detector).Scan([.. files.Select(file => new MemorySource(file.Name, file.File))], CancellationToken.None);

    private static InstanceScan ScanBoxes(params TextBox[] boxes) => ScanBoxes(new FixedDetector(boxes));

    private static InstanceScan ScanBoxes(FixedDetector detector)
    {
        var format = PixelFormat.Grey(400, 320);
        var file = new InstanceBuilder("boxes").Image(format, SampleFrame.Gradient(format)[0]).Build();
        return Assert.Single(new SeriesScanner(FrameCodecs.Managed, detector).Scan([new MemorySource("boxes", file)], CancellationToken.None));
    }

    private static (string, byte[]) Instance(int i, (int X, int Y)[] texts) =>
        (i.ToString(System.Globalization.CultureInfo.InvariantCulture), new InstanceBuilder($"slice{i}").Image(Format, Frame(i, texts)).Build());

    /// <summary>Flat ground, each of another grey, so that no two frames are equal.</summary>
    private static SampleFrame Frame(int i, (int X, int Y)[] texts, bool withPatch = false)
    {
        var frame = new SampleFrame(Columns, Rows, 1);
        Array.Fill(frame.Samples, 20 + i);
        for (var y = 0; withPatch && y < Rows; y++)
        {
            Array.Fill(frame.Samples, 255, y * Columns, Columns);
        }
        foreach (var (x, y) in texts)
        {
            TextBurner.Burn(frame, Format, "DOE JOHN", x, y, 2);
        }
        return frame;
    }

    private static bool Covers(Region region, int x, int y) => region.X <= x && region.Y <= y && region.Right >= x + 94 && region.Bottom >= y + 14;

    private static void AssertCovers(ScanFinding finding, int x, int y, int[]? frames)
    {
        Assert.True(Covers(finding.Region, x, y), $"{finding.Region} does not cover the text at {x}, {y}.");
        Assert.Equal(frames, finding.Frames);
    }

    private sealed class MemorySource(string name, byte[] file) : IScanSource
    {
        public string Name => name;

        public Stream Open() => new MemoryStream(file, 0, file.Length, writable: false, publiclyVisible: true);
    }

    /// <summary>Sees boxes in a picture of 400 × 320, others in one of another size, and else nothing.</summary>
    private sealed class FixedDetector(IReadOnlyList<TextBox> boxes, (int Width, int Height) other = default, IReadOnlyList<TextBox>? boxesInOther = null) : ITextDetector
    {
        public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token) =>
            (image.Width, image.Height) == (400, 320) ? boxes : (image.Width, image.Height) == other ? boxesInOther! : [];
    }

    /// <summary>Sees a line where a picture of its own size has so many white pixels and no fewer.</summary>
    private sealed class RowDetector(int pixels) : ITextDetector
    {
        public bool HasSeen { get; private set; }

        public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token)
        {
            var isWhole = (image.Width, image.Height) == (Columns, Rows) && image.Pixels.Count(value => value >= 250) >= pixels;
            HasSeen |= isWhole;
            return isWhole ? [new TextBox(new Region(60, 80, 24 * 8, 12), 0.9)] : [];
        }
    }

    /// <summary>Sees what is white and takes a part of the picture only as a line of text.</summary>
    private sealed class WhiteDetector : ITextDetector
    {
        private int looks;

        public int Looks => looks;

        /// <summary>A grey that ends every worker that sees much of it.</summary>
        public int FailsOn { get; set; } = -1;

        public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token)
        {
            Interlocked.Increment(ref looks);
            if (FailsOn > 0 && image.Pixels.AsSpan().Count((byte)FailsOn) >= 500)
            {
                throw new ScanFailedException("The search for text lost its worker twice.");
            }
            var (left, top, right, bottom) = (int.MaxValue, int.MaxValue, -1, -1);
            for (var i = 0; i < image.Pixels.Length; i++)
            {
                if (image.Pixels[i] >= 200)
                {
                    var (y, x) = Math.DivRem(i, image.Width);
                    (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
                }
            }
            return right < 0 || bottom - top > 60 ? [] : [new TextBox(new Region(left, top, right - left, bottom - top), 0.9)];
        }
    }
}
