using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Sidecar.Tests.Dicom;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Workers;

/// <summary>
/// Every layout in JPEG-LS and JPEG 2000, compressed by dcmtk, gdcm or OpenJPEG's own tool: samples inside, on the edge and outside, as gdcm and dcmtk
/// decode the original and the result.
/// </summary>
public sealed class CompressedByOthersTests(CompressedByOthersTests.Readings readings) : IClassFixture<CompressedByOthersTests.Readings>
{
    private const int Columns = 37;
    private const int Rows = 23;
    private const int Frames = 2;

    private static readonly Dictionary<string, PixelFormat> Formats = new()
    {
        ["8 bits"] = PixelFormat.Grey(Columns, Rows),
        ["8 bits, inverted"] = PixelFormat.Grey(Columns, Rows, inverted: true),
        ["8 bits, signed"] = PixelFormat.Grey(Columns, Rows, isSigned: true),
        ["10 bits"] = PixelFormat.Grey(Columns, Rows, bitsStored: 10),
        ["12 bits, inverted"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12, inverted: true),
        ["12 bits, signed"] = PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: true),
        ["16 bits"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16),
        ["16 bits, inverted"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16, inverted: true),
        ["16 bits, signed"] = PixelFormat.Grey(Columns, Rows, bitsStored: 16, isSigned: true),
        ["RGB"] = PixelFormat.Colour(Columns, Rows),
        ["YBR_FULL"] = PixelFormat.Colour(Columns, Rows, "YBR_FULL"),
        ["palette"] = PixelFormat.Indexed(Columns, Rows, Palette.Mixed()),
        ["palette, 16 bits"] = PixelFormat.Indexed(Columns, Rows, Palette.Mixed(entries: 4096), bitsAllocated: 16),
    };

    /// <summary>Commands of encoders, and the transfer syntax they write. Of JPEG-LS both the samples as allocated (raw) and as stored (cooked).</summary>
    private static readonly Dictionary<string, string> Encoders = new()
    {
        ["dcmcjpls +pr +il"] = TransferSyntaxUids.JpegLsLossless,
        ["dcmcjpls +pr +is"] = TransferSyntaxUids.JpegLsLossless,
        ["dcmcjpls +pr +in"] = TransferSyntaxUids.JpegLsLossless,
        ["dcmcjpls +pc +il"] = TransferSyntaxUids.JpegLsLossless,
        ["dcmcjpls +en +md 3 +il"] = TransferSyntaxUids.JpegLsNearLossless,
        ["gdcmconv --jpegls"] = TransferSyntaxUids.JpegLsLossless,
        ["gdcmconv --j2k"] = TransferSyntaxUids.Jpeg2000Lossless,
        ["opj_compress -mct 0 -n 4"] = TransferSyntaxUids.Jpeg2000Lossless,
        ["opj_compress -mct 1 -t 16,16 -n 3"] = TransferSyntaxUids.Jpeg2000Lossless,
        ["opj_compress -mct 0 -n 2 -p RPCL -b 16,32 -M 1"] = TransferSyntaxUids.Jpeg2000Lossless,
        ["opj_compress -mct 1 -n 4 -I -r 4"] = TransferSyntaxUids.Jpeg2000,
        ["opj_compress -mct 0 -n 5 -I -r 2"] = TransferSyntaxUids.Jpeg2000,
    };

    /// <summary>One over the corner, one inside that touches it, one in a single frame, one that reaches out of the image.</summary>
    private static readonly Mask[] Masks =
    [
        MaskerCalls.Mask(0, 0, 9, 5),
        MaskerCalls.Mask(5, 4, 4, 3),
        MaskerCalls.Mask(12, 10, 7, 2, 1),
        MaskerCalls.Mask(30, 20, 400, 300),
    ];

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var (name, format) in Formats)
        {
            foreach (var (encoder, syntax) in Encoders)
            {
                if (CanEncode(encoder, syntax, format))
                {
                    data.Add(name, encoder);
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void BurnMasks_CompressedByOthers_BlackInsideAndUntouchedOutside(string format, string encoder)
    {
        var (outcome, before, after) = readings.Results[(format, encoder)];

        var masked = Assert.IsType<MaskOutcome.Masked>(outcome);
        Assert.Equal(Encoders[encoder], masked.Proof.OutputTransferSyntaxUid);
        Assert.Equal(0, masked.Proof.ChangedOutside);
        Assert.Equal(Expect(Formats[format], before), after);
    }

    [Fact]
    public void BurnMasks_IrreversibleColorTransform_SaysThatTheResultHasTheReversibleOne()
    {
        var dump = Oracle.Dump(readings.Files[("RGB", "opj_compress -mct 1 -n 4 -I -r 4")]);

        Assert.Contains("[YBR_RCT]", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("[YBR_ICT]", dump, StringComparison.Ordinal);
    }

    [Fact]
    public void BurnMasks_ReversibleColorTransform_KeepsItsName() =>
        Assert.Contains("[YBR_RCT]", Oracle.Dump(readings.Files[("RGB", "opj_compress -mct 1 -t 16,16 -n 3")]), StringComparison.Ordinal);

    [Theory]
    [InlineData("8 bits", "opj_compress -mct 0 -n 2 -p RPCL -b 16,32 -M 1", 2, 1, 4, 5, true)]
    [InlineData("8 bits", "opj_compress -mct 0 -n 4", 0, 3, 6, 6, false)]
    [InlineData("10 bits", "opj_compress -mct 0 -n 4", 0, 3, 6, 6, true)]
    public void BurnMasks_Jpeg2000_KeepsHowItIsCodedButForRawBitPlanes(
        string format, string encoder, int progression, int levels, int widthExponent, int heightExponent, bool bypassesArithmeticCoder)
    {
        var file = readings.Files[(format, encoder)];
        ReadOnlySpan<byte> startOfCodestream = [0xFF, 0x4F, 0xFF, 0x51];

        var header = Jpeg2000Header.Read(file.AsSpan(file.AsSpan().IndexOf(startOfCodestream)));

        Assert.Equal((progression, levels, widthExponent, heightExponent), (header.Progression, header.DecompositionLevels, header.CodeBlockWidthExponent, header.CodeBlockHeightExponent));
        Assert.Equal(bypassesArithmeticCoder, header.BypassesArithmeticCoder);
        Assert.True(header.IsReversible);
    }

    /// <summary>What these encoders refuse or would make no sense. Of samples as stored, dcmcjpls 3.6.7 writes only those right that do not fill their cells.</summary>
    private static bool CanEncode(string encoder, string syntax, PixelFormat format) => encoder.Split(' ') switch
    {
        ["dcmcjpls", "+en", ..] => !format.IsSigned && format.Palette is null,
        ["dcmcjpls", "+pc", ..] => !format.IsSigned && format.BitsStored < format.BitsAllocated,
        ["gdcmconv", ..] => !format.IsSigned && format.PhotometricInterpretation is "MONOCHROME2" or "RGB",
        [_, "-mct", "1", ..] => format.PhotometricInterpretation == "RGB",
        _ => format.Palette is null || !IsLossy(syntax),
    };

    private static bool IsLossy(string syntax) => syntax is TransferSyntaxUids.JpegLsNearLossless or TransferSyntaxUids.Jpeg2000;

    private static int[] Expect(PixelFormat format, int[] before)
    {
        var expected = before.ToArray();
        for (var frame = 0; frame < Frames; frame++)
        {
            for (var y = 0; y < Rows; y++)
            {
                for (var x = 0; x < Columns; x++)
                {
                    if (Masks.Any(mask => mask.AppliesTo(frame) && x >= mask.Region.X && x < mask.Region.Right && y >= mask.Region.Y && y < mask.Region.Bottom))
                    {
                        format.Black.CopyTo(expected, ((((frame * Rows) + y) * Columns) + x) * format.SamplesPerPixel);
                    }
                }
            }
        }
        return expected;
    }

    /// <summary>All cases compressed, masked and read by a few child processes: starting them takes longer than their work.</summary>
    public sealed class Readings : IDisposable
    {
        private readonly CodecWorkerPool pool = new(new WorkerOptions(), new Quarantine());

        public Readings()
        {
            var cases = Cases().Select(row => (Format: (string)row[0], Encoder: (string)row[1])).ToList();
            var originals = Compress(cases);
            var masker = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool));
            var calls = originals.AsParallel().AsOrdered().Select(original => Burn(masker, original)).ToList();
            // What failed is read as it was, so that one failure does not take the other cases along.
            var results = calls.Select((call, i) => call.Outcome is MaskOutcome.Masked ? call.Result : originals[i]).ToList();
            var before = Read(originals, cases.ConvertAll(key => IsForDcmtk(key.Encoder) && !key.Encoder.StartsWith("gdcmconv", StringComparison.Ordinal)));
            var after = Read(results, cases.Select((key, i) => IsForDcmtk(key.Encoder) && calls[i].Outcome is MaskOutcome.Masked).ToList());
            Results = cases.Select((key, i) => KeyValuePair.Create(key, (calls[i].Outcome, before[i], after[i]))).ToDictionary();
            Files = cases.Zip(results).ToDictionary();
        }

        internal IReadOnlyDictionary<(string Format, string Encoder), (MaskOutcome Outcome, int[] Before, int[] After)> Results { get; }

        internal IReadOnlyDictionary<(string Format, string Encoder), byte[]> Files { get; }

        public void Dispose() => pool.Dispose();

        private static (MaskOutcome Outcome, byte[] Result) Burn(InstanceMasker masker, byte[] file)
        {
            using var original = new MemoryStream(file, writable: false);
            using var result = new MemoryStream();
            return (masker.BurnMasks(original, result, Masks, CancellationToken.None), result.ToArray());
        }

        private static List<byte[]> Compress(List<(string Format, string Encoder)> cases) => InFolder(folder =>
        {
            var arguments = new List<string> { Oracle.Script("compress.py") };
            for (var i = 0; i < cases.Count; i++)
            {
                var format = Formats[cases[i].Format];
                // Lossy codecs are given what they are made for; noise would cost them all their bits.
                var frames = IsLossy(Encoders[cases[i].Encoder]) ? SampleFrame.Gradient(format, Frames) : SampleFrame.Noise(format, Frames);
                var source = Path.Combine(folder, $"{i}.native.dcm");
                File.WriteAllBytes(source, new InstanceBuilder().Image(format, frames).Build());
                arguments.AddRange([source, cases[i].Encoder, Path.Combine(folder, $"{i}.dcm")]);
            }
            Oracle.Run("/usr/bin/python3", arguments);
            return cases.Select((_, i) => File.ReadAllBytes(Path.Combine(folder, $"{i}.dcm"))).ToList();
        });

        private static bool IsForDcmtk(string encoder) => Encoders[encoder] is TransferSyntaxUids.JpegLsLossless or TransferSyntaxUids.JpegLsNearLossless;

        /// <summary>JPEG-LS is decoded by dcmtk, but for what gdcm wrote, whose padding dcmtk refuses; the rest by gdcm.</summary>
        private static IReadOnlyList<int[]> Read(List<byte[]> files, List<bool> byDcmtk) => Oracle.Decode([.. files.Zip(byDcmtk, (file, isForDcmtk) => isForDcmtk ? InFolder(folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, "in.dcm"), file);
            Oracle.Run("dcmdjpls", [Path.Combine(folder, "in.dcm"), Path.Combine(folder, "out.dcm")]);
            return File.ReadAllBytes(Path.Combine(folder, "out.dcm"));
        }) : file)]);

        private static T InFolder<T>(Func<string, T> use)
        {
            var folder = Directory.CreateTempSubdirectory();
            try
            {
                return use(folder.FullName);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }
}
