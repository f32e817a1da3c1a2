using Sidecar.Dicom.Codecs.Jpeg;
using Sidecar.TestData;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>Which colours a codestream says its components are.</summary>
internal enum JpegColours
{
    Grey,
    Jfif,
    AdobeRgb,
    NamedRgb,
    UnnamedRgb,
}

/// <summary>A scan to be written: components, first and last coefficient, high and low bit.</summary>
internal sealed record ScanPlan(int[] Components, int Start = 0, int End = 63, int High = 0, int Low = 0);

/// <summary>A lossy JPEG frame of known coefficients, in any arrangement that the standard has and encoders at hand do not write.</summary>
internal sealed record JpegFixture
{
    public const int Columns = 53;
    public const int Rows = 37;
    public const int DcQuantizer = 6;

    /// <summary>Sampling factors, horizontal and vertical, one pair a component.</summary>
    public (int Horizontal, int Vertical)[] Sampling { get; init; } = [(1, 1)];

    public JpegColours Colours { get; init; } = JpegColours.Grey;

    public int Precision { get; init; } = 8;

    public bool IsInverted { get; init; }

    public bool IsProgressive { get; init; }

    public int RestartInterval { get; init; }

    public ScanPlan[]? Scans { get; init; }

    /// <summary>Tables with a code for every symbol, as most encoders write; else with those only that the frame needs.</summary>
    public bool HasFullTables { get; init; } = true;

    /// <summary>Full tables with codes of up to 16 bits.</summary>
    public bool HasLongCodes { get; init; }

    public PixelFormat Format => Sampling.Length == 1
        ? PixelFormat.Grey(Columns, Rows, Precision, inverted: IsInverted)
        : PixelFormat.Colour(Columns, Rows, Colours == JpegColours.Jfif ? "YBR_FULL_422" : "RGB");

    private string Syntax => $"1.2.840.10008.1.2.4.{(IsProgressive ? 55 : Precision == 12 ? 51 : 50)}";

    /// <summary>The coefficients of the frame in the order of <see cref="Oracle.Coefficients"/>.</summary>
    public int[] Expected(short[] coefficients)
    {
        var geometry = new JpegBlockGeometry(Structure().Header);
        var expected = new List<int>();
        for (var component = 0; component < Sampling.Length; component++)
        {
            for (var y = 0; y < geometry.BlockRows(component); y++)
            {
                for (var x = 0; x < geometry.BlocksPerRow(component); x++)
                {
                    expected.AddRange(coefficients.AsSpan(geometry.BlockAt(component, x, y) * 64, 64).ToArray().Select(value => (int)value));
                }
            }
        }
        return [.. expected];
    }

    /// <summary>The coefficients with the MCUs of a region black: DC as given, nothing else.</summary>
    public short[] Blacken(short[] coefficients, Sidecar.Dicom.Pixels.Region region, int[] black)
    {
        var geometry = new JpegBlockGeometry(Structure().Header);
        var result = coefficients.ToArray();
        for (var component = 0; component < Sampling.Length; component++)
        {
            var (horizontal, vertical) = (geometry[component].Horizontal, geometry[component].Vertical);
            for (var y = region.Y / geometry.McuHeight * vertical; y < (region.Bottom + geometry.McuHeight - 1) / geometry.McuHeight * vertical; y++)
            {
                for (var x = region.X / geometry.McuWidth * horizontal; x < (region.Right + geometry.McuWidth - 1) / geometry.McuWidth * horizontal; x++)
                {
                    var block = result.AsSpan(geometry.BlockAt(component, x, y) * 64, 64);
                    block.Clear();
                    block[0] = (short)black[component];
                }
            }
        }
        return result;
    }

