using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>Collects the bits of one entropy-coded segment and writes them with their stuffed zero bits. Rented memory: dispose it.</summary>
internal sealed class JpegLsBitWriter : IDisposable
{
    private const int SlackBytes = 32;
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int length;
    private ulong pending; // Bits of the byte that is not full yet, left-aligned.
    private int used; // 0 to 7 of them.

    /// <summary>Makes room for so many bits more, which a <see cref="Cursor"/> does not check.</summary>
    public void Reserve(long bits)
    {
        var needed = length + (bits / 8) + SlackBytes;
        if (needed <= bytes.Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(checked((int)Math.Max(needed, Math.Min(2L * bytes.Length, Array.MaxLength))));
        bytes.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }

    /// <summary>Copies the first bits of another segment to the start of this one, which is empty.</summary>
    public void CopyStart(JpegLsBits source, long bits)
    {
        Reserve(bits);
        length = (int)(bits >> 3);
        used = (int)(bits & 7);
        source.Bytes[..length].CopyTo(bytes);
        pending = used == 0 ? 0 : (ulong)(byte)(source.Bytes[length] & (0xFF00 >> used)) << 56;
    }

    /// <summary>Where the next bit goes, in registers. Give it back to <see cref="Store"/>.</summary>
    public Cursor Load() => new() { Target = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(bytes), length), Pending = pending, Used = used };

    public void Store(in Cursor cursor)
    {
        length = (int)Unsafe.ByteOffset(ref MemoryMarshal.GetArrayDataReference(bytes), ref cursor.Target);
        (pending, used) = (cursor.Pending, cursor.Used);
    }

    /// <summary>Fills the last byte with zeros, writes the segment, and starts an empty one.</summary>
    public void Flush(Stream result)
    {
        Reserve(64);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(length), pending);
        bytes.AsSpan(length + 1, SlackBytes - 8).Clear();
        Stuff(bytes.AsSpan(0, length + SlackBytes - 8), (8L * length) + used, result);
        (length, pending, used) = (0, 0, 0);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }

    /// <param name="source">The bits, and at least 9 bytes of zeros behind them.</param>
    /// <param name="bits">How many they are.</param>
    /// <param name="result">Where the bytes go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stuff(ReadOnlySpan<byte> source, long bits, Stream result)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var filled = 0;
        var afterFilledByte = false;
        for (var position = 0L; position < bits || afterFilledByte;)
        {
            if (filled > buffer.Length - 8)
            {
                result.Write(buffer[..filled]);
                filled = 0;
            }
            var window = BinaryPrimitives.ReadUInt64BigEndian(source[(int)(position >> 3)..]) << (int)(position & 7);
            var word = window | ((ulong)source[(int)(position >> 3) + 8] >> (8 - (int)(position & 7)));
            if (!afterFilledByte && position + 64 <= bits && !JpegLsBits.HasFilledByte(word))
            {
                BinaryPrimitives.WriteUInt64BigEndian(buffer[filled..], word);
                (filled, position) = (filled + 8, position + 64);
                continue;
            }
            // The byte behind FF, even where FF was the last, has a zero and seven bits.
            var value = (byte)(afterFilledByte ? window >> 57 : window >> 56);
            position += afterFilledByte ? 7 : 8;
            buffer[filled++] = value;
            afterFilledByte = value == 0xFF;
        }
        result.Write(buffer[..filled]);
    }

    /// <summary>Writes bits without a check: room must have been reserved.</summary>
    public ref struct Cursor
    {
        public ref byte Target;
        public ulong Pending;
        public int Used;

        /// <param name="value">The bits, right-aligned; nothing above them.</param>
        /// <param name="count">0 to 56.</param>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write(ulong value, int count)
        {
            // Written at once and whole, so that no branch has to guess when a byte is full. With nothing written, the shift by 64 is one by 0, of 0.
            Pending |= value << (64 - Used - count);
            Used += count;
            Unsafe.WriteUnaligned(ref Target, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Pending) : Pending);
            Target = ref Unsafe.Add(ref Target, Used >> 3);
            Pending <<= Used & ~7;
            Used &= 7;
        }
    }
}
