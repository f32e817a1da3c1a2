using Sidecar.Dicom.Codecs.Jpeg;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>JPEG Lossless of every shape: what the encoder writes and what the masker leaves, as dcmtk and gdcm read it.</summary>
public sealed class JpegLosslessTests(JpegLosslessTests.Readings readings) : IClassFixture<JpegLosslessTests.Readings>
{
    private const string Process14 = "1.2.840.10008.1.2.4.57";
    private const int Columns = 23;
    private const int Rows = 12;

    private static readonly Mask[] Masks = [MaskerCalls.Mask(0, 0, 5, 2), MaskerCalls.Mask(9, 5, 6, 4), MaskerCalls.Mask(20, 11, 50, 50)];

    private static readonly Dictionary<string, Shape> Shapes = MakeShapes();

    /// <summary>One code of each length, none for category 12, which the edge of black in a flat picture of 12 bits needs.</summary>
    private static HuffmanTable FullTable => new([.. Enumerable.Repeat((byte)1, 16)], [.. Enumerable.Range(0, 17).Where(category => category != 12).Select(category => (byte)category)]);

    public static TheoryData<string> Names() => [.. Shapes.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_AnyShape_IsReadBackByDcmtkAndGdcm(string name)
    {
        var (expected, _, byDcmtk, byGdcm) = readings.Results[name];

        Assert.Equal(expected, byGdcm[0]);
        Assert.Equal(expected, byDcmtk[0]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_AnyShape_BlackInsideAndUntouchedOutside(string name)
    {
        var (samples, outcome, byDcmtk, byGdcm) = readings.Results[name];
        var expected = Blacken(samples, Shapes[name]);

        Assert.Equal(0, Assert.IsType<MaskOutcome.Masked>(outcome).Proof.ChangedOutside);
        Assert.Equal(expected, byGdcm[1]);
        Assert.Equal(expected, byDcmtk[1]);
    }

    [Fact]
    public void BurnMasks_TruncatedCodestream_SaysSo()
    {
        var shape = Shapes["12 bits, predictor 1"];
        var whole = shape.Encode(shape.MakeFrame());

        var reason = MaskerCalls.Refused(shape.Wrap(whole[..(whole.Length / 2)]), Masks);

        Assert.Equal("A JPEG frame is truncated: it ends before its last pixel.", reason);
    }

    [Fact]
    public void BurnMasks_CodestreamOfAnotherSize_SaysSo()
    {
        var shape = Shapes["12 bits, predictor 1"];
        var larger = shape with { Format = PixelFormat.Grey(60000, 60000, bitsStored: 12) };

        var reason = MaskerCalls.Refused(shape.Wrap(larger.Header()), Masks);

        Assert.Equal("A JPEG frame is 60000×60000 with 1 components, but the header says 23×12 with 1.", reason);
    }

    [Fact]
    public void BurnMasks_ThumbnailsInSegments_AreDropped()
    {
        var shape = Shapes["RGB, predictor 1"];
        var plain = shape.Encode(shape.MakeFrame());
        byte[] thumbnails = [0xFF, 0xE1, 0, 12, .. "Exif\0\0SECR"u8, 0xFF, 0xE0, 0, 20, .. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 1, 1, .. "SECR"u8, 0xFF, 0xFE, 0, 6, .. "KEPT"u8];

        var masked = MaskerCalls.Masked(shape.Wrap([.. plain[..2], .. thumbnails, .. plain[2..]]), Masks);

        Assert.Equal(-1, masked.AsSpan().IndexOf("SECR"u8));
        Assert.NotEqual(-1, masked.AsSpan().IndexOf("KEPT"u8));
    }

    [Fact]
    public void BurnMasks_TableWithoutTheCodes_IsExtendedOrReplaced()
    {
        var shape = Shapes["12 bits, a table with no room"];
        var roomy = shape with { Table = new HuffmanTable([0, 3, .. new byte[14]], [0, 1, 2]) };

        var replaced = MaskerCalls.Masked(shape.Wrap(shape.Encode(shape.MakeFrame())), Masks);
        var extended = MaskerCalls.Masked(roomy.Wrap(roomy.Encode(roomy.MakeFrame())), Masks);

        Assert.Equal(-1, replaced.AsSpan().IndexOf(shape.Table!.Counts));
        ReadOnlySpan<byte> table = [0, 3, 1];
        Assert.NotEqual(-1, extended.AsSpan().IndexOf(table));
    }

    private static Dictionary<string, Shape> MakeShapes()
    {
        var grey12 = PixelFormat.Grey(Columns, Rows, bitsStored: 12);
        var grey16 = PixelFormat.Grey(Columns, Rows, bitsStored: 16);
        var rgb = PixelFormat.Colour(Columns, Rows);
        var shapes = new Dictionary<string, Shape>
        {
            ["8 bits, predictor 1"] = new(PixelFormat.Grey(Columns, Rows), 8),
            ["2 of 8 bits"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 2), 2) { IsReadByGdcm = false },
            ["10 bits, inverted"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 10, inverted: true), 10),
            ["12 bits in 16, signed"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: true), 16),
            ["16 bits, signed"] = new(PixelFormat.Grey(Columns, Rows, bitsStored: 16, isSigned: true), 16),
            ["differences of 32768"] = new(grey16, 16) { MakeSample = (index, _) => index % 3 == 0 ? 32768 : index % 7 == 0 ? 65535 : 0 },
            ["16 bits, flat"] = new(grey16, 16) { MakeSample = (_, _) => 4711 },
            ["16 bits, point transform 3"] = new(grey16, 16) { PointTransform = 3, MakeSample = (_, noise) => noise & ~7 },
            ["16 bits, restarts"] = new(grey16, 16) { RestartRows = 2 },
            ["16 bits, predictor 4, restarts"] = new(grey16, 16) { Predictor = 4, RestartRows = 1 },
            ["RGB, restarts"] = new(rgb, 8) { RestartRows = 1, Predictor = 6 },
            ["RGB, one scan a component"] = new(rgb, 8) { IsInterleaved = false, Predictor = 7 },
            ["RGB, one table"] = new(rgb, 8) { Tables = [0, 0, 0] },
            ["12 bits, a table with no room"] = new(grey12, 12) { MakeSample = (_, noise) => 2048 + (noise & 3), Table = FullTable },
            ["palette"] = new(PixelFormat.Indexed(Columns, Rows, Palette.Mixed()), 8),
        };
        for (var predictor = 1; predictor <= 7; predictor++)
        {
            shapes[$"12 bits, predictor {predictor}"] = new(grey12, 12) { Predictor = predictor };
            shapes[$"RGB, predictor {predictor}"] = new(rgb, 8) { Predictor = predictor };
        }
        return shapes;
    }

