using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>
/// Moves samples between the cells of a DICOM frame and the integers that OpenJPEG uses. A cell's low bits are the codestream's sample, bit for bit; the
/// bits above are clear, or repeat the sign bit where samples are signed. Every frame passes here, so the loops are compiled for speed at once.
/// </summary>
internal static class SampleCells
{
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
