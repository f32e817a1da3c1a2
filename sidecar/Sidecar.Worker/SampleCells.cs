using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>
/// Moves samples between the cells of a DICOM frame and the forms the libraries use. A cell's low bits are the codestream's sample, bit for bit; the
/// bits above are clear, or repeat the sign bit where samples are signed. Every frame passes here, so the loops are compiled for speed at once.
/// </summary>
internal static class SampleCells
{
    /// <summary>Repeats the top bit of each <paramref name="precision"/>-bit sample upward.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ExtendSigns(Span<byte> cells, int cellBytes, int precision)
    {
        var shift = (8 * cellBytes) - precision;
        if (shift == 0)
        {
            return;
        }
        if (cellBytes == 1)
        {
            foreach (ref var cell in MemoryMarshal.Cast<byte, sbyte>(cells))
            {
                cell = (sbyte)((sbyte)(cell << shift) >> shift);
            }
        }
        else
        {
            foreach (ref var cell in MemoryMarshal.Cast<byte, short>(cells))
            {
                cell = (short)((short)(cell << shift) >> shift);
            }
        }
    }

    /// <summary>Clears the bits above <paramref name="precision"/> after checking that nothing is lost with them.</summary>
    /// <exception cref="WorkerException">A sample has more bits than the codestream will have.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TrimToPrecision(Span<byte> cells, int cellBytes, int precision, bool isSigned)
    {
        var shift = (8 * cellBytes) - precision;
        if (shift == 0)
        {
            return;
        }
        var excess = 0;
        if (cellBytes == 1)
        {
            var mask = (byte)(0xFF >> shift);
            foreach (ref var cell in cells)
            {
                var kept = (byte)(cell & mask);
                excess |= cell ^ (isSigned ? (byte)((sbyte)(kept << shift) >> shift) : kept);
                cell = kept;
            }
        }
        else
        {
            var mask = (ushort)(0xFFFF >> shift);
            foreach (ref var cell in MemoryMarshal.Cast<byte, ushort>(cells))
            {
                var kept = (ushort)(cell & mask);
                excess |= cell ^ (isSigned ? (ushort)((short)(kept << shift) >> shift) : kept);
                cell = kept;
            }
        }
        RefuseExcess(excess, precision);
    }

    /// <summary>Copies samples between cells of different size or order: from planes to pixels or back, from one byte to two or back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rearrange(ReadOnlySpan<byte> from, int fromBytes, bool fromPlanes, Span<byte> to, int toBytes, bool toPlanes, int components)
    {
        var pixels = from.Length / fromBytes / components;
        for (var component = 0; component < components; component++)
        {
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                var source = (fromPlanes ? (component * pixels) + pixel : (pixel * components) + component) * fromBytes;
                var target = (toPlanes ? (component * pixels) + pixel : (pixel * components) + component) * toBytes;
                to[target] = from[source];
                if (toBytes == 2)
                {
                    to[target + 1] = fromBytes == 2 ? from[source + 1] : (byte)0;
                }
            }
        }
    }

    /// <summary>Writes one component of integers into its cells of a frame.</summary>
    /// <param name="step">Cells from one pixel to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromIntegers(ReadOnlySpan<int> samples, Span<byte> frame, int cellBytes, int first, int step, int precision, bool isSigned)
    {
        var shift = 32 - precision;
        switch (cellBytes)
        {
            case 1:
                for (int i = 0, cell = first; i < samples.Length; i++, cell += step)
                {
                    frame[cell] = (byte)(isSigned ? samples[i] << shift >> shift : (int)((uint)samples[i] << shift >> shift));
                }
                break;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(frame);
                for (int i = 0, cell = first; i < samples.Length; i++, cell += step)
                {
                    shorts[cell] = (ushort)(isSigned ? samples[i] << shift >> shift : (int)((uint)samples[i] << shift >> shift));
                }
                break;
            default:
                var integers = MemoryMarshal.Cast<byte, int>(frame);
                for (int i = 0, cell = first; i < samples.Length; i++, cell += step)
                {
                    integers[cell] = isSigned ? samples[i] << shift >> shift : (int)((uint)samples[i] << shift >> shift);
                }
                break;
        }
    }

    /// <summary>Reads one component of a frame into integers as the codestream counts them.</summary>
    /// <exception cref="WorkerException">A sample has more bits than the codestream will have.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToIntegers(
        ReadOnlySpan<byte> frame, int cellBytes, int first, int step, int precision, bool isSigned, Span<int> samples, bool isSignedInCodestream)
    {
        var shift = 32 - precision;
        var shorts = MemoryMarshal.Cast<byte, short>(frame);
        var integers = MemoryMarshal.Cast<byte, int>(frame);
        var excess = 0;
        for (int i = 0, cell = first; i < samples.Length; i++, cell += step)
        {
            var value = cellBytes switch
            {
                1 => isSigned ? (sbyte)frame[cell] : frame[cell],
                2 => isSigned ? shorts[cell] : (ushort)shorts[cell],
                _ => integers[cell],
            };
            var signed = value << shift >> shift;
            var unsigned = (int)((uint)value << shift >> shift);
            excess |= value ^ (isSigned ? signed : unsigned);
            samples[i] = isSignedInCodestream ? signed : unsigned;
        }
        RefuseExcess(excess, precision);
    }

    private static void RefuseExcess(int excess, int precision)
    {
        if (excess != 0)
        {
            throw new WorkerException(WorkerStatus.Unsupported, $"The frame has samples of more than the {precision} bits that its codestream has.");
        }
    }
}
