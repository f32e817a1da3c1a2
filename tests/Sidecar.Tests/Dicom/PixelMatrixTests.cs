using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>Every pixel format in every syntax that can be masked: exact samples inside, on the edge and outside, as pydicom reads them.</summary>
public sealed class PixelMatrixTests(PixelMatrixTests.Readings readings) : IClassFixture<PixelMatrixTests.Readings>
{
    private const int Columns = 22;
    private const int Rows = 9;
    private const int Frames = 3;

    private static readonly Dictionary<string, PixelFormat> Formats = new()
    {
        ["1 bit"] = PixelFormat.Grey(Columns - 1, Rows, bitsStored: 1),
        ["8 bits"] = PixelFormat.Grey(Columns, Rows),
        ["8 bits, odd size"] = PixelFormat.Grey(Columns - 1, Rows),
        ["8 bits, signed"] = PixelFormat.Grey(Columns, Rows, isSigned: true),
        ["8 bits, inverted"] = PixelFormat.Grey(Columns, Rows, inverted: true),
        ["12 bits"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12),
        ["12 bits, inverted"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12, inverted: true),
        ["12 bits, signed"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: true),
        ["12 bits, signed, inverted"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: true, inverted: true),
        ["16 bits"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16),
        ["16 bits, signed"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16, isSigned: true),
        ["16 bits, inverted"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16, inverted: true),
        ["31 of 32 bits"] = PixelFormat.Grey(Columns, Rows, bitsStored: 31),
        ["RGB"] = PixelFormat.Colour(Columns, Rows),
        ["RGB, odd size"] = PixelFormat.Colour(Columns - 1, Rows),
        ["RGB by planes"] = PixelFormat.Colour(Columns, Rows, planarConfiguration: 1),
        ["RGB by planes, odd size"] = PixelFormat.Colour(Columns - 1, Rows, planarConfiguration: 1),
        ["YBR_FULL"] = PixelFormat.Colour(Columns, Rows, "YBR_FULL"),
        ["YBR_FULL by planes"] = PixelFormat.Colour(Columns, Rows, "YBR_FULL", planarConfiguration: 1),
        ["YBR_FULL_422"] = PixelFormat.Colour(Columns, Rows, "YBR_FULL_422"),
        ["palette"] = PixelFormat.Indexed(Columns, Rows, Palette.Mixed()),
        ["palette, 8-bit entries"] = PixelFormat.Indexed(Columns, Rows, Palette.Mixed(bitsPerEntry: 8)),
        ["palette, 16 bits"] = PixelFormat.Indexed(Columns, Rows, Palette.Mixed(entries: 4096), bitsAllocated: 16),
    };

    /// <summary>One over the corner, one inside that touches it, one in a single frame, one that reaches out of the image.</summary>
    private static readonly Mask[] Masks =
    [
        MaskerCalls.Mask(0, 0, 5, 2),
        MaskerCalls.Mask(3, 1, 4, 3),
        MaskerCalls.Mask(9, 3, 7, 2, 1),
        MaskerCalls.Mask(17, 6, 400, 300, 0, 2),
    ];

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var format in Formats.Keys)
        {
            foreach (var syntax in new[] { TransferSyntaxes.ImplicitLittleEndian, TransferSyntaxes.ExplicitLittleEndian, TransferSyntaxes.ExplicitBigEndian,
                TransferSyntaxes.DeflatedExplicitLittleEndian, TransferSyntaxes.RleLossless })
            {
                // pydicom reads neither 1-bit nor 4:2:2 pixels in RLE; RleTests holds the former, the latter cannot exist (PS3.5 8.2.2).
                if (syntax != TransferSyntaxes.RleLossless || format is not ("1 bit" or "YBR_FULL_422"))
                {
                    data.Add(format, syntax);
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void BurnMasks_AnyFormatAndSyntax_BlackInsideAndUntouchedOutside(string format, string syntax)
    {
        var (outcome, samples) = readings.Results[(format, syntax)];

        var masked = Assert.IsType<MaskOutcome.Masked>(outcome);
        Assert.Equal(Expect(Formats[format]), samples);
        Assert.Equal(syntax, masked.Proof.OutputTransferSyntaxUid);
        Assert.Equal(0, masked.Proof.ChangedOutside);
        Assert.Equal(Frames, masked.Proof.Frames);
        Assert.Equal(Frames, masked.Proof.FrameXxh64.Count);
    }

    [Fact]
    public void BurnMasks_SubsampledChrominance_ReportsTheEvenColumnsThatWereBurned()
    {
        var format = PixelFormat.Colour(Columns, Rows, "YBR_FULL_422");
        var file = new InstanceBuilder().Image(format, SampleFrame.Noise(format)).Build();

        var (outcome, _) = MaskerCalls.BurnMasks(file, MaskerCalls.Mask(3, 1, 4, 3));

        Assert.Equal(new Sidecar.Dicom.Pixels.Region(2, 1, 6, 3), Assert.Single(Assert.IsType<MaskOutcome.Masked>(outcome).Proof.Regions));
    }

    private static byte[] Build(string format, string syntax) => new InstanceBuilder()
        .Image(Formats[format], SampleFrame.Noise(Formats[format], Frames)).Syntax(syntax).Offsets(OffsetTable.Basic).Build();

    private static int[] Expect(PixelFormat format)
    {
        var isSubsampled = format.PhotometricInterpretation == "YBR_FULL_422";
        var frames = SampleFrame.Noise(format, Frames);
        for (var frame = 0; frame < Frames; frame++)
        {
            for (var y = 0; y < format.Rows; y++)
            {
                for (var x = 0; x < format.Columns; x++)
                {
                    if (isSubsampled && x % 2 == 1)
                    {
                        // Two neighbours share their chrominance, the first one's.
                        frames[frame][x - 1, y][1..].CopyTo(frames[frame][x, y][1..]);
                    }
                }
                for (var x = 0; x < format.Columns; x++)
                {
                    if (IsMasked(frame, x, y) || (isSubsampled && IsMasked(frame, x ^ 1, y)))
                    {
                        format.Black.CopyTo(frames[frame][x, y]);
                    }
                }
            }
        }
        return [.. frames.SelectMany(frame => frame.Samples)];
    }

    private static bool IsMasked(int frame, int x, int y) => Masks.Any(mask => mask.AppliesTo(frame)
        && x >= mask.Region.X && x < mask.Region.Right && y >= mask.Region.Y && y < mask.Region.Bottom);

    /// <summary>All cases masked and read by one Python process: starting it takes longer than reading.</summary>
    public sealed class Readings
    {
        public Readings()
        {
            var cases = Cases().Select(row => ((string)row[0], (string)row[1])).ToList();
            var calls = cases.Select(key => MaskerCalls.BurnMasks(Build(key.Item1, key.Item2), Masks)).ToList();
            var readable = calls.Select((call, i) => call.Outcome is MaskOutcome.Masked ? call.Result : Build(cases[i].Item1, cases[i].Item2)).ToList();
            Results = cases.Zip(calls.Zip(Oracle.Decode(readable), (call, samples) => (call.Outcome, samples))).ToDictionary();
        }

        internal IReadOnlyDictionary<(string Format, string Syntax), (MaskOutcome Outcome, int[] Samples)> Results { get; }
    }
}
