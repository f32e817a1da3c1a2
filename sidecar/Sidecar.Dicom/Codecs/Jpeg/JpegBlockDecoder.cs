using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Reads the quantized coefficients of sequential frames, 8 or 12 bits (ISO/IEC 10918-1 F.2.2). No pixel is computed.</summary>
internal static class JpegBlockDecoder
{
    /// <param name="bytes">The codestream.</param>
    /// <param name="structure">Its structure.</param>
    /// <param name="geometry">Where its blocks lie.</param>
    /// <param name="coefficients">All blocks of the frame.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, JpegCodestream structure, JpegBlockGeometry geometry, Span<short> coefficients)
    {
        coefficients.Clear();
        CheckScans(structure);
        using var bits = new EntropyBits();
        foreach (var scan in structure.Scans)
        {
            DecodeScan(bytes[scan.Entropy], scan, geometry, bits, coefficients);
            geometry.FillUncodedBlocks(scan, coefficients);
        }
    }

    /// <summary>Each component in one scan, its tables there.</summary>
    public static void CheckScans(JpegCodestream structure)
    {
        var indices = structure.Scans.SelectMany(scan => scan.Components.Select(component => component.Index)).Order();
        if (!indices.SequenceEqual(Enumerable.Range(0, structure.Header.Components.Count)))
        {
            throw new DicomFormatException("A JPEG frame is damaged: a component is missing or comes twice.");
        }
        if (structure.Scans.Any(scan => scan.Components.Any(component => component.Dc is null || component.Ac is null)))
        {
            throw new DicomFormatException("A JPEG frame is damaged: a Huffman table is missing.");
        }
    }

    private static void DecodeScan(ReadOnlySpan<byte> entropy, JpegScan scan, JpegBlockGeometry geometry, EntropyBits bits, Span<short> coefficients)
    {
        var predictions = new int[scan.Components.Count];
        var (perRow, steps) = (geometry.StepsPerRow(scan), geometry.StepsPerRow(scan) * geometry.StepRows(scan));
        long position = 0;
        for (int step = 0, x = 0, y = 0; step < steps; step++)
        {
            if (step == 0 || (scan.RestartInterval > 0 && step % scan.RestartInterval == 0))
            {
                entropy = step == 0 ? entropy : RestartMarkers.Skip(entropy, (step / scan.RestartInterval) - 1);
                entropy = entropy[bits.Load(entropy)..];
                position = 0;
                Array.Clear(predictions);
            }
            for (var i = 0; i < predictions.Length; i++)
            {
                var part = scan.Components[i];
                var (first, count) = BlocksOf(scan, geometry, part.Index, x, y);
                for (var block = first; block < first + count; block++)
                {
                    var target = coefficients.Slice(block * JpegBlockGeometry.BlockSize, JpegBlockGeometry.BlockSize);
                    predictions[i] += DecodeDc(bits, ref position, part.Dc!.Table);
                    target[0] = ToDc(predictions[i]);
                    DecodeAc(bits, ref position, part.Ac!.Table, target);
                }
            }
            bits.CheckEnd(position);
            if (++x == perRow)
            {
                (x, y) = (0, y + 1);
            }
        }
    }

    /// <summary>The blocks of a component in a step of a scan.</summary>
    public static (int First, int Count) BlocksOf(JpegScan scan, JpegBlockGeometry geometry, int component, int x, int y) =>
        scan.Components.Count == 1
            ? (geometry.BlockAt(component, x, y), 1)
            : (geometry.FirstBlock((y * geometry.McusPerRow) + x, component), geometry[component].Horizontal * geometry[component].Vertical);

    public static short ToDc(int value) => value is >= short.MinValue and <= short.MaxValue
        ? (short)value
        : throw new DicomFormatException("A JPEG frame is damaged: a coefficient is too large.");

    /// <summary>The difference of a DC coefficient to the one before.</summary>
    public static int DecodeDc(EntropyBits bits, ref long position, HuffmanTable table)
    {
        // One block at most is read between two checks, and that is what the slack is for.
        bits.CheckEnd(position);
        var window = bits.Window(position);
        var entry = table.Peek(window);
        if (entry == 0)
        {
            entry = DecodeLong(table, window);
        }
        position += entry & 0xFF;
        return (entry & 0xF00) == 0 ? entry >> 16 : throw WrongCode();
    }

    /// <summary>The other coefficients of a block, which is 0 where it has none; in zigzag order.</summary>
    public static void DecodeAc(EntropyBits bits, ref long position, HuffmanTable table, Span<short> block)
    {
        ulong window = 0;
        var left = 0;
        for (var k = 1; k < JpegBlockGeometry.BlockSize;)
        {
            if (left < 32)
            {
                window = bits.Window(position);
                left = 57;
            }
            var entry = table.Peek(window);
            if (entry == 0)
            {
                entry = DecodeLong(table, window);
            }
            var used = entry & 0xFF;
            window <<= used;
            left -= used;
            position += used;
            var run = (entry >> 8) & 15;
            var value = entry >> 16;
            if (value == 0)
            {
                if (run != 15)
                {
                    if (run != 0)
                    {
                        throw WrongCode();
                    }
                    return;
                }
                k += 16;
                continue;
            }
            k += run;
            if (k >= JpegBlockGeometry.BlockSize)
            {
                throw WrongCode();
            }
            block[k++] = (short)value;
        }
    }

    private static int DecodeLong(HuffmanTable table, ulong window)
    {
        var entry = table.PeekLong(window);
        // A value of 16 bits is the lossless process's own.
        return entry != 0 && (int)entry >> 16 != short.MinValue ? (int)entry : throw WrongCode();
    }

    private static DicomFormatException WrongCode() => new("A JPEG frame is damaged: it holds bits that are no code of its Huffman table.");
}