    /// <summary>A wandering DC, few and small other coefficients, some blocks with none, some full; the same in each run.</summary>
    public short[] MakeCoefficients()
    {
        var geometry = new JpegBlockGeometry(Structure().Header);
        var coefficients = new short[geometry.McusPerRow * geometry.McuRows * geometry.BlocksPerMcu * 64];
        var random = new Random(7);
        var scale = Precision == 12 ? 16 : 1;
        for (var block = 0; block < coefficients.Length; block += 64)
        {
            coefficients[block] = (short)(random.Next(-60, 61) * scale);
            var count = random.Next(10) switch { 0 => 0, 1 => 63, _ => random.Next(1, 12) };
            for (var i = 0; i < count; i++)
            {
                coefficients[block + random.Next(1, 64)] = (short)(random.Next(-9, 10) * random.Next(1, scale + 1) / (1 + random.Next(4)));
            }
        }
        return coefficients;
    }

    public byte[] Encode(short[] coefficients)
    {
        var header = Header();
        var structure = JpegCodestream.ReadUnchecked(header);
        var geometry = new JpegBlockGeometry(structure.Header);
        using var result = new MemoryStream();
        if (IsProgressive)
        {
            using var encoder = new JpegProgressiveEncoder(structure, geometry);
            encoder.Write(header, coefficients, result);
        }
        else
        {
            new SequentialEncoder(structure, geometry, coefficients, HasFullTables, HasLongCodes).Write(header, result);
        }
        return result.ToArray();
    }

    public byte[] Wrap(byte[] codestream) => new InstanceBuilder().Image(Format).Encapsulate(Syntax, [[codestream]]).Build();

    private JpegCodestream Structure() => JpegCodestream.ReadUnchecked(Header());

