using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Reads the quantized coefficients of progressive frames (ISO/IEC 10918-1 G.2). No pixel is computed.</summary>
internal sealed class JpegProgressiveDecoder : IDisposable
{
    private readonly EntropyBits bits = new();
    private long position;
    private int endOfBandRun;

    /// <param name="bytes">The codestream.</param>
    /// <param name="structure">Its structure.</param>
    /// <param name="geometry">Where its blocks lie.</param>
    /// <param name="coefficients">All blocks of the frame.</param>
    public void Decode(ReadOnlySpan<byte> bytes, JpegCodestream structure, JpegBlockGeometry geometry, Span<short> coefficients)
    {
        JpegProgression.Check(structure);
        coefficients.Clear();
        foreach (var scan in structure.Scans)
        {
            DecodeScan(bytes[scan.Entropy], scan, geometry, coefficients);
        }
        for (var component = 0; component < structure.Header.Components.Count; component++)
        {
            var scans = structure.Scans.Where(scan => scan.Components.Any(part => part.Index == component)).ToList();
            if (scans.All(scan => scan.Components.Count == 1))
            {
                geometry.FillUncodedBlocks(scans[0], coefficients);
            }
        }
    }

    public void Dispose() => bits.Dispose();

    private void DecodeScan(ReadOnlySpan<byte> entropy, JpegScan scan, JpegBlockGeometry geometry, Span<short> coefficients)
    {
        var predictions = new int[scan.Components.Count];
        var (perRow, steps) = (geometry.StepsPerRow(scan), geometry.StepsPerRow(scan) * geometry.StepRows(scan));
        for (int step = 0, x = 0, y = 0; step < steps; step++)
        {
            if (step == 0 || (scan.RestartInterval > 0 && step % scan.RestartInterval == 0))
            {
                bits.LoadInterval(ref entropy, step == 0 ? 0 : step / scan.RestartInterval);
                (position, endOfBandRun) = (0, 0);
                Array.Clear(predictions);
            }
            for (var i = 0; i < predictions.Length; i++)
            {
                var (first, count) = JpegBlockDecoder.BlocksOf(scan, geometry, scan.Components[i].Index, x, y);
                for (var block = first; block < first + count; block++)
                {
                    bits.CheckEnd(position);
                    DecodeBlock(scan, scan.Components[i], ref predictions[i], coefficients.Slice(block * JpegBlockGeometry.BlockSize, JpegBlockGeometry.BlockSize));
                }
            }
            bits.CheckEnd(position);
            if (++x == perRow)
            {
                (x, y) = (0, y + 1);
            }
        }
    }

    private void DecodeBlock(JpegScan scan, JpegScanComponent part, ref int prediction, Span<short> block)
    {
        if (scan.SpectralStart > 0)
        {
            if (scan.ApproximationHigh == 0)
            {
                DecodeAcFirst(scan, part.Ac!.Lookup, block);
            }
            else
            {
                RefineAc(scan, part.Ac!.Lookup, block);
            }
        }
        else if (scan.ApproximationHigh == 0)
        {
            prediction += ReadDifference(part.Dc!.Lookup);
            block[0] = JpegBlockDecoder.ToDc(JpegBlockDecoder.ToDc(prediction) << scan.ApproximationLow);
        }
        else
        {
            block[0] |= (short)(ReadBits(1) << scan.ApproximationLow);
        }
    }

    private void DecodeAcFirst(JpegScan scan, HuffmanLookup lookup, Span<short> block)
    {
        if (endOfBandRun > 0)
        {
            endOfBandRun--;
            return;
        }
        for (var k = scan.SpectralStart; k <= scan.SpectralEnd; k++)
        {
            var symbol = ReadSymbol(lookup);
            var (run, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && run < 15)
            {
                endOfBandRun = ReadEndOfBandRun(run) - 1;
                return;
            }
            k += run;
            if (size == 0)
            {
                continue;
            }
            if (k > scan.SpectralEnd)
            {
                throw HuffmanLookup.WrongCode();
            }
            var value = ReadBits(size);
            value = value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
            block[k] = JpegBlockDecoder.ToDc(value << scan.ApproximationLow);
        }
    }

    private void RefineAc(JpegScan scan, HuffmanLookup lookup, Span<short> block)
    {
        var bit = (short)(1 << scan.ApproximationLow);
        var k = scan.SpectralStart;
        for (; k <= scan.SpectralEnd && endOfBandRun == 0; k++)
        {
            var symbol = ReadSymbol(lookup);
            var (run, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && run < 15)
            {
                endOfBandRun = ReadEndOfBandRun(run);
                break;
            }
            var added = size switch
            {
                0 => (short)0,
                1 => ReadBits(1) == 1 ? bit : (short)-bit,
                _ => throw HuffmanLookup.WrongCode(),
            };
            // Coefficients that are not 0 yet are skipped, and each takes a bit that corrects it.
            for (; k <= scan.SpectralEnd; k++)
            {
                if (block[k] != 0)
                {
                    Correct(ref block[k], bit);
                }
                else if (--run < 0)
                {
                    break;
                }
            }
            if (added != 0)
            {
                block[k <= scan.SpectralEnd ? k : throw HuffmanLookup.WrongCode()] = added;
            }
        }
        if (endOfBandRun > 0)
        {
            for (; k <= scan.SpectralEnd; k++)
            {
                if (block[k] != 0)
                {
                    Correct(ref block[k], bit);
                }
            }
            endOfBandRun--;
        }
    }

    private void Correct(ref short coefficient, short bit)
    {
        if (ReadBits(1) == 1)
        {
            coefficient += coefficient > 0 ? bit : (short)-bit;
        }
    }

    private int ReadEndOfBandRun(int size) => (1 << size) + ReadBits(size);

    private int ReadDifference(HuffmanLookup lookup)
    {
        var entry = lookup.Peek(bits.Window(position));
        position += (byte)entry;
        return (entry & 0xF000) == 0 ? entry >> 16 : throw HuffmanLookup.WrongCode();
    }

    /// <summary>Reads a symbol, without its additional bits.</summary>
    private int ReadSymbol(HuffmanLookup lookup)
    {
        var entry = lookup.Peek(bits.Window(position));
        var symbol = (entry >> 8) & 0xFF;
        position += (byte)entry - (symbol & 15);
        return symbol;
    }

    private int ReadBits(int count)
    {
        if (count == 0)
        {
            return 0;
        }
        var value = (int)(bits.Window(position) >> (64 - count));
        position += count;
        return value;
    }
}
