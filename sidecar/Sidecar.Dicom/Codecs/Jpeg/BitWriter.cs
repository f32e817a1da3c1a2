using System.Buffers;
using System.Buffers.Binary;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Collects the bits of one entropy-coded segment and writes them with stuffed zero bytes. Rented memory: dispose it.</summary>
internal sealed class BitWriter : IDisposable
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int length;
    private ulong pending;
    private int free = 64;

    /// <summary>Makes room for so many bits more, which <see cref="Write"/> does not check.</summary>
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
    /// <param name="count">0 to 32.</param>
    public void Write(uint value, int count)
    {
        if (count < free)
        {
            free -= count;
            pending |= (ulong)value << free;
            return;
        }
        var over = count - free;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(length), pending | ((ulong)value >> over));
        length += 8;
        free = 64 - over;
        pending = over == 0 ? 0 : (ulong)value << free;
    }

    /// <summary>Copies bits of another segment.</summary>
    public void Copy(EntropyBits source, long start, long end)
    {
        Reserve(end - start);
        var position = start;
        for (; position + 32 <= end; position += 32)
        {
            Write((uint)(source.Window(position) >> 32), 32);
        }
        var rest = (int)(end - position);
        if (rest > 0)
        {
            Write((uint)(source.Window(position) >> (64 - rest)), rest);
        }
    }

    /// <summary>Fills the last byte with ones (F.1.2.3), writes the segment, and starts an empty one.</summary>
    public void Flush(Stream result)
    {
        Reserve(64);
        var used = 64 - free;
        var padding = -used & 7;
        if (padding > 0)
        {
            Write((1u << padding) - 1, padding);
        }
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(length), pending);
        length += (64 - free) / 8;
        var rest = bytes.AsSpan(0, length);
        for (int at; (at = rest.IndexOf((byte)0xFF)) >= 0; rest = rest[(at + 1)..])
        {
            result.Write(rest[..(at + 1)]);
            result.WriteByte(0);
        }
        result.Write(rest);
        (length, pending, free) = (0, 0, 64);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }
}
