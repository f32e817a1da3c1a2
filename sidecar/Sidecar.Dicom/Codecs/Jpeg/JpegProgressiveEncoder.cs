namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Writes the coefficients of a progressive frame anew, scan by scan as the original has them (ISO/IEC 10918-1 G.1). The first pass counts the symbols:
/// a Huffman table that lacks one is replaced by the best for what is written with it, the others stay.
/// </summary>
internal sealed class JpegProgressiveEncoder : IDisposable
{
    private const int MaxEndOfBandRun = 0x7FFF;

    /// <summary>Bits of corrections to keep back at most; blocks have up to 63.</summary>
    private const int MaxCorrections = 937;

    private readonly JpegCodestream structure;
    private readonly JpegBlockGeometry geometry;
    private readonly Dictionary<JpegHuffmanDefinition, long[]> frequencies = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<JpegHuffmanDefinition, HuffmanTable> replaced = new(ReferenceEqualityComparer.Instance);
    private readonly BitWriter writer = new();
    private readonly byte[] corrections = new byte[MaxCorrections + (2 * JpegBlockGeometry.BlockSize)];
    private int correctionCount;
    private int endOfBandRun;
    private bool isCounting;

    public JpegProgressiveEncoder(JpegCodestream structure, JpegBlockGeometry geometry) => (this.structure, this.geometry) = (structure, geometry);

    public void Write(ReadOnlySpan<byte> bytes, ReadOnlySpan<short> coefficients, MemoryStream result)
    {
        isCounting = true;
        foreach (var scan in structure.Scans)
        {
            WriteScan(scan, coefficients, Stream.Null);
        }
        isCounting = false;
        foreach (var (definition, counts) in frequencies)
        {
            if (counts.Index().Any(entry => entry.Item > 0 && !definition.Table.Contains(entry.Index)))
            {
                replaced[definition] = HuffmanTable.Build(counts);
            }
        }
        JpegSegments.WriteStart(result);
        var nextScan = 0;
        foreach (var segment in structure.Segments)
        {
            JpegSegments.Copy(bytes, segment, structure, replaced, result);
            if (segment.Marker == JpegMarker.StartOfScan)
            {
                WriteScan(structure.Scans[nextScan++], coefficients, result);
            }
        }
        JpegSegments.WriteEnd(result);
    }

    public void Dispose() => writer.Dispose();

    private void WriteScan(JpegScan scan, ReadOnlySpan<short> coefficients, Stream result)
    {
        var predictions = new int[scan.Components.Count];
        var (perRow, steps) = (geometry.StepsPerRow(scan), geometry.StepsPerRow(scan) * geometry.StepRows(scan));
        for (int step = 0, x = 0, y = 0; step < steps; step++)
        {
            if (step > 0 && scan.RestartInterval > 0 && step % scan.RestartInterval == 0)
            {
                EndInterval(scan, result);
                if (!isCounting)
                {
                    RestartMarkers.Write(result, (step / scan.RestartInterval) - 1);
                }
                Array.Clear(predictions);
            }
            for (var i = 0; i < predictions.Length; i++)
            {
                var (first, count) = JpegBlockDecoder.BlocksOf(scan, geometry, scan.Components[i].Index, x, y);
                for (var block = first; block < first + count; block++)
                {
                    // No block takes more than 64 symbols of 16 bits with 15 more each, and the corrections kept back.
                    writer.Reserve((64 * 31) + corrections.Length);
                    WriteBlock(scan, scan.Components[i], ref predictions[i], coefficients.Slice(block * JpegBlockGeometry.BlockSize, JpegBlockGeometry.BlockSize));
                }
            }
            if (++x == perRow)
            {
                (x, y) = (0, y + 1);
            }
        }
        EndInterval(scan, result);
    }

    private void EndInterval(JpegScan scan, Stream result)
    {
        if (scan.SpectralStart > 0)
        {
            writer.Reserve(64 + corrections.Length);
            WriteEndOfBandRun(scan.Components[0].Ac!);
        }
        if (!isCounting)
        {
            writer.Flush(result);
        }
    }

    private void WriteBlock(JpegScan scan, JpegScanComponent part, ref int prediction, ReadOnlySpan<short> block)
    {
        if (scan.SpectralStart > 0)
        {
            if (scan.ApproximationHigh == 0)
            {
                WriteAcFirst(scan, part.Ac!, block);
            }
            else
            {
                WriteAcRefinement(scan, part.Ac!, block);
            }
        }
        else if (scan.ApproximationHigh == 0)
        {
            var value = block[0] >> scan.ApproximationLow;
            var difference = value - prediction;
            var size = HuffmanTable.Category(difference);
            WriteSymbol(part.Dc!, size, (uint)HuffmanTable.AdditionalBits(difference, size), size);
            prediction = value;
        }
        else
        {
            WriteBits((uint)(block[0] >> scan.ApproximationLow) & 1, 1);
        }
    }

