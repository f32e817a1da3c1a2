using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Codecs.JpegLs;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.JpegLs;

/// <summary>
/// JPEG-LS of every shape: what the encoder writes and what the masker leaves, as gdcm (CharLS 2) and dcmtk (its own CharLS) read it. What those two
/// write themselves is masked in <see cref="Workers.CompressedByOthersTests"/>.
/// </summary>
public sealed class JpegLsTests(JpegLsTests.Readings readings) : IClassFixture<JpegLsTests.Readings>
{
    private const int Columns = 43;
    private const int Rows = 19;

    private static readonly Mask[] Masks = [MaskerCalls.Mask(3, 4, 5, 2), MaskerCalls.Mask(9, 7, 20, 4), MaskerCalls.Mask(40, 18, 50, 50)];

    private static readonly Dictionary<string, JpegLsShape> Shapes = MakeShapes();

    /// <summary>What dcmtk's older CharLS does not read: restart markers, fewer than 8 bits. gdcm judges those alone.</summary>
    private static readonly HashSet<string> NotForDcmtk =
        [.. Shapes.Where(pair => pair.Value is { RestartRows: > 0 } or { ActualPrecision: < 8 }).Select(pair => pair.Key)];

    public static TheoryData<string> Names() => [.. Shapes.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_AnyShape_IsReadBackByOthers(string name)
    {
        var (expected, _, byDcmtk, byGdcm) = readings.Results[name];

        Assert.Equal(expected, byGdcm[0]);
        Assert.Equal(expected, byDcmtk?[0] ?? expected);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_AnyShape_BlackInsideAndUntouchedOutside(string name)
    {
        var (samples, outcome, byDcmtk, byGdcm) = readings.Results[name];
        var expected = Blacken(samples, Shapes[name]);

        Assert.Equal(0, Assert.IsType<MaskOutcome.Masked>(outcome).Proof.ChangedOutside);
        Assert.Equal(expected, byGdcm[1]);
        Assert.Equal(expected, byDcmtk?[1] ?? expected);
    }

    /// <summary>gdcm does not put such frames together; dcmtk does.</summary>
    [Fact]
    public void BurnMasks_FramesInSeveralFragments_BlackInsideAndUntouchedOutside()
    {
        var shape = Shapes["12 bits"];
        var frames = new[] { shape.MakeFrame(), shape.MakeFrame(seed: 2) };
        // Fragments are of even length, and so is what our encoder writes.
        List<IReadOnlyList<byte[]>> fragments = [.. frames.Select(shape.Encode).Select(codestream => new[] { codestream[..200], codestream[200..400], codestream[400..] })];
        var file = new InstanceBuilder().Image(shape.Format, [.. SampleFrame.Noise(shape.Format, 2)]).Encapsulate(TransferSyntaxUids.JpegLsLossless, fragments).Build();

        var masked = MaskerCalls.Masked(file, Masks);

        Assert.Equal(frames.SelectMany(frame => Blacken(frame, shape)), Oracle.Decode([Readings.DecompressWithDcmtk(masked)])[0]);
    }

    private static Dictionary<string, JpegLsShape> MakeShapes()
    {
        var grey16 = PixelFormat.Grey(Columns, Rows, bitsStored: 16);
        var rgb = PixelFormat.Colour(Columns, Rows);
        var shapes = new Dictionary<string, JpegLsShape>
        {
            ["12 bits, inverted"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 12, inverted: true)),
            ["12 bits in 16, signed"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: true)) { Precision = 16 },
            ["16 bits, signed"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 16, isSigned: true)),
            ["16 bits, extremes"] = new(grey16) { MakeSample = (index, noise) => index % 3 == 0 ? 65535 : noise % 5 == 0 ? 32768 : 0 },
            ["16 bits, flat"] = new(grey16) { MakeSample = (_, _) => 4711 },
            ["16 bits, runs"] = new(grey16) { MakeSample = (index, _) => index / 17 * 613 % 60000 },
            ["16 bits, soft"] = new(grey16) { MakeSample = (index, noise) => 30000 + (index % 43) + (noise % 7) },
            ["16 bits, restarts"] = new(grey16) { RestartRows = 1 },
            ["8 bits, restarts"] = new(PixelFormat.Grey(Columns, Rows)) { RestartRows = 3, MakeSample = (_, noise) => noise % 4 },
            ["12 bits, own thresholds"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 12)) { Parameters = new JpegLsParameters(4095, 0, 5, 200, 1000, 31) },
            ["palette"] = new(PixelFormat.Indexed(Columns, Rows, Palette.Mixed())),
        };
        for (var bits = 2; bits <= 16; bits++)
        {
            shapes[$"{bits} bits"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: bits));
        }
        foreach (var mode in new[] { 0, 1, 2 })
        {
            shapes[$"RGB, interleaved by {mode}"] = new(rgb) { InterleaveMode = mode };
            shapes[$"RGB, interleaved by {mode}, runs"] = new(rgb) { InterleaveMode = mode, MakeSample = (index, noise) => index / 30 % 2 == 0 ? 200 : noise % 3 };
            shapes[$"RGB, interleaved by {mode}, restarts"] = new(rgb) { InterleaveMode = mode, RestartRows = 5 };
        }
        return shapes;
    }

    private static int[] Blacken(int[] samples, JpegLsShape shape)
    {
        var result = samples.ToArray();
        foreach (var region in Masks.Select(mask => mask.Region.ClipTo(Columns, Rows)!))
        {
            for (var y = region.Y; y < region.Bottom; y++)
            {
                for (var x = region.X; x < region.Right; x++)
                {
                    shape.Format.Black.CopyTo(result, ((y * Columns) + x) * shape.Format.SamplesPerPixel);
                }
            }
        }
        return result;
    }

    /// <summary>Decodes every shape and its masked result with others' decoders, all in a few calls.</summary>
    public sealed class Readings
    {
        public Readings()
        {
            var names = Shapes.Keys.ToList();
            var frames = names.ConvertAll(name => Shapes[name].MakeFrame());
            var originals = names.Select((name, i) => Shapes[name].Wrap(Shapes[name].Encode(frames[i]))).ToList();
            var masked = originals.ConvertAll(file => MaskerCalls.BurnMasks(file, Masks));
            List<byte[]> files = [.. originals, .. masked.Select((call, i) => call.Outcome is MaskOutcome.Masked ? call.Result : originals[i])];
            var byGdcm = Oracle.Decode(files);
            var byDcmtk = Oracle.Decode([.. files.Select((file, i) => NotForDcmtk.Contains(names[i % names.Count]) ? file : DecompressWithDcmtk(file))]);
            for (var i = 0; i < names.Count; i++)
            {
                Results[names[i]] = (frames[i], masked[i].Outcome, NotForDcmtk.Contains(names[i]) ? null : [byDcmtk[i], byDcmtk[i + names.Count]], [byGdcm[i], byGdcm[i + names.Count]]);
            }
        }

        public Dictionary<string, (int[] Samples, MaskOutcome Outcome, int[][]? ByDcmtk, int[][] ByGdcm)> Results { get; } = [];

        internal static byte[] DecompressWithDcmtk(byte[] file) => Oracle.InFolder(folder =>
        {
            var (source, target) = (Path.Combine(folder, "source.dcm"), Path.Combine(folder, "target.dcm"));
            File.WriteAllBytes(source, file);
            Oracle.Run("dcmdjpls", [source, target]);
            return File.ReadAllBytes(target);
        });
    }
}
