using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Xunit;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>Lossy JPEG in every arrangement: each coefficient as an independent reader finds it, and the pixels as dcmtk and gdcm decode them.</summary>
public sealed class JpegBlockTests(JpegBlockTests.Readings readings) : IClassFixture<JpegBlockTests.Readings>
{
    private static readonly Region Asked = new(20, 9, 13, 14);

    private static readonly Dictionary<string, JpegFixture> Fixtures = MakeFixtures();

    public static TheoryData<string> Names() => [.. Fixtures.Keys];

    public static TheoryData<string> NamesWithoutSubsampling() => [.. Fixtures.Keys.Where(IsExactInPixels)];

    public static TheoryData<string> NamesWithSubsampling() => [.. Fixtures.Keys.Where(IsSubsampled)];

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_AnyArrangement_OnlyMaskedBlocksChange(string name)
    {
        var (fixture, coefficients) = (Fixtures[name], readings.Coefficients[name]);
        var masked = Assert.IsType<MaskOutcome.Masked>(readings.Outcomes[name]);
        var burned = Assert.Single(masked.Proof.Regions);

        // The reader itself is right: it finds what the fixture was made of.
        Assert.Equal(fixture.Expected(coefficients), readings.Original[name]);
        Assert.Equal(fixture.Expected(fixture.Blacken(coefficients, burned, BlackOf(fixture))), readings.Masked[name]);
        Assert.True(burned.X <= Asked.X && burned.Y <= Asked.Y && burned.Right >= Asked.Right && burned.Bottom >= Asked.Bottom);
    }

    [Theory]
    [MemberData(nameof(NamesWithoutSubsampling))]
    public void BurnMasks_NoSubsampling_PixelsAreBlackInsideAndUntouchedOutside(string name)
    {
        var fixture = Fixtures[name];
        var burned = Assert.IsType<MaskOutcome.Masked>(readings.Outcomes[name]).Proof.Regions[0];
        int[] black = fixture.Colours == JpegColours.Jfif ? [0, 128, 128]
            : fixture.IsInverted ? [(1 << fixture.Precision) - 1]
            : new int[fixture.Sampling.Length];
        var (before, after) = readings.Pixels[name];

        Assert.Equal(Blacken(before, burned, black), after);
    }

    [Theory]
    [MemberData(nameof(NamesWithoutSubsampling))]
    public void ReadSamples_NoSubsampling_AreWithinOneOfWhatDcmtkDecodes(string name)
    {
        var samples = ReadSamples(Fixtures[name], readings.Coefficients[name]);

        Assert.Equal(readings.Pixels[name].Before.Length, samples.Length);
        Assert.InRange(LargestDifference(samples, readings.Pixels[name].Before, step: 1), 0, 1);
    }

    /// <summary>Decoders smooth shared chrominance in their own ways; brightness is what text is looked for in.</summary>
    [Theory]
    [MemberData(nameof(NamesWithSubsampling))]
    public void ReadSamples_Subsampled_BrightnessIsWithinOneOfWhatDcmtkDecodes(string name)
    {
        var samples = ReadSamples(Fixtures[name], readings.Coefficients[name]);

        Assert.Equal(readings.Pixels[name].Before.Length, samples.Length);
        Assert.InRange(LargestDifference(samples, readings.Pixels[name].Before, step: 3), 0, 1);
    }

    [Fact]
    public void BurnMasks_RegionAtTheEdgeOfSubsampledMcus_TakesTheNeighboursAlong()
    {
        var fixture = Fixtures["4:2:0"];
        var file = fixture.Wrap(fixture.Encode(fixture.MakeCoefficients()));

        var (outcome, _) = MaskerCalls.BurnMasks(file, MaskerCalls.Mask(16, 16, 16, 10));

        Assert.Equal([new Region(0, 0, 48, 32)], Assert.IsType<MaskOutcome.Masked>(outcome).Proof.Regions);
    }

    [Fact]
    public void BurnMasks_TablesOfAllSymbols_KeepsEverySegment()
    {
        var fixture = Fixtures["4:2:0"];
        var file = fixture.Wrap(fixture.Encode(fixture.MakeCoefficients()));

        var masked = MaskerCalls.Masked(file, MaskerCalls.Mask(0, 0, 3, 3));

        // From the start of the codestream to the first scan's data.
        ReadOnlySpan<byte> startOfScan = [0xFF, 0xDA];
        var (start, end) = (file.AsSpan().IndexOf("JFIF"u8), file.AsSpan().IndexOf(startOfScan) + 14);
        Assert.NotEqual(-1, masked.AsSpan().IndexOf(file.AsSpan(start, end - start)));
    }