    private void WriteAcFirst(JpegScan scan, JpegHuffmanDefinition definition, ReadOnlySpan<short> block)
    {
        var run = 0;
        for (var k = scan.SpectralStart; k <= scan.SpectralEnd; k++)
        {
            var magnitude = Math.Abs((int)block[k]) >> scan.ApproximationLow;
            if (magnitude == 0)
            {
                run++;
                continue;
            }
            WriteEndOfBandRun(definition);
            for (; run > 15; run -= 16)
            {
                WriteSymbol(definition, 0xF0, 0, 0);
            }
            var size = HuffmanTable.Category(magnitude);
            WriteSymbol(definition, (run << 4) | size, (uint)HuffmanTable.AdditionalBits(block[k] < 0 ? -magnitude : magnitude, size), size);
            run = 0;
        }
        if (run > 0 && ++endOfBandRun == MaxEndOfBandRun)
        {
            WriteEndOfBandRun(definition);
        }
    }

    private void WriteAcRefinement(JpegScan scan, JpegHuffmanDefinition definition, ReadOnlySpan<short> block)
    {
        var last = scan.SpectralEnd; // The last coefficient that becomes other than 0 in this scan.
        while (last >= scan.SpectralStart && Math.Abs((int)block[last]) >> scan.ApproximationLow != 1)
        {
            last--;
        }
        var run = 0;
        var own = correctionCount; // Where the corrections of this block start; those before belong to the run.
        for (var k = scan.SpectralStart; k <= scan.SpectralEnd; k++)
        {
            var magnitude = Math.Abs((int)block[k]) >> scan.ApproximationLow;
            if (magnitude == 0)
            {
                run++;
                continue;
            }
            for (; run > 15 && k <= last; run -= 16)
            {
                own = WriteRunBefore(definition, own);
                WriteSymbol(definition, 0xF0, 0, 0);
                WriteCorrections(own);
            }
            if (magnitude > 1)
            {
                corrections[correctionCount++] = (byte)(magnitude & 1);
                continue;
            }
            own = WriteRunBefore(definition, own);
            WriteSymbol(definition, (run << 4) | 1, block[k] < 0 ? 0u : 1u, 1);
            WriteCorrections(own);
            run = 0;
        }
        if (run > 0 || correctionCount > own)
        {
            endOfBandRun++;
            if (endOfBandRun == MaxEndOfBandRun || correctionCount > MaxCorrections - JpegBlockGeometry.BlockSize)
            {
                WriteEndOfBandRun(definition);
            }
        }
    }

    /// <summary>Writes the run of the blocks before, its corrections included, and moves this block's to the front.</summary>
    /// <returns>Where this block's corrections start now.</returns>
    private int WriteRunBefore(JpegHuffmanDefinition definition, int own)
    {
        if (endOfBandRun == 0)
        {
            return own;
        }
        var mine = corrections.AsSpan(own, correctionCount - own).ToArray();
        correctionCount = own;
        WriteEndOfBandRun(definition);
        mine.CopyTo(corrections, 0);
        correctionCount = mine.Length;
        return 0;
    }

    private void WriteEndOfBandRun(JpegHuffmanDefinition definition)
    {
        if (endOfBandRun > 0)
        {
            var size = HuffmanTable.Category(endOfBandRun) - 1;
            WriteSymbol(definition, size << 4, (uint)endOfBandRun & ((1u << size) - 1), size);
            endOfBandRun = 0;
            WriteCorrections(0);
        }
    }

    private void WriteCorrections(int start)
    {
        for (var i = start; i < correctionCount; i++)
        {
            WriteBits(corrections[i], 1);
        }
        correctionCount = start;
    }

    private void WriteSymbol(JpegHuffmanDefinition definition, int symbol, uint additional, int count)
    {
        if (isCounting)
        {
            if (!frequencies.TryGetValue(definition, out var counts))
            {
                frequencies[definition] = counts = new long[256];
            }
            counts[symbol]++;
            return;
        }
        var code = replaced.GetValueOrDefault(definition, definition.Table).Code(symbol);
        writer.Write(((uint)(code >> 8) << count) | additional, (code & 0xFF) + count);
    }

    private void WriteBits(uint value, int count)
    {
        if (!isCounting)
        {
            writer.Write(value, count);
        }
    }
}
