using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Makes MCUs of a sequential frame black without decoding a pixel. The bits of all other blocks are copied; of the first block after a black one only
/// the DC difference is written anew. Where a Huffman table has no code for what must be written, one is added behind its longest.
/// </summary>
internal sealed class JpegBlockEditor : IDisposable
{
    private readonly JpegCodestream structure;
    private readonly JpegBlockGeometry geometry;
    private readonly IReadOnlyList<short> black;
    private readonly bool[] isMasked;
    private readonly Dictionary<JpegHuffmanDefinition, HuffmanTable> extended = [];
    private readonly Dictionary<JpegHuffmanDefinition, HashSet<byte>> missing = [];
    private readonly EntropyBits bits = new();
    private readonly BitWriter writer = new();
    private long copied;

    /// <param name="structure">Of the original.</param>
    /// <param name="geometry">Where its blocks lie.</param>
    /// <param name="black">DC coefficient of a black block, one a component.</param>
    /// <param name="isMasked">MCU by MCU.</param>
    public JpegBlockEditor(JpegCodestream structure, JpegBlockGeometry geometry, IReadOnlyList<short> black, bool[] isMasked)
    {
        JpegBlockDecoder.CheckScans(structure);
        (this.structure, this.geometry, this.black, this.isMasked) = (structure, geometry, black, isMasked);
    }

    public void Write(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        WriteFrame(bytes, result);
        if (missing.Count == 0)
        {
            return;
        }
        foreach (var (definition, symbols) in missing)
        {
            extended[definition] = definition.Table.Extend(symbols)
                ?? throw new UnsupportedInstanceException("A Huffman table of the JPEG frames has no room for the codes that black blocks need.");
        }
        missing.Clear();
        result.SetLength(0);
        WriteFrame(bytes, result);
    }

    public void Dispose()
    {
        bits.Dispose();
        writer.Dispose();
    }

    private void WriteFrame(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        JpegSegments.WriteStart(result);
        var nextScan = 0;
        foreach (var (i, segment) in structure.Segments.Index())
        {
            JpegSegments.Copy(bytes[segment.Segment], structure.HuffmanDefinitions.Where(definition => definition.Segment == i), extended, result);
            if (segment.Marker == JpegMarker.StartOfScan)
            {
                var scan = structure.Scans[nextScan++];
                WriteScan(bytes[scan.Entropy], scan, result);
            }
        }
        JpegSegments.WriteEnd(result);
    }

    private void WriteScan(ReadOnlySpan<byte> entropy, JpegScan scan, MemoryStream result)
    {
        var steps = geometry.StepsPerRow(scan) * geometry.StepRows(scan);
        var interval = scan.RestartInterval > 0 ? scan.RestartInterval : steps;
        for (var start = 0; start < steps; start += interval)
        {
            if (start > 0)
            {
                entropy = RestartMarkers.Skip(entropy, (start / interval) - 1);
                RestartMarkers.Write(result, (start / interval) - 1);
            }
            var read = bits.Load(entropy);
            if (WriteInterval(scan, start, Math.Min(start + interval, steps)))
            {
                writer.Flush(result);
            }
            else
            {
                result.Write(entropy[..read]);
            }
            entropy = entropy[read..];
        }
    }

    /// <returns>Whether anything in the interval is masked, so that the writer holds its bits.</returns>
    private bool WriteInterval(JpegScan scan, int start, int end)
    {
        var perRow = geometry.StepsPerRow(scan);
        var isTouched = false;
        for (var step = start; step < end && !isTouched; step++)
        {
            isTouched = isMasked[geometry.McuOfStep(scan, step % perRow, step / perRow)];
        }
        if (!isTouched)
        {
            return false;
        }
        Span<int> read = stackalloc int[scan.Components.Count];
        Span<int> written = stackalloc int[scan.Components.Count];
        read.Clear();
        written.Clear();
        long position = 0;
        copied = 0;
        for (int step = start, x = start % perRow, y = start / perRow; step < end; step++)
        {
            if (isMasked[geometry.McuOfStep(scan, x, y)])
            {
                writer.Copy(bits, copied, position);
                WriteBlackStep(scan, read, written, ref position);
                copied = position;
            }
            else
            {
                CopyStep(scan, read, written, ref position);
            }
            bits.CheckEnd(position);
            if (++x == perRow)
            {
                (x, y) = (0, y + 1);
            }
        }
        writer.Copy(bits, copied, position);
        return true;
    }

    private void WriteBlackStep(JpegScan scan, Span<int> read, Span<int> written, ref long position)
    {
        Span<short> ignored = stackalloc short[JpegBlockGeometry.BlockSize];
        for (var i = 0; i < scan.Components.Count; i++)
        {
            var part = scan.Components[i];
            for (var count = BlocksPerStep(scan, part.Index); count > 0; count--)
            {
                read[i] += JpegBlockDecoder.DecodeDc(bits, ref position, part.Dc!.Table);
                JpegBlockDecoder.DecodeAc(bits, ref position, part.Ac!.Table, ignored);
                writer.Reserve(64);
                WriteDc(part.Dc!, black[part.Index] - written[i]);
                WriteSymbol(part.Ac!, 0, 0, 0); // End of block.
                written[i] = black[part.Index];
            }
        }
    }

    /// <summary>Leaves the step to be copied, but for DC differences to a block that is another one now.</summary>
    private void CopyStep(JpegScan scan, Span<int> read, Span<int> written, ref long position)
    {
        Span<short> ignored = stackalloc short[JpegBlockGeometry.BlockSize];
        for (var i = 0; i < scan.Components.Count; i++)
        {
            var part = scan.Components[i];
            for (var count = BlocksPerStep(scan, part.Index); count > 0; count--)
            {
                var start = position;
                var isStale = read[i] != written[i];
                read[i] = JpegBlockDecoder.ToDc(read[i] + JpegBlockDecoder.DecodeDc(bits, ref position, part.Dc!.Table));
                if (isStale)
                {
                    writer.Copy(bits, copied, start);
                    writer.Reserve(32);
                    WriteDc(part.Dc!, read[i] - written[i]);
                    copied = position;
                }
                written[i] = read[i];
                JpegBlockDecoder.DecodeAc(bits, ref position, part.Ac!.Table, ignored);
            }
        }
    }

    private int BlocksPerStep(JpegScan scan, int component) =>
        scan.Components.Count == 1 ? 1 : geometry[component].Horizontal * geometry[component].Vertical;

    private void WriteDc(JpegHuffmanDefinition definition, int difference)
    {
        var size = HuffmanTable.Category(difference);
        if (size > 15)
        {
            throw new UnsupportedInstanceException("A DC coefficient of the JPEG frames is too far from black to be coded.");
        }
        WriteSymbol(definition, (byte)size, (uint)HuffmanTable.AdditionalBits(difference, size), size);
    }

    private void WriteSymbol(JpegHuffmanDefinition definition, byte symbol, uint additional, int count)
    {
        var code = TableOf(definition).Code(symbol);
        if (code == 0)
        {
            if (!missing.TryGetValue(definition, out var symbols))
            {
                missing[definition] = symbols = [];
            }
            symbols.Add(symbol);
            return;
        }
        writer.Write(((uint)(code >> 8) << count) | additional, (code & 0xFF) + count);
    }

    private HuffmanTable TableOf(JpegHuffmanDefinition definition) => extended.GetValueOrDefault(definition, definition.Table);
}
