using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Samples of a frame that is coded in blocks (ISO/IEC 10918-1 A.3), to be looked at: within one of what other decoders make. Chrominance that several
/// pixels share is repeated, not smoothed. Masking never uses it.
/// </summary>
internal static class JpegPicture
{
    private const int Size = 8;

    private static readonly byte[] ZigZag =
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>The value of each basis function at the eight places of a line: row u, column x.</summary>
    private static readonly float[] Basis = [.. Enumerable.Range(0, Size * Size).Select(i =>
        (float)(Math.Cos(((2 * (i % Size)) + 1) * (i / Size) * Math.PI / 16) / 2 * (i / Size == 0 ? Math.Sqrt(0.5) : 1)))];

    /// <param name="bytes">The codestream.</param>
    /// <param name="structure">Its structure.</param>
    /// <param name="coefficients">All blocks of the frame, quantized, as <see cref="JpegBlockGeometry"/> has them.</param>
    /// <param name="samples">Gets one plane, colour-by-pixel, in bytes or little endian words.</param>
    /// <param name="sampleBytes">1 or 2.</param>
    /// <exception cref="DicomFormatException">A quantization table is missing.</exception>
    public static void Compute(ReadOnlySpan<byte> bytes, JpegCodestream structure, ReadOnlySpan<short> coefficients, Span<byte> samples, int sampleBytes)
    {
        var header = structure.Header;
        var tables = ReadQuantizationTables(bytes, structure);
        var geometry = new JpegBlockGeometry(header);
        for (var index = 0; index < header.Components.Count; index++)
        {
            var component = header.Components[index];
            var table = tables[component.QuantizationTable & 3] ?? throw new DicomFormatException("A JPEG frame is damaged: a quantization table is missing.");
            var (columns, rows) = (geometry.McusPerRow * component.Horizontal * Size, geometry.McuRows * component.Vertical * Size);
            var rented = ArrayPool<short>.Shared.Rent(columns * rows);
            for (var y = 0; y < rows / Size; y++)
            {
                for (var x = 0; x < columns / Size; x++)
                {
                    var block = coefficients.Slice(geometry.BlockAt(index, x, y) * JpegBlockGeometry.BlockSize, JpegBlockGeometry.BlockSize);
                    Transform(block, table, header.Precision, rented.AsSpan((y * Size * columns) + (x * Size)), columns);
                }
            }
            Spread(rented, columns, header, component, index, samples, sampleBytes);
            ArrayPool<short>.Shared.Return(rented);
        }
    }

    /// <summary>The inverse transform of one block, along its lines and then its columns, eight places at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(ReadOnlySpan<short> block, float[] table, int precision, Span<short> target, int columns)
    {
        var (level, highest) = (1 << (precision - 1), (1 << precision) - 1);
        if (block[1..].IndexOfAnyExcept((short)0) < 0)
        {
            var value = (short)Math.Clamp((int)MathF.Round(block[0] * table[0] / Size) + level, 0, highest);
            for (var y = 0; y < Size; y++)
            {
                target.Slice(y * columns, Size).Fill(value);
            }
            return;
        }
        Span<float> values = stackalloc float[Size * Size];
        values.Clear();
        for (var i = 0; i < ZigZag.Length; i++)
        {
            values[ZigZag[i]] = block[i] * table[i];
        }
        ref var basis = ref MemoryMarshal.GetArrayDataReference(Basis);
        Span<float> lines = stackalloc float[Size * Size];
        for (var v = 0; v < Size; v++)
        {
            var sum = Vector256<float>.Zero;
            for (var u = 0; u < Size; u++)
            {
                sum += Vector256.Create(values[(v * Size) + u]) * Vector256.LoadUnsafe(ref basis, (nuint)(u * Size));
            }
            sum.CopyTo(lines[(v * Size)..]);
        }
        for (var y = 0; y < Size; y++)
        {
            var sum = Vector256.Create(level + 0.5f);
            for (var v = 0; v < Size; v++)
            {
                sum += Vector256.Create(Basis[(v * Size) + y]) * Vector256.Create<float>(lines.Slice(v * Size, Size));
            }
            var whole = Vector256.ConvertToInt32(Vector256.Floor(Vector256.Min(Vector256.Max(sum, Vector256<float>.Zero), Vector256.Create((float)highest))));
            Vector128.Narrow(whole.GetLower(), whole.GetUpper()).CopyTo(target[(y * columns)..]);
        }
    }

    private static void Spread(
        short[] plane, int planeColumns, JpegFrameHeader header, JpegComponent component, int index, Span<byte> samples, int sampleBytes)
    {
        var step = header.Components.Count * sampleBytes;
        for (var y = 0; y < header.Rows; y++)
        {
            var row = plane.AsSpan(y * component.Vertical / header.MaxVertical * planeColumns, planeColumns);
            var target = samples.Slice(y * header.Columns * step, header.Columns * step);
            for (int x = 0, place = index * sampleBytes; x < header.Columns; x++, place += step)
            {
                var sample = row[x * component.Horizontal / header.MaxHorizontal];
                target[place] = (byte)sample;
                if (sampleBytes == 2)
                {
                    target[place + 1] = (byte)(sample >> 8);
                }
            }
        }
    }

    /// <summary>Tables in zigzag order; the last of each that is defined counts, as frames do not change theirs.</summary>
    private static float[]?[] ReadQuantizationTables(ReadOnlySpan<byte> bytes, JpegCodestream structure)
    {
        var tables = new float[]?[4];
        foreach (var segment in structure.Segments.Where(segment => segment.Marker == JpegMarker.DefineQuantizationTables))
        {
            // Lengths were checked when the structure was read.
            var content = bytes[segment.Segment][4..];
            while (content.Length > 0)
            {
                var isWide = content[0] >> 4 == 1;
                var table = new float[JpegBlockGeometry.BlockSize];
                for (var i = 0; i < table.Length; i++)
                {
                    table[i] = isWide ? (content[1 + (2 * i)] << 8) | content[2 + (2 * i)] : content[1 + i];
                }
                tables[content[0] & 3] = table;
                content = content[(isWide ? 129 : 65)..];
            }
        }
        return tables;
    }
}
