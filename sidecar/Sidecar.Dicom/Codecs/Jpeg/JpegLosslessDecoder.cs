using System.Buffers;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Decodes frames of the lossless process: 2 to 16 bits, all predictors, interleaved or not.</summary>
internal static class JpegLosslessDecoder
{
    /// <param name="bytes">The codestream.</param>
    /// <param name="codestream">Its structure.</param>
    /// <param name="frame">Samples pixel by pixel, little endian.</param>
    /// <param name="sampleBytes">1 or 2.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, JpegCodestream codestream, Span<byte> frame, int sampleBytes)
    {
        using var bits = new EntropyBits();
        foreach (var scan in JpegLosslessScan.ReadAll(codestream))
        {
            DecodeScan(bytes[scan.Scan.Entropy], scan, codestream.Header.Components.Count, bits, frame, sampleBytes);
        }
    }

    private static void DecodeScan(
        ReadOnlySpan<byte> entropy, JpegLosslessScan scan, int frameComponents, EntropyBits bits, Span<byte> frame, int sampleBytes)
    {
        var width = scan.Columns * scan.Components;
        var rented = ArrayPool<ushort>.Shared.Rent(2 * width);
        var row = rented.AsSpan(0, width);
        var above = rented.AsSpan(width, width);
        HuffmanTable[] tables = [.. scan.Scan.Components.Select(component => component.Dc!.Table)];
        var isOneTable = tables.All(table => table == tables[0]);
        var rowBytes = scan.Columns * frameComponents * sampleBytes;
        long position = 0;
        for (var y = 0; y < scan.Rows; y++)
        {
            var isStart = y == 0 || (scan.RestartRows > 0 && y % scan.RestartRows == 0);
            if (isStart)
            {
                entropy = y == 0 ? entropy : RestartMarkers.Skip(entropy, (y / scan.RestartRows) - 1);
                entropy = entropy[bits.Load(entropy)..];
                position = 0;
            }
            position = isOneTable ? DecodeRow(bits, position, tables[0], row) : DecodeRow(bits, position, tables, row);
            JpegLosslessPredictor.Reconstruct(row, isStart ? default : above, scan.Components, scan.Predictor, scan.Initial);
            Store(row, scan, frameComponents, frame.Slice(y * rowBytes, rowBytes), sampleBytes);
            var swap = above;
            above = row;
            row = swap;
        }
        ArrayPool<ushort>.Shared.Return(rented);
    }

    /// <summary>Decodes the differences of a row whose components share one table.</summary>
    private static long DecodeRow(EntropyBits bits, long position, HuffmanTable table, Span<ushort> differences)
    {
        ulong window = 0;
        var left = 0;
        for (var i = 0; i < differences.Length; i++)
        {
            if (left < 32)
            {
                bits.CheckEnd(position);
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
            differences[i] = (ushort)(entry >> 16);
        }
        bits.CheckEnd(position);
        return position;
    }

    private static long DecodeRow(EntropyBits bits, long position, HuffmanTable[] tables, Span<ushort> differences)
    {
        for (int i = 0, component = 0; i < differences.Length; i++)
        {
            bits.CheckEnd(position);
            var window = bits.Window(position);
            var entry = tables[component].Peek(window);
            if (entry == 0)
            {
                entry = DecodeLong(tables[component], window);
            }
            position += entry & 0xFF;
            differences[i] = (ushort)(entry >> 16);
            component = component + 1 == tables.Length ? 0 : component + 1;
        }
        bits.CheckEnd(position);
        return position;
    }

    /// <summary>As <see cref="HuffmanTable.Peek"/>; the difference 32768 comes as -32768, which is the same modulo 65536.</summary>
    private static int DecodeLong(HuffmanTable table, ulong window)
    {
        var entry = table.PeekLong(window);
        return entry != 0 ? (int)entry : throw new DicomFormatException("A JPEG frame is damaged: it holds bits that are no code of its Huffman table.");
    }

    private static void Store(ReadOnlySpan<ushort> row, JpegLosslessScan scan, int frameComponents, Span<byte> target, int sampleBytes)
    {
        if (sampleBytes == 2 && frameComponents == scan.Components && scan.PointTransform == 0 && BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(row).CopyTo(target);
            return;
        }
        var source = 0;
        for (var x = 0; x < scan.Columns; x++)
        {
            foreach (var component in scan.Scan.Components)
            {
                var sample = row[source++] << scan.PointTransform;
                var to = ((x * frameComponents) + component.Index) * sampleBytes;
                if (sampleBytes == 2)
                {
                    target[to + 1] = (byte)(sample >> 8);
                }
                else if (sample > 0xFF)
                {
                    throw new DicomFormatException("A JPEG frame is damaged: a sample does not fit 8 bits.");
                }
                target[to] = (byte)sample;
            }
        }
    }
}
