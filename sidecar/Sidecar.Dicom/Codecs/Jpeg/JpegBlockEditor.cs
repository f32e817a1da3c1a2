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
    private readonly JpegMissingCodes codes = new();
    private readonly JpegBlockReader reader = new();
    private readonly BitWriter writer = new();
    private long copied; // The bits of the interval before this one are written, or left out.

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
        if (!codes.AreMissing)
        {
            return;
        }
        if (!codes.TryExtend())
        {
            throw new UnsupportedInstanceException("A Huffman table of the JPEG frames has no room for the codes that black blocks need.");
        }
        result.SetLength(0);
        WriteFrame(bytes, result);
    }

    public void Dispose()
    {
        reader.Dispose();
        writer.Dispose();
    }

    private void WriteFrame(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        JpegSegments.WriteStart(result);
        var nextScan = 0;
        foreach (var segment in structure.Segments)
        {
            JpegSegments.Copy(bytes, segment, structure, codes.Extended, result);
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
        reader.StartScan(scan, geometry);
        var steps = geometry.MaskedSteps(scan, isMasked).AsSpan();
        var interval = scan.RestartInterval > 0 ? scan.RestartInterval : steps.Length;
        for (var start = 0; start < steps.Length; start += interval)
        {
            var unread = entropy;
            reader.StartInterval(ref entropy, start / interval);
            var ofInterval = steps[start..Math.Min(start + interval, steps.Length)];
            if (!ofInterval.Contains(true))
            {
                result.Write(unread[..(unread.Length - entropy.Length)]);
                continue;
            }
            if (start > 0)
            {
                RestartMarkers.Write(result, (start / interval) - 1);
            }
            WriteInterval(scan, ofInterval);
            writer.Flush(result);
        }
    }

    /// <param name="scan">The scan.</param>
    /// <param name="steps">Which of the interval's steps are masked.</param>
    private void WriteInterval(JpegScan scan, ReadOnlySpan<bool> steps)
    {
        Span<int> written = stackalloc int[scan.Components.Count]; // As reader.Predictions, of what is written.
        written.Clear();
        copied = 0;
        for (int count; steps.Length > 0; steps = steps[count..])
        {
            var isBlack = steps[0];
            count = steps.IndexOf(!isBlack) is > 0 and var first ? first : steps.Length;
            if (isBlack)
            {
                writer.Copy(reader.Bits, copied, reader.Position);
                reader.Skip(count * reader.BlocksPerStep);
                copied = reader.Position;
                WriteBlackSteps(scan, count, written);
                continue;
            }
            CopyStep(scan, written);
            if (count == steps.Length && codes.AreMissing)
            {
                return; // All will be written again.
            }
            reader.Skip((count - 1) * reader.BlocksPerStep);
            reader.Predictions.CopyTo(written);
        }
        writer.Copy(reader.Bits, copied, reader.Position);
    }

    private void WriteBlackSteps(JpegScan scan, int count, Span<int> written)
    {
        for (; count > 0; count--)
        {
            for (var i = 0; i < scan.Components.Count; i++)
            {
                var part = scan.Components[i];
                for (var blocks = geometry.BlocksPerStep(scan, part.Index); blocks > 0; blocks--)
                {
                    writer.Reserve(64);
                    WriteDc(part.Dc!, black[part.Index] - written[i]);
                    WriteSymbol(part.Ac!, 0, 0, 0); // End of block.
                    written[i] = black[part.Index];
                }
            }
        }
    }

    /// <summary>Leaves a step to be copied, but for DC differences to a block that is another one now.</summary>
    private void CopyStep(JpegScan scan, ReadOnlySpan<int> written)
    {
        for (var i = 0; i < scan.Components.Count; i++)
        {
            var part = scan.Components[i];
            var (start, isStale) = (reader.Position, reader.Predictions[i] != written[i]);
            var end = start + reader.PeekDcBits();
            reader.Skip(1);
            if (isStale)
            {
                writer.Copy(reader.Bits, copied, start);
                writer.Reserve(32);
                WriteDc(part.Dc!, reader.Predictions[i] - written[i]);
                copied = end;
            }
            reader.Skip(geometry.BlocksPerStep(scan, part.Index) - 1);
        }
    }

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
        var code = codes.Find(definition, symbol);
        writer.Write(((uint)(code >> 8) << count) | additional, (code & 0xFF) + count);
    }
}