    private static int[] Blacken(int[] samples, Shape shape)
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

    /// <summary>A way to write a lossless frame.</summary>
    internal sealed record Shape(PixelFormat Format, int Precision)
    {
        public int Predictor { get; init; } = 1;

        public int PointTransform { get; init; }

        public int RestartRows { get; init; }

        public bool IsInterleaved { get; init; } = true;

        public byte[] Tables { get; init; } = [0, 1, 1];

        /// <summary>A table of codes for the one component; null for the best.</summary>
        public HuffmanTable? Table { get; init; }

        /// <summary>gdcm aborts on some that the standard allows; dcmtk judges those alone.</summary>
        public bool IsReadByGdcm { get; init; } = true;

        /// <summary>A sample from its index and noise.</summary>
        public Func<int, int, int> MakeSample { get; init; } = (_, noise) => noise;

        public int[] MakeFrame() => [.. SampleFrame.Noise(Format)[0].Samples.Select((noise, index) => MakeSample(index, noise))];

        /// <summary>All of a codestream but its entropy-coded bits.</summary>
        public byte[] Header()
        {
            var components = Enumerable.Range(0, Format.SamplesPerPixel).ToList();
            var bytes = new List<byte> { 0xFF, 0xD8, 0xFF, 0xC3, 0, (byte)(8 + (3 * components.Count)), (byte)Precision };
            bytes.AddRange([(byte)(Format.Rows >> 8), (byte)Format.Rows, (byte)(Format.Columns >> 8), (byte)Format.Columns, (byte)components.Count]);
            bytes.AddRange(components.SelectMany(component => new byte[] { (byte)(component + 1), 0x11, 0 }));
            foreach (var table in Tables.Take(components.Count).Distinct())
            {
                // 17 codes of 5 bits: the encoder puts better ones in their place.
                bytes.AddRange([0xFF, 0xC4, 0, 36, table, 0, 0, 0, 0, 17, .. new byte[11], .. Enumerable.Range(0, 17).Select(category => (byte)category)]);
            }
            var restartInterval = RestartRows * Format.Columns;
            bytes.AddRange([0xFF, 0xDD, 0, 4, (byte)(restartInterval >> 8), (byte)restartInterval]);
            foreach (var scan in IsInterleaved ? [components] : components.Select(component => new List<int> { component }))
            {
                bytes.AddRange([0xFF, 0xDA, 0, (byte)(6 + (2 * scan.Count)), (byte)scan.Count]);
                bytes.AddRange(scan.SelectMany(component => new byte[] { (byte)(component + 1), (byte)(Tables[component] << 4) }));
                bytes.AddRange([(byte)Predictor, 0, (byte)PointTransform]);
            }
            return [.. bytes, 0xFF, 0xD9];
        }