    private byte[] Header()
    {
        var components = Enumerable.Range(0, Sampling.Length).ToArray();
        var ids = Colours switch
        {
            JpegColours.NamedRgb => "RGB"u8.ToArray(),
            JpegColours.UnnamedRgb => [0, 1, 2],
            _ => [1, 2, 3],
        };
        var bytes = new List<byte> { 0xFF, 0xD8 };
        if (Colours == JpegColours.Jfif)
        {
            bytes.AddRange([0xFF, 0xE0, 0, 16, .. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        }
        if (Colours == JpegColours.AdobeRgb)
        {
            bytes.AddRange([0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]);
        }
        bytes.AddRange([0xFF, 0xFE, 0, 7, .. "Kept."u8, 0xFF, 0xDB, 0, 67, 0, DcQuantizer, .. Enumerable.Repeat((byte)3, 63)]);
        bytes.AddRange([0xFF, (byte)(IsProgressive ? 0xC2 : Precision == 12 ? 0xC1 : 0xC0), 0, (byte)(8 + (3 * components.Length)), (byte)Precision]);
        bytes.AddRange([0, Rows, 0, Columns, (byte)components.Length]);
        bytes.AddRange(components.SelectMany(i => new byte[] { ids[i], (byte)((Sampling[i].Horizontal << 4) | Sampling[i].Vertical), 0 }));
        bytes.AddRange([0xFF, 0xDD, 0, 4, 0, (byte)RestartInterval]);
        foreach (var scan in Scans ?? [new ScanPlan(components)])
        {
            foreach (var selector in new byte[] { 0, 1, 0x10, 0x11 })
            {
                bytes.AddRange([0xFF, 0xC4, 0, 20, selector, 1, .. new byte[15], 0]);
            }
            bytes.AddRange([0xFF, 0xDA, 0, (byte)(6 + (2 * scan.Components.Length)), (byte)scan.Components.Length]);
            bytes.AddRange(scan.Components.SelectMany(i => new byte[] { ids[i], (byte)(i == 0 ? 0 : 0x11) }));
            bytes.AddRange([(byte)scan.Start, (byte)scan.End, (byte)((scan.High << 4) | scan.Low)]);
        }
        return [.. bytes, 0xFF, 0xD9];
    }

    /// <summary>Plain Huffman coding of whole blocks (ISO/IEC 10918-1 F.1.2).</summary>
    private sealed class SequentialEncoder(
        JpegCodestream structure, JpegBlockGeometry geometry, short[] coefficients, bool hasFullTables, bool hasLongCodes)
    {
        private readonly List<(JpegHuffmanDefinition Definition, int Symbol, uint Additional, int Count)> symbols = [];

        public void Write(byte[] header, MemoryStream result)
        {
            var next = 0;
            JpegSegments.WriteStart(result);
            foreach (var segment in structure.Segments)
            {
                if (segment.Marker == JpegMarker.DefineHuffmanTables)
                {
                    continue;
                }
                if (segment.Marker != JpegMarker.StartOfScan)
                {
                    result.Write(header.AsSpan(segment.Segment));
                    continue;
                }
                WriteScan(structure.Scans[next++], header.AsSpan(segment.Segment), result);
            }
            JpegSegments.WriteEnd(result);
        }

        private void WriteScan(JpegScan scan, ReadOnlySpan<byte> scanHeader, MemoryStream result)
        {
            var intervals = CollectSymbols(scan);
            var tables = intervals.SelectMany(interval => interval).GroupBy(symbol => symbol.Definition).ToDictionary(group => group.Key, group =>
            {
                var counts = new long[256];
                foreach (var symbol in group)
                {
                    counts[symbol.Symbol]++;
                }
                return hasFullTables ? FullTable(group.Key.Selector >> 4 == 1, hasLongCodes) : HuffmanTable.Build(counts);
            });
            foreach (var (definition, table) in tables)
            {
                JpegSegments.WriteHuffmanTable(definition.Selector, table, result);
            }
            result.Write(scanHeader);
            using var writer = new BitWriter();
            foreach (var (i, interval) in intervals.Index())
            {
                if (i > 0)
                {
                    RestartMarkers.Write(result, i - 1);
                }
                foreach (var (definition, symbol, additional, count) in interval)
                {
                    var code = tables[definition].Code(symbol);
                    writer.Reserve(64);
                    writer.Write((uint)(code >> 8), code & 0xFF);
                    writer.Write(additional, count);
                }
                writer.Flush(result);
            }
        }

        private List<List<(JpegHuffmanDefinition Definition, int Symbol, uint Additional, int Count)>> CollectSymbols(JpegScan scan)
        {
            var intervals = new List<List<(JpegHuffmanDefinition, int, uint, int)>>();
            var perRow = geometry.StepsPerRow(scan);
            var predictions = new int[scan.Components.Count];
            for (var step = 0; step < perRow * geometry.StepRows(scan); step++)
            {
                if (step > 0 && scan.RestartInterval > 0 && step % scan.RestartInterval == 0)
                {
                    intervals.Add([.. symbols]);
                    symbols.Clear();
                    Array.Clear(predictions);
                }
                foreach (var (i, part) in scan.Components.Index())
                {
                    var (first, count) = JpegBlockDecoder.BlocksOf(scan, geometry, part.Index, step % perRow, step / perRow);
                    for (var block = first; block < first + count; block++)
                    {
                        AddBlock(part, coefficients.AsSpan(block * 64, 64), ref predictions[i]);
                    }
                }
            }
            intervals.Add([.. symbols]);
            symbols.Clear();
            return intervals;
        }

        private void AddBlock(JpegScanComponent part, ReadOnlySpan<short> block, ref int prediction)
        {
            Add(part.Dc!, 0, block[0] - prediction);
            prediction = block[0];
            var run = 0;
            for (var k = 1; k < 64; k++)
            {
                if (block[k] == 0)
                {
                    run++;
                    continue;
                }
                for (; run > 15; run -= 16)
                {
                    symbols.Add((part.Ac!, 0xF0, 0, 0));
                }
                Add(part.Ac!, run, block[k]);
                run = 0;
            }
            if (run > 0)
            {
                symbols.Add((part.Ac!, 0, 0, 0));
            }
        }

        private void Add(JpegHuffmanDefinition definition, int run, int value)
        {
            var size = HuffmanTable.Category(value);
            symbols.Add((definition, (run << 4) | size, (uint)HuffmanTable.AdditionalBits(value, size), size));
        }

        private static HuffmanTable FullTable(bool isAc, bool hasLongCodes)
        {
            var all = new long[256];
            foreach (var symbol in Enumerable.Range(0, 256).Where(symbol => isAc ? (symbol & 15) is > 0 and < 15 || symbol is 0 or 0xF0 : symbol < 16))
            {
                all[symbol] = hasLongCodes ? 1L << (symbol % 29) : 1;
            }
            return HuffmanTable.Build(all);
        }
    }
}
