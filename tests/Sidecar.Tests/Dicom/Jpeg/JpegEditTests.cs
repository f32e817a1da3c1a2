using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>Frames of which only some bits are written anew: any regions, and ends that are missing.</summary>
public sealed class JpegEditTests
{
    private const int Rounds = 25;

    private static readonly JpegFixture Colour = new() { Sampling = [(2, 2), (1, 1), (1, 1)], Colours = JpegColours.Jfif };

    private static readonly Dictionary<string, JpegFixture> Lossy = new()
    {
        ["grey"] = new(),
        ["grey, spare tables"] = new() { HasFullTables = false },
        ["grey, 12 bits, long codes"] = new() { Precision = 12, HasLongCodes = true },
        ["colour"] = Colour,
        ["colour, spare tables"] = Colour with { HasFullTables = false },
        ["colour, restarts within rows"] = Colour with { RestartInterval = 3 },
        ["colour, restarts over rows"] = Colour with { RestartInterval = 9, HasFullTables = false },
        ["colour, luminance apart"] = Colour with { Scans = [new([0]), new([1, 2])] },
        ["colour, scans apart, long codes"] = Colour with { Scans = [new([0]), new([1]), new([2])], HasLongCodes = true },
    };

    private static readonly Dictionary<string, JpegLosslessTests.Shape> Lossless = new()
    {
        ["12 bits"] = new(PixelFormat.Grey(53, 37, bitsStored: 12), 12),
        ["12 bits, flat"] = new(PixelFormat.Grey(53, 37, bitsStored: 12), 12) { MakeSample = (index, _) => 2048 + (index & 1) },
        ["16 bits, predictor 7"] = new(PixelFormat.Grey(53, 37, bitsStored: 16), 16) { Predictor = 7 },
        ["12 bits, predictor 4, restarts"] = new(PixelFormat.Grey(53, 37, bitsStored: 12), 12) { Predictor = 4, RestartRows = 5 },
        ["colour, restarts"] = new(PixelFormat.Colour(53, 37), 8) { RestartRows = 1 },
        ["colour, predictor 5"] = new(PixelFormat.Colour(53, 37), 8) { Predictor = 5 },
        ["colour, scans apart"] = new(PixelFormat.Colour(53, 37), 8) { IsInterleaved = false, Predictor = 2 },
    };

    public static TheoryData<string> LossyNames() => [.. Lossy.Keys];

    public static TheoryData<string> Names() => [.. Lossy.Keys, .. Lossless.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_AnyRegions_ChangesThoseOnly(string name)
    {
        var file = Wrap(name, Encode(name));
        var random = new Random(name.Length);
        for (var round = 0; round < Rounds; round++)
        {
            var masks = Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
            {
                var (x, y) = (random.Next(JpegFixture.Columns), random.Next(JpegFixture.Rows));
                return MaskerCalls.Mask(x, y, random.Next(1, 60), random.Next(1, 20));
            }).ToList();

            var outcome = MaskerCalls.BurnMasks(file, masks).Outcome;

            Assert.True(outcome is MaskOutcome.Masked, $"{outcome} with {string.Join(", ", masks)}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_LastBytesMissing_IsRefusedHoweverFew(string name)
    {
        var whole = Encode(name);
        for (var missing = 1; missing <= 40; missing++)
        {
            byte[] truncated = [.. whole[..^(2 + missing)], 0xFF, 0xD9];

            Assert.StartsWith("A JPEG frame is ", MaskerCalls.Refused(Wrap(name, truncated), MaskerCalls.Mask(0, 0, 3, 3)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(LossyNames))]
    public void BurnMasks_AlreadyBlack_ChangesNoByteOfTheCodestream(string name)
    {
        var once = MaskerCalls.Masked(Wrap(name, Encode(name)), MaskerCalls.Mask(20, 9, 13, 14));

        var twice = MaskerCalls.Masked(once, MaskerCalls.Mask(20, 9, 13, 14));

        Assert.Equal(Codestream(once), Codestream(twice));
    }

    private static byte[] Encode(string name) => Lossy.TryGetValue(name, out var fixture)
        ? fixture.Encode(fixture.MakeCoefficients())
        : Lossless[name].Encode(Lossless[name].MakeFrame());

    private static byte[] Wrap(string name, byte[] codestream) =>
        Lossy.TryGetValue(name, out var fixture) ? fixture.Wrap(codestream) : Lossless[name].Wrap(codestream);

    private static byte[] Codestream(byte[] file)
    {
        ReadOnlySpan<byte> start = [0xFF, 0xD8, 0xFF];
        return file[file.AsSpan().IndexOf(start)..];
    }
}
