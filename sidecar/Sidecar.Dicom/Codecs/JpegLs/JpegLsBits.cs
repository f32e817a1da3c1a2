using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>
/// The bits of one entropy-coded segment, freed of the zero bit that is stuffed behind each byte FF (ISO/IEC 14495-1 A.1), so that a bit is found by its
/// number. Rented memory: dispose it.
/// </summary>
internal sealed class JpegLsBits : IDisposable
{
    private const int SlackBytes = 16;
    private const int MostFillingBits = 16;
    private byte[] bytes = [];

    /// <summary>Bits of the segment, filling bits of its last byte included.</summary>
    public long Length { get; private set; }

    /// <summary>The bits, left-aligned; zeros for <see cref="SlackBytes"/> behind them.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, (int)((Length + 7) >> 3) + SlackBytes);

    /// <summary>Reads the segment at the start of <paramref name="source"/>, up to a marker or the end.</summary>
    /// <returns>Bytes read, the marker not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Load(ReadOnlySpan<byte> source)
    {
        if (bytes.Length < source.Length + (2 * SlackBytes))
        {
            Dispose();
            bytes = ArrayPool<byte>.Shared.Rent(source.Length + (2 * SlackBytes));
        }
        var target = bytes.AsSpan();
        var (read, written) = (0, 0);
        var (pending, used) = (0UL, 0); // Bits of the byte that is not full yet, left-aligned: 0 to 7.
        while (read < source.Length)
        {
            if (read + 8 <= source.Length)
            {
                var word = BinaryPrimitives.ReadUInt64BigEndian(source[read..]);
                if (!HasFilledByte(word))
                {
                    BinaryPrimitives.WriteUInt64BigEndian(target[written..], pending | (word >> used));
                    pending = word << 1 << (63 - used);
                    (read, written) = (read + 8, written + 8);
                    continue;
                }
            }
            var isFilled = source[read] == 0xFF;
            if (isFilled && read + 1 < source.Length && source[read + 1] >= 0x80)
            {
                break;
            }
            Append(source[read++], 8, target);
            if (isFilled && read < source.Length)
            {
                Append(source[read++], 7, target);
            }
        }
        Length = (8L * written) + used;
        BinaryPrimitives.WriteUInt64BigEndian(target[written..], pending);
        target.Slice(written + 1, SlackBytes).Clear();
        return read;

        void Append(byte value, int count, Span<byte> target)
        {
            pending |= (ulong)value << (64 - used - count);
            used += count;
            if (used >= 8)
            {
                target[written++] = (byte)(pending >> 56);
                pending <<= 8;
                used -= 8;
            }
        }
    }

    /// <exception cref="DicomFormatException">Bits behind the last one were read.</exception>
    public void CheckEnd(long position)
    {
        if (position > Length)
        {
            throw Truncated();
        }
    }

    /// <summary>
    /// After the last line. Bits that no pixel took are a damaged stream, which another decoder may read as another picture; filling bits and one byte of
    /// padding are not.
    /// </summary>
    /// <exception cref="DicomFormatException">More than those are left.</exception>
    public void CheckFinished(long position)
    {
        if (Length - position >= MostFillingBits)
        {
            throw new DicomFormatException("A JPEG-LS frame is damaged: it holds more coded data than its pixels take.");
        }
    }

    public static DicomFormatException Truncated() => new("A JPEG-LS frame is truncated: it ends before its last pixel.");

    public void Dispose()
    {
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }
    }

    /// <summary>Whether one of the eight bytes is FF.</summary>
    internal static bool HasFilledByte(ulong word) => ((~word - 0x0101010101010101) & word & 0x8080808080808080) != 0;
}