    [Fact]
    public void BurnMasks_ProgressiveThatStopsEarly_IsRefused()
    {
        var fixture = Fixtures["grey, progressive"] with { Scans = [new ScanPlan([0], 0, 0, 0, 1)] };

        var reason = MaskerCalls.Refused(fixture.Wrap(fixture.Encode(fixture.MakeCoefficients())), MaskerCalls.Mask(0, 0, 3, 3));

        Assert.Equal("The progressive JPEG frames stop before their last scans, so that no exact black can be written.", reason);
    }

    [Fact]
    public void BurnMasks_HeaderThatLiesAboutTheSize_IsRefusedBeforeMemoryIsTaken()
    {
        var fixture = Fixtures["grey"];
        var file = fixture.Wrap(fixture.Encode(fixture.MakeCoefficients()));
        // Rows and columns, in the data set and in the frame header alike.
        ReplaceAll(file, [0x55, 0x53, 2, 0, JpegFixture.Rows, 0], [0x55, 0x53, 2, 0, 0x88, 0x77]);
        ReplaceAll(file, [0x55, 0x53, 2, 0, JpegFixture.Columns, 0], [0x55, 0x53, 2, 0, 0x88, 0x77]);
        ReplaceAll(file, [8, 0, JpegFixture.Rows, 0, JpegFixture.Columns], [8, 0x77, 0x88, 0x77, 0x88]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var reason = MaskerCalls.Refused(file, MaskerCalls.Mask(0, 0, 3, 3));

        Assert.Equal("A JPEG frame is truncated: it ends before its last pixel.", reason);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 20_000_000);
    }

    private static Dictionary<string, JpegFixture> MakeFixtures()
    {
        var grey = new JpegFixture();
        var colour = new JpegFixture { Sampling = [(1, 1), (1, 1), (1, 1)], Colours = JpegColours.Jfif };
        ScanPlan[] apart = [new([0]), new([1]), new([2])];
        var fixtures = new Dictionary<string, JpegFixture>
        {
            ["grey"] = grey,
            ["grey, inverted"] = grey with { IsInverted = true },
            ["grey, restarts"] = grey with { RestartInterval = 3 },
            ["grey, spare tables"] = grey with { HasFullTables = false },
            ["grey, long codes"] = grey with { HasLongCodes = true },
            ["grey, factors of 2"] = grey with { Sampling = [(2, 2)] },
            ["grey, 12 bits"] = grey with { Precision = 12 },
            ["grey, 12 bits, inverted, spare tables"] = grey with { Precision = 12, IsInverted = true, HasFullTables = false },
            ["grey, progressive"] = grey with { IsProgressive = true, Scans = Progression([0]) },
            ["grey, 12 bits, progressive, restarts"] = grey with { Precision = 12, IsProgressive = true, Scans = Progression([0]), RestartInterval = 4 },
            ["4:4:4"] = colour,
            ["4:4:4, long codes, restarts"] = colour with { HasLongCodes = true, RestartInterval = 4 },
            ["4:4:4, one scan a component"] = colour with { Scans = apart },
            ["4:4:4, luminance apart"] = colour with { Scans = [new([0]), new([1, 2])] },
            ["4:4:4, spectral selection"] = colour with
            {
                IsProgressive = true,
                Scans = [new([0, 1, 2], 0, 0), .. Enumerable.Range(0, 3).SelectMany(i => new ScanPlan[] { new([i], 1, 5), new([i], 6, 63) })],
            },
            ["RGB by Adobe"] = colour with { Colours = JpegColours.AdobeRgb },
            ["RGB by name"] = colour with { Colours = JpegColours.NamedRgb, RestartInterval = 1 },
            ["RGB by data set"] = colour with { Colours = JpegColours.UnnamedRgb },
            ["RGB, progressive"] = colour with { Colours = JpegColours.AdobeRgb, IsProgressive = true, Scans = Progression([0, 1, 2]) },
        };
        foreach (var (name, factors) in new[] { ("4:2:2", (2, 1)), ("4:2:0", (2, 2)), ("4:4:0", (1, 2)), ("4:1:1", (4, 1)), ("4:1:0", (4, 2)) })
        {
            var sampled = colour with { Sampling = [factors, (1, 1), (1, 1)] };
            fixtures[name] = sampled;
            fixtures[name + ", spare tables, restarts"] = sampled with { HasFullTables = false, RestartInterval = 2 };
            fixtures[name + ", one scan a component"] = sampled with { Scans = apart, RestartInterval = 5 };
            fixtures[name + ", progressive"] = sampled with { IsProgressive = true, Scans = Progression([0, 1, 2]), RestartInterval = 7 };
        }
        fixtures["mixed factors"] = colour with { Sampling = [(2, 2), (2, 1), (1, 2)] };
        return fixtures;
    }

