using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// The bits of one entropy-coded segment, freed of stuffed zero bytes (ISO/IEC 10918-1 B.1.1.5), so that a bit is found by its number. Rented memory:
/// dispose it.
/// </summary>
internal sealed class EntropyBits : IDisposable
{
    /// <summary>Zero bits behind the last one that may be read before <see cref="CheckEnd"/> must be asked.</summary>
    public const int SlackBits = 8 * (SlackBytes - 16);

    private const int SlackBytes = 1024;

    private byte[] bytes = [];

    /// <summary>Bits of the segment, filling bits of its last byte included.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes with no stuffing, zeros behind them.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>Reads a restart interval, whose marker is next unless it is the first, and moves <paramref name="entropy"/> behind it.</summary>
    /// <param name="entropy">The entropy-coded bytes of a scan that are still to be read.</param>
    /// <param name="index">Number of the interval in its scan.</param>
    public void LoadInterval(ref ReadOnlySpan<byte> entropy, int index)
    {
        if (index > 0)
        {
            entropy = RestartMarkers.Skip(entropy, index - 1);
        }
        entropy = entropy[Load(entropy)..];
    }

    /// <summary>Reads the segment at the start of <paramref name="source"/>, up to a marker or the end.</summary>
    /// <returns>Bytes read, stuffed ones included, the marker not.</returns>
    public int Load(ReadOnlySpan<byte> source)
    {
        if (bytes.Length < source.Length + SlackBytes)
        {
            Dispose();
            bytes = ArrayPool<byte>.Shared.Rent(source.Length + SlackBytes);
        }
        int read = 0, written = 0;
        while (read < source.Length)
        {
            var run = source[read..].IndexOf((byte)0xFF);
            var isLast = run < 0;
            run = isLast ? source.Length - read : run;
            source.Slice(read, run).CopyTo(bytes.AsSpan(written));
            (read, written) = (read + run, written + run);
            if (isLast || read + 1 >= source.Length || source[read + 1] != 0)
            {
                break;
            }
            bytes[written++] = 0xFF;
            read += 2;
        }
        bytes.AsSpan(written, SlackBytes).Clear();
        Length = 8L * written;
        return read;
    }

    /// <summary>At least 57 bits from bit <paramref name="position"/> on, left-aligned.</summary>
    public ulong Window(long position) =>
        BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan((int)(position >> 3), 8)) << (int)(position & 7);

    /// <exception cref="DicomFormatException">Bits behind the last one were read.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CheckEnd(long position)
    {
        if (position > Length)
        {
            throw new DicomFormatException("A JPEG frame is truncated: it ends before its last pixel.");
        }
    }

    public void Dispose()
    {
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }
    }
}
