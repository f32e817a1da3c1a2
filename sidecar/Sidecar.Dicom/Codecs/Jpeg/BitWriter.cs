using System.Buffers;
using System.Buffers.Binary;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Collects the bits of one entropy-coded segment and writes them with stuffed zero bytes. Rented memory: dispose it.</summary>
internal sealed class BitWriter : IDisposable
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int length;
    private ulong pending; // Bits of the byte that is not full yet, left-aligned.
    private int used; // 0 to 7 of them.

    /// <summary>Makes room for so many bits more, which writing does not check.</summary>
    public void Reserve(long bits)
    {
        var needed = length + (bits / 8) + 24;
        if (needed <= bytes.Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(checked((int)Math.Max(needed, Math.Min(2L * bytes.Length, Array.MaxLength))));
        bytes.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }

    /// <param name="value">The bits, right-aligned; nothing above them.</param>
    /// <param name="count">0 to 56.</param>
    public void Write(ulong value, int count)
    {
        // Written at once and whole, so that no branch has to guess when a byte is full.
        pending |= value << (64 - used - count);
        used += count;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(length), pending);
        length += used >> 3;
        pending <<= used & ~7;
        used &= 7;
    }

    /// <summary>As <see cref="Write(ulong, int)"/> for each of <paramref name="entries"/>: the bits above the lowest eight, which count them.</summary>
    public void Write(ReadOnlySpan<ulong> entries)
    {
        var target = bytes.AsSpan();
        var (position, partial, bits) = (length, pending, used);
        foreach (var entry in entries)
        {
            var count = (int)(entry & 0xFF);
            partial |= (entry >> 8) << (64 - bits - count);
            bits += count;
            BinaryPrimitives.WriteUInt64BigEndian(target[position..], partial);
            position += bits >> 3;
            partial <<= bits & ~7;
            bits &= 7;
        }
        (length, pending, used) = (position, partial, bits);
    }

    /// <summary>Copies bits of another segment.</summary>
    public void Copy(EntropyBits source, long start, long end)
    {
        const int Step = 64;
        Reserve(end - start);
        var from = source.Bytes;
        var to = bytes.AsSpan();
        // From one byte to the next the bits move by the same number of places, so a step takes eight bytes and the one behind them.
        var (shift, position, partial) = ((int)(start & 7), length, pending);
        var next = (int)(start >> 3);
        var steps = (end - start) / Step;
        for (var i = 0L; i < steps; i++)
        {
            var bits = (BinaryPrimitives.ReadUInt64BigEndian(from[next..]) << shift) | ((uint)from[next + 8] >> (8 - shift));
            BinaryPrimitives.WriteUInt64BigEndian(to[position..], partial | (bits >> used));
            partial = bits << 1 << (63 - used);
            (next, position) = (next + 8, position + 8);
        }
        (length, pending) = (position, partial);
        var rest = (int)((end - start) % Step);
        var window = source.Window(end - rest);
        if (rest > 32)
        {
            Write(window >> 32, 32);
            window = source.Window(end - rest + 32);
            rest -= 32;
        }
        if (rest > 0)
        {
            Write(window >> (64 - rest), rest);
        }
    }

    /// <summary>Fills the last byte with ones (F.1.2.3), writes the segment, and starts an empty one.</summary>
    public void Flush(Stream result)
    {
        Reserve(64);
        if (used > 0)
        {
            Write((1u << (8 - used)) - 1, 8 - used);
        }
        var rest = bytes.AsSpan(0, length);
        for (int at; (at = rest.IndexOf((byte)0xFF)) >= 0; rest = rest[(at + 1)..])
        {
            result.Write(rest[..(at + 1)]);
            result.WriteByte(0);
        }
        result.Write(rest);
        (length, pending, used) = (0, 0, 0);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }
}
