using FsCheck;
using FsCheck.Fluent;
using Sidecar.Dicom.Codecs.JpegLs;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.JpegLs;

/// <summary>JPEG-LS codestreams bit by bit: the standard's example, what is copied, what is refused, and anything at random.</summary>
public sealed class JpegLsCodestreamTests
{
    private const int RandomImages = 1500;
    private const int Mutations = 3000;

    /// <summary>ISO/IEC 14495-1 annex H.3: 4×4 samples of 8 bits.</summary>
    private static readonly int[] ExampleSamples = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];

    private static readonly byte[] ExampleCodestream = Convert.FromHexString(
        "FFD8FFF7000B080004000401011100FFDA0008010100000000C000006C80208E01C00000574000006EE6000001BC18000005D800009160FFD9");

    private static readonly byte[][] Files = MakeFiles();

    [Fact]
    public void Encode_ExampleOfTheStandard_GivesItsBytes() =>
        Assert.Equal(Convert.ToHexString(ExampleCodestream), Convert.ToHexString(Example().Encode(ExampleSamples)).Replace("FFFFD9", "FFD9", StringComparison.Ordinal));

    [Fact]
    public void Decode_ExampleOfTheStandard_GivesItsSamples()
    {
        var masked = MaskedFrame(Example().Wrap(ExampleCodestream), MaskerCalls.Mask(3, 3, 1, 1));

        Assert.Equal([.. ExampleSamples[..15], 0], masked);
    }

    [Fact]
    public void BurnMasks_RowsBeforeTheFirstMask_KeepTheirBits()
    {
        var shape = new JpegLsShape(PixelFormat.Grey(60, 40, bitsStored: 12));
        var original = shape.Encode(shape.MakeFrame());

        var late = Codestream(MaskerCalls.Masked(shape.Wrap(original), MaskerCalls.Mask(5, 30, 20, 5)));
        var early = Codestream(MaskerCalls.Masked(shape.Wrap(original), MaskerCalls.Mask(5, 0, 20, 5)));

        Assert.InRange(original.AsSpan().CommonPrefixLength(late), original.Length * 7 / 10, original.Length * 8 / 10);
        Assert.InRange(original.AsSpan().CommonPrefixLength(early), 0, 100);
    }

    [Fact]
    public void BurnMasks_RestartIntervalsWithoutAMask_KeepTheirBits()
    {
        var shape = new JpegLsShape(PixelFormat.Grey(60, 40, bitsStored: 12)) { RestartRows = 4 };
        var original = shape.Encode(shape.MakeFrame());

        var masked = Codestream(MaskerCalls.Masked(shape.Wrap(original), MaskerCalls.Mask(5, 21, 20, 2)));

        Assert.InRange(original.AsSpan().CommonPrefixLength(masked), original.Length * 4 / 10, original.Length * 6 / 10);
        Assert.Equal(FromSixthInterval(original), FromSixthInterval(masked));

        static string FromSixthInterval(byte[] codestream)
        {
            var hex = Convert.ToHexString(codestream);
            return hex[hex.IndexOf("FFD5", StringComparison.Ordinal)..].Replace("FFFFD9", "FFD9", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void BurnMasks_CommentsAndApplicationData_AreDropped()
    {
        var shape = Example();
        byte[] comments = [0xFF, 0xFE, 0, 8, .. "SECRET"u8, 0xFF, 0xE8, 0, 8, .. "SECRET"u8];

        var masked = MaskerCalls.Masked(shape.Wrap([.. ExampleCodestream[..2], .. comments, .. ExampleCodestream[2..]]), MaskerCalls.Mask(0, 0, 1, 1));

        Assert.Equal(-1, masked.AsSpan().IndexOf("SECRET"u8));
    }

    [Fact]
    public void BurnMasks_SpiffHeaderAndSizesInAnExtension_AreRead()
    {
        // The directory's end has a start of image inside of it (ISO/IEC 10918-3 F).
        byte[] spiff = [0xFF, 0xE8, 0, 32, .. "SPIFF\0"u8, .. new byte[24], 0xFF, 0xE8, 0, 8, 0, 0, 0, 1, 0xFF, 0xD8];
        var withoutSize = ExampleCodestream.ToArray();
        (withoutSize[8], withoutSize[10]) = (0, 0);
        byte[] size = [0xFF, 0xF8, 0, 8, 4, 2, 0, 4, 0, 4];

        var masked = MaskedFrame(Example().Wrap([.. withoutSize[..2], .. spiff, .. withoutSize[2..15], .. size, .. withoutSize[15..]]), MaskerCalls.Mask(3, 3, 1, 1));

        Assert.Equal([.. ExampleSamples[..15], 0], masked);
    }

    [Fact]
    public void BurnMasks_AnyByteOfTheEndMissing_IsTruncated()
    {
        var shape = new JpegLsShape(PixelFormat.Grey(16, 16));
        var whole = shape.Encode(shape.MakeFrame());
        var end = whole.Length - (whole[^3] == 0xFF ? 3 : 2);

        for (var length = end - 40; length < end - 1; length++)
        {
            // Zeros read behind the end may make a code that is none, too.
            Assert.Matches("is truncated: it ends before its last pixel|is damaged: it holds bits that are no code", MaskerCalls.Refused(shape.Wrap(whole[..length]), MaskerCalls.Mask(0, 0, 4, 4)));
        }
        // The end marker itself lacks in files that every viewer shows.
        MaskerCalls.Masked(shape.Wrap(whole[..end]), MaskerCalls.Mask(0, 0, 4, 4));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(40, false)]
    public void BurnMasks_CodedDataBehindTheLastPixel_IsDamagedUnlessItIsPadding(int bytes, bool isPadding)
    {
        var shape = new JpegLsShape(PixelFormat.Grey(16, 16));
        var whole = shape.Encode(shape.MakeFrame());
        var end = whole.Length - (whole[^1] == 0xD9 ? 2 : 3);
        byte[] longer = [.. whole[..end], .. new byte[bytes], .. whole[end..]];

        if (isPadding)
        {
            MaskerCalls.Masked(shape.Wrap(longer), MaskerCalls.Mask(0, 0, 4, 4));
        }
        else
        {
            Assert.Contains("more coded data than its pixels take", MaskerCalls.Refused(shape.Wrap(longer), MaskerCalls.Mask(0, 0, 4, 4)), StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string, string> Refusals() => new()
    {
        { "FFDA0008010100000000", "FFDA0008010105000000", "mapping tables" },
        { "FFDA0008010100000000", "FFF800050201080000FFDA0008010100000000", "mapping tables" },
        { "FFDA0008010100000000", "FFDA0008010100000002", "point transform" },
        { "FFDA0008010100000000", "FFDA0008010100800000", "out of range" },
        { "FFDA0008010100000000", "FFDA0008010200000000", "header of a JPEG-LS frame is damaged" },
        { "FFDA0008010100000000", "FFF8000D0100FF0000000000000002FFDA0008010100000000", "contradict each other" },
        { "FFDA0008010100000000", "FFF8000D0100C80000000000000000FFDA0008010100000000", "less than their bits allow" },
        { "FFF7000B0800040004", "FFF7000B080004FFFF", "65535×4" },
        { "FFF7000B0800040004", "FFF7000B0100040004", "header of a JPEG-LS frame is damaged" },
        { "FFF7000B0800040004", "FFF7000B1000040004", "16 bits, but BitsAllocated is 8" },
        { "FFF7000B0800040004", "FFC3000B0800040004", "another process" },
        { "FFD8FFF7", "FFD8FFE800076D72667801FFF7", "colour transform" },
        { "FFD8FFF7", "FFD9FFF7", "no JPEG-LS codestream" },
        { "C000006C80", "C00000000000000000", "no code" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void BurnMasks_WhatCannotBeMasked_SaysWhy(string part, string instead, string reason)
    {
        var codestream = Convert.FromHexString(Convert.ToHexString(ExampleCodestream).Replace(part, instead, StringComparison.Ordinal));

        Assert.Contains(reason, MaskerCalls.Refused(Example().Wrap(codestream), MaskerCalls.Mask(0, 0, 2, 2)), StringComparison.Ordinal);
    }

    [Fact]
    public void BurnMasks_RestartMarkerOfTheWrongNumber_IsRefused()
    {
        var shape = new JpegLsShape(PixelFormat.Grey(16, 16)) { RestartRows = 4 };
        var codestream = shape.Encode(shape.MakeFrame());
        ReadOnlySpan<byte> second = [0xFF, 0xD1];
        codestream[codestream.AsSpan().IndexOf(second) + 1] = 0xD2;

        Assert.Contains("restart marker is missing", MaskerCalls.Refused(shape.Wrap(codestream), MaskerCalls.Mask(0, 15, 2, 2)), StringComparison.Ordinal);
    }

    [Fact]
    public void BurnMasks_RandomImagesAndRegions_AreExact() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(RandomImages).WithQuietOnSuccess(true),
        Prop.ForAll(Gen.Choose(0, 1 << 30).ListOf(16).Select(numbers => numbers.ToArray()).ToArbitrary(), numbers =>
        {
            var shape = RandomShape(numbers);
            var samples = shape.MakeFrame(numbers[0]);
            var format = shape.Format;
            var mask = MaskerCalls.Mask(numbers[10] % format.Columns, numbers[11] % format.Rows, 1 + (numbers[12] % 20), 1 + (numbers[13] % 20));
            var expected = samples.ToArray();
            for (var y = mask.Region.Y; y < Math.Min(mask.Region.Bottom, format.Rows); y++)
            {
                for (var x = mask.Region.X; x < Math.Min(mask.Region.Right, format.Columns); x++)
                {
                    format.Black.CopyTo(expected, ((y * format.Columns) + x) * format.SamplesPerPixel);
                }
            }
            Assert.Equal(expected, MaskedFrame(shape.Wrap(shape.Encode(samples)), mask));
        }));

    [Fact]
    public void BurnMasks_MutatedCodestreams_EndInAnOutcomeWithAReason()
    {
        var outcomes = new Dictionary<Type, int>();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Mutations).WithQuietOnSuccess(true),
            Prop.ForAll(Gen.Choose(0, 1 << 30).ListOf(9).Select(numbers => numbers.ToArray()).ToArbitrary(), numbers =>
            {
                var (outcome, _) = MaskerCalls.BurnMasks(Mutate(numbers), MaskerCalls.Mask(5, 4, 9, 7));
                outcomes[outcome.GetType()] = outcomes.GetValueOrDefault(outcome.GetType()) + 1;
                return outcome switch
                {
                    MaskOutcome.Masked masked => masked.Proof.ChangedOutside == 0,
                    MaskOutcome.Unsupported refused => refused.Reason.EndsWith('.'),
                    MaskOutcome.Failed failed => failed.Reason.EndsWith('.') && !failed.Reason.Contains("did not pass", StringComparison.Ordinal),
                    _ => false,
                };
            }));

        // Where all ended alike, nothing would have been tried.
        Assert.True(outcomes.Count >= 2 && outcomes.Values.Max() < Mutations * 99 / 100);
    }

    private static JpegLsShape Example() => new(PixelFormat.Grey(4, 4));

    private static int[] MaskedFrame(byte[] file, Mask mask) => [.. JpegLsReader.Decode(MaskerCalls.Masked(file, mask))];

    private static byte[] Codestream(byte[] file) => JpegLsReader.Codestream(file);

    private static JpegLsShape RandomShape(int[] numbers)
    {
        var (columns, rows) = (1 + (numbers[1] % 40), 1 + (numbers[2] % 30));
        var bits = 2 + (numbers[3] % 15);
        var isColour = numbers[4] % 3 == 0;
        var format = isColour ? PixelFormat.Colour(columns, rows) : PixelFormat.Grey(columns, rows, bits, isSigned: numbers[4] % 3 == 1, inverted: numbers[5] % 4 == 0);
        bits = format.BitsStored;
        var highest = (1 << bits) - 1;
        var spread = 1 << (numbers[6] % (bits + 1));
        return new JpegLsShape(format)
        {
            InterleaveMode = numbers[7] % 3,
            RestartRows = numbers[8] % 4 == 0 ? 1 + (numbers[8] / 4 % 6) : 0,
            Parameters = numbers[9] % 4 == 0 ? JpegLsParameters.Default(highest, 0) with { Reset = 3 + (numbers[9] / 4 % 200) } : null,
            // From flat to noise over the whole range; every now and then a run.
            MakeSample = (index, noise) => index % 31 < numbers[14] % 31 ? format.LowestValue + (index / 31 % Math.Min(highest, 50)) : format.LowestValue + ((noise & highest) % spread),
        };
    }

    private static byte[] Mutate(int[] numbers)
    {
        var file = Files[numbers[0] % Files.Length].ToArray();
        ReadOnlySpan<byte> startOfImage = [0xFF, 0xD8, 0xFF];
        var codestream = file.AsSpan(file.AsSpan().IndexOf(startOfImage));
        for (var i = 1; i < numbers.Length; i += 2)
        {
            var place = numbers[i] % 2 == 0 ? codestream[..Math.Min(80, codestream.Length)] : codestream;
            place[numbers[i] / 2 % place.Length] = numbers[i + 1] % 4 == 0 ? (byte)0xFF : (byte)(numbers[i + 1] / 4);
        }
        return file;
    }

    private static byte[][] MakeFiles()
    {
        JpegLsShape[] shapes =
        [
            new(PixelFormat.Grey(53, 37, bitsStored: 12)),
            new(PixelFormat.Grey(53, 37, bitsStored: 16)) { MakeSample = (_, noise) => noise % 300 },
            new(PixelFormat.Colour(53, 37)) { InterleaveMode = 0, RestartRows = 5 },
            new(PixelFormat.Colour(53, 37)) { InterleaveMode = 1 },
            new(PixelFormat.Colour(53, 37)) { InterleaveMode = 2, MakeSample = (_, noise) => noise % 3 },
        ];
        return [.. shapes.Select(shape => shape.Wrap(shape.Encode(shape.MakeFrame())))];
    }
}