        public byte[] Encode(int[] samples)
        {
            if (Table is not null)
            {
                return EncodeWith(Table, samples);
            }
            var sampleBytes = Format.BitsAllocated / 8;
            var frame = samples.SelectMany(sample => BitConverter.GetBytes(sample)[..sampleBytes]).ToArray();
            var header = Header();
            using var result = new MemoryStream();
            JpegLosslessEncoder.Encode(header, JpegCodestream.ReadUnchecked(header), frame, sampleBytes, result);
            return result.ToArray();
        }

        /// <summary>Of one component, with no restarts.</summary>
        private byte[] EncodeWith(HuffmanTable table, int[] samples)
        {
            var header = Header();
            var structure = JpegCodestream.ReadUnchecked(header);
            var scan = JpegLosslessScan.ReadAll(structure)[0];
            using var result = new MemoryStream();
            JpegSegments.WriteStart(result);
            foreach (var segment in structure.Segments)
            {
                if (segment.Marker == JpegMarker.DefineHuffmanTables)
                {
                    JpegSegments.WriteHuffmanTable(0, table, result);
                    continue;
                }
                result.Write(header.AsSpan(segment.Segment));
            }
            using var writer = new BitWriter();
            var rows = new JpegLosslessRowWriter(scan, [table], writer);
            ushort[] above = [];
            foreach (var row in samples.Select(sample => (ushort)sample).Chunk(Format.Columns))
            {
                var differences = new ushort[row.Length];
                JpegLosslessPredictor.Difference(row, above, 1, Predictor, scan.Initial, differences);
                rows.Write(differences);
                above = row;
            }
            writer.Flush(result);
            JpegSegments.WriteEnd(result);
            return result.ToArray();
        }

        public byte[] Wrap(byte[] codestream) => new InstanceBuilder().Image(Format).Encapsulate(Process14, [[codestream]]).Build();
    }

    /// <summary>Decodes every shape and its masked result, all in two calls.</summary>
    public sealed class Readings
    {
        public Readings()
        {
            var names = Shapes.Keys.ToList();
            var frames = names.ConvertAll(name => Shapes[name].MakeFrame());
            var originals = names.Select((name, i) => Shapes[name].Wrap(Shapes[name].Encode(frames[i]))).ToList();
            var masked = originals.ConvertAll(file => MaskerCalls.BurnMasks(file, Masks));
            List<byte[]> files = [.. originals, .. masked.Select(call => call.Outcome is MaskOutcome.Masked ? call.Result : originals[0])];
            var native = Oracle.Decompress(files);
            var byDcmtk = Oracle.Decode(native);
            var byGdcm = Oracle.Decode([.. files.Select((file, i) => Shapes[names[i % names.Count]].IsReadByGdcm ? file : native[i])]);
            for (var i = 0; i < names.Count; i++)
            {
                Results[names[i]] = (frames[i], masked[i].Outcome, [byDcmtk[i], byDcmtk[i + names.Count]], [byGdcm[i], byGdcm[i + names.Count]]);
            }
        }

        public Dictionary<string, (int[] Samples, MaskOutcome Outcome, int[][] ByDcmtk, int[][] ByGdcm)> Results { get; } = [];
    }
}