    /// <summary>DC first, then AC, each refined bit by bit.</summary>
    private static ScanPlan[] Progression(int[] components) =>
    [
        new(components, 0, 0, 0, 1),
        .. components.SelectMany(i => new ScanPlan[] { new([i], 1, 9, 0, 2), new([i], 10, 63, 0, 2), new([i], 1, 63, 2, 1) }),
        new(components, 0, 0, 1, 0),
        .. components.Select(i => new ScanPlan([i], 1, 63, 1, 0)),
    ];

    private static int[] BlackOf(JpegFixture fixture)
    {
        var half = 1 << (fixture.Precision - 1);
        var lowest = -(int)Math.Ceiling(8.0 * half / JpegFixture.DcQuantizer);
        return fixture.IsInverted ? [(int)Math.Ceiling(8.0 * (half - 1) / JpegFixture.DcQuantizer)]
            : fixture.Colours == JpegColours.Jfif ? [lowest, 0, 0]
            : [.. fixture.Sampling.Select(_ => lowest)];
    }

    private static bool IsExactInPixels(string name) =>
        Fixtures[name].Sampling.All(factors => factors == Fixtures[name].Sampling[0]) && !name.Contains("data set", StringComparison.Ordinal);

    /// <summary>Those of factors that dcmtk decodes.</summary>
    private static bool IsSubsampled(string name) => name.StartsWith("4:2:2", StringComparison.Ordinal) || name.StartsWith("4:2:0", StringComparison.Ordinal) || name.StartsWith("4:4:0", StringComparison.Ordinal);

    /// <summary>The frame as it is decoded to be looked at, colour-by-pixel.</summary>
    private static int[] ReadSamples(JpegFixture fixture, short[] coefficients)
    {
        using var stream = new MemoryStream(fixture.Wrap(fixture.Encode(coefficients)));
        var file = Part10File.Read(stream, FileMeta.Read(stream));
        var layout = PixelLayout.Read(file);
        var pixels = StoredPixels.Open(file, layout, BlackSample.Compute(layout, file), FrameCodecs.Managed.Find(file.Meta.TransferSyntaxUid));
        var room = new byte[layout.PlanarShape.FrameBytes];
        pixels.ReadSamples(0, room);
        return layout.SampleBytes == 1 ? [.. room] : [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(room).ToArray()];
    }

    private static int LargestDifference(int[] ours, int[] theirs, int step) =>
        Enumerable.Range(0, ours.Length / step).Max(i => Math.Abs(ours[i * step] - theirs[i * step]));

    private static int[] Blacken(int[] pixels, Region region, int[] black)
    {
        var result = pixels.ToArray();
        for (var y = region.Y; y < region.Bottom; y++)
        {
            for (var x = region.X; x < region.Right; x++)
            {
                black.CopyTo(result, ((y * JpegFixture.Columns) + x) * black.Length);
            }
        }
        return result;
    }

    private static void ReplaceAll(Span<byte> bytes, ReadOnlySpan<byte> old, ReadOnlySpan<byte> with)
    {
        for (int at; (at = bytes.IndexOf(old)) >= 0; bytes = bytes[(at + 1)..])
        {
            with.CopyTo(bytes[at..]);
        }
    }

    /// <summary>Masks every fixture and reads originals and results, all in a few calls.</summary>
    public sealed class Readings
    {
        public Readings()
        {
            var names = Fixtures.Keys.ToList();
            var originals = new List<byte[]>();
            var results = new List<byte[]>();
            foreach (var name in names)
            {
                Coefficients[name] = Fixtures[name].MakeCoefficients();
                originals.Add(Fixtures[name].Wrap(Fixtures[name].Encode(Coefficients[name])));
                var (outcome, result) = MaskerCalls.BurnMasks(originals[^1], new Mask(Asked));
                Outcomes[name] = outcome;
                results.Add(outcome is MaskOutcome.Masked ? result : originals[^1]);
            }
            var read = Oracle.Coefficients([.. originals, .. results]);
            for (var i = 0; i < names.Count; i++)
            {
                (Original[names[i]], Masked[names[i]]) = (read[i], read[i + names.Count]);
            }
            var exact = names.Where(name => IsExactInPixels(name) || IsSubsampled(name)).ToList();
            List<byte[]> files = [.. exact.Select(name => originals[names.IndexOf(name)]), .. exact.Select(name => results[names.IndexOf(name)])];
            var byDcmtk = Oracle.Decode(Oracle.Decompress(files));
            for (var i = 0; i < exact.Count; i++)
            {
                Pixels[exact[i]] = (byDcmtk[i], byDcmtk[i + exact.Count]);
            }
        }

        public Dictionary<string, short[]> Coefficients { get; } = [];

        public Dictionary<string, MaskOutcome> Outcomes { get; } = [];

        public Dictionary<string, int[]> Original { get; } = [];

        public Dictionary<string, int[]> Masked { get; } = [];

        public Dictionary<string, (int[] Before, int[] After)> Pixels { get; } = [];
    }
}
