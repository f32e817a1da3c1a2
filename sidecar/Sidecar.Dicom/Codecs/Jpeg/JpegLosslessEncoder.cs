using System.Buffers;
using System.Runtime.InteropServices;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Codes the samples of a frame anew in the structure of its original: same predictor, point transform, scans and restarts, best Huffman tables.</summary>
internal static class JpegLosslessEncoder
{
    /// <param name="bytes">The original codestream.</param>
    /// <param name="codestream">Its structure.</param>
    /// <param name="frame">Samples pixel by pixel, little endian.</param>
    /// <param name="sampleBytes">1 or 2.</param>
    /// <param name="result">The new codestream is written here.</param>
    public static void Encode(ReadOnlySpan<byte> bytes, JpegCodestream codestream, ReadOnlySpan<byte> frame, int sampleBytes, Stream result)
    {
        using var writer = new BitWriter();
        var scans = JpegLosslessScan.ReadAll(codestream);
        var next = 0;
        JpegSegments.WriteStart(result);
        for (var i = 0; i < codestream.Segments.Count; i++)
        {
            var segment = codestream.Segments[i];
            if (segment.Marker == JpegMarker.DefineHuffmanTables)
            {
                continue;
            }
            if (segment.Marker != JpegMarker.StartOfScan)
            {
                JpegSegments.Copy(bytes[segment.Segment], result);
                continue;
            }
            var scan = scans[next++];
            var rows = new RowSource(scan, codestream.Header.Components.Count, sampleBytes);
            var tables = BuildTables(rows, frame);
            foreach (var selector in scan.Scan.Components.Select(component => component.Dc!.Selector).Distinct())
            {
                JpegSegments.WriteHuffmanTable(selector, tables[selector], result);
            }
            JpegSegments.Copy(bytes[segment.Segment], result);
            WriteScan(rows, frame, tables, writer, result);
        }
        JpegSegments.WriteEnd(result);
    }

    private static Dictionary<byte, HuffmanTable> BuildTables(RowSource rows, ReadOnlySpan<byte> frame)
    {
        var scan = rows.Scan;
        var frequencies = new long[scan.Components * JpegLosslessRowWriter.Categories];
        var rented = ArrayPool<ushort>.Shared.Rent(3 * rows.Width);
        var row = rented.AsSpan(0, rows.Width);
        var above = rented.AsSpan(rows.Width, rows.Width);
        var differences = rented.AsSpan(2 * rows.Width, rows.Width);
        for (var y = 0; y < scan.Rows; y++)
        {
            rows.Read(frame, y, row);
            JpegLosslessPredictor.Difference(row, rows.IsStart(y) ? default : above, scan.Components, scan.Predictor, scan.Initial, differences);
            Count(differences, scan.Components, frequencies);
            var swap = above;
            above = row;
            row = swap;
        }
        ArrayPool<ushort>.Shared.Return(rented);
        var bySelector = new Dictionary<byte, long[]>();
        for (var i = 0; i < scan.Components; i++)
        {
            var selector = scan.Scan.Components[i].Dc!.Selector;
            var sum = bySelector.TryGetValue(selector, out var known) ? known : bySelector[selector] = new long[JpegLosslessRowWriter.Categories];
            for (var category = 0; category < JpegLosslessRowWriter.Categories; category++)
            {
                sum[category] += frequencies[(i * JpegLosslessRowWriter.Categories) + category];
            }
        }
        return bySelector.ToDictionary(entry => entry.Key, entry => HuffmanTable.Build(entry.Value));
    }

    private static void Count(ReadOnlySpan<ushort> differences, int step, Span<long> frequencies)
    {
        if (step == 1)
        {
            // Neighbours are often of one category: counted in turn in two places, they do not wait for each other.
            Span<int> counts = stackalloc int[2 * 32];
            counts.Clear();
            for (var i = 0; i < differences.Length; i++)
            {
                counts[((i & 1) << 5) + HuffmanTable.Category((short)differences[i])]++;
            }
            for (var category = 0; category < JpegLosslessRowWriter.Categories; category++)
            {
                frequencies[category] += counts[category] + counts[32 + category];
            }
            return;
        }
        for (int i = 0, component = 0; i < differences.Length; i++)
        {
            frequencies[(component * JpegLosslessRowWriter.Categories) + HuffmanTable.Category((short)differences[i])]++;
            component = component + 1 == step ? 0 : component + 1;
        }
    }

    private static void WriteScan(
        RowSource rows, ReadOnlySpan<byte> frame, Dictionary<byte, HuffmanTable> tables, BitWriter writer, Stream result)
    {
        var scan = rows.Scan;
        var rowWriter = new JpegLosslessRowWriter(scan, [.. scan.Scan.Components.Select(component => tables[component.Dc!.Selector])], writer);
        var rented = ArrayPool<ushort>.Shared.Rent(3 * rows.Width);
        var row = rented.AsSpan(0, rows.Width);
        var above = rented.AsSpan(rows.Width, rows.Width);
        var differences = rented.AsSpan(2 * rows.Width, rows.Width);
        for (var y = 0; y < scan.Rows; y++)
        {
            if (y > 0 && rows.IsStart(y))
            {
                writer.Flush(result);
                RestartMarkers.Write(result, (y / scan.RestartRows) - 1);
            }
            rows.Read(frame, y, row);
            JpegLosslessPredictor.Difference(row, rows.IsStart(y) ? default : above, scan.Components, scan.Predictor, scan.Initial, differences);
            rowWriter.Write(differences);
            var swap = above;
            above = row;
            row = swap;
        }
        writer.Flush(result);
        ArrayPool<ushort>.Shared.Return(rented);
    }

    /// <summary>Reads rows of a scan's samples out of a frame.</summary>
    private readonly record struct RowSource(JpegLosslessScan Scan, int FrameComponents, int SampleBytes)
    {
        public int Width => Scan.Columns * Scan.Components;

        public bool IsStart(int y) => y == 0 || (Scan.RestartRows > 0 && y % Scan.RestartRows == 0);

        public void Read(ReadOnlySpan<byte> frame, int y, Span<ushort> row)
        {
            var rowBytes = Scan.Columns * FrameComponents * SampleBytes;
            var source = frame.Slice(y * rowBytes, rowBytes);
            if (SampleBytes == 2 && FrameComponents == Scan.Components && Scan.PointTransform == 0 && BitConverter.IsLittleEndian)
            {
                source.CopyTo(MemoryMarshal.AsBytes(row));
                return;
            }
            var target = 0;
            for (var x = 0; x < Scan.Columns; x++)
            {
                foreach (var component in Scan.Scan.Components)
                {
                    var from = ((x * FrameComponents) + component.Index) * SampleBytes;
                    var sample = SampleBytes == 2 ? source[from] | (source[from + 1] << 8) : source[from];
                    row[target++] = (ushort)(sample >> Scan.PointTransform);
                }
            }
        }
    }
}
