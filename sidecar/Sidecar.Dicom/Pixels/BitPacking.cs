namespace Sidecar.Dicom.Pixels;

/// <summary>Pixel cells that are no whole bytes (BitsAllocated 1 or 12): a stream of bits, the lowest bit of each byte first (PS3.5 8.1.1).</summary>
internal static class BitPacking
{
    /// <summary>Takes <paramref name="count"/> cells from <paramref name="firstBit"/> on apart into one or two bytes each, little endian.</summary>
    public static void Unpack(ReadOnlySpan<byte> packed, int firstBit, int bits, int count, Span<byte> cells)
    {
        if (bits == 1)
        {
            for (var i = 0; i < count; i++)
            {
                var bit = firstBit + i;
                cells[i] = (byte)((packed[bit >> 3] >> (bit & 7)) & 1);
            }
            return;
        }
        var position = (long)firstBit;
        for (var i = 0; i < count; i++, position += bits)
        {
            var value = 0;
            for (var bit = 0; bit < bits; bit++)
            {
                value |= ((packed[(int)((position + bit) >> 3)] >> (int)((position + bit) & 7)) & 1) << bit;
            }
            cells[2 * i] = (byte)value;
            cells[(2 * i) + 1] = (byte)(value >> 8);
        }
    }

    /// <summary>The reverse of <see cref="Unpack"/>; other bits of <paramref name="packed"/> stay as they are.</summary>
    public static void Pack(ReadOnlySpan<byte> cells, int firstBit, int bits, int count, Span<byte> packed)
    {
        var cellBytes = bits == 1 ? 1 : 2;
        var position = (long)firstBit;
        for (var i = 0; i < count; i++)
        {
            var value = cellBytes == 1 ? cells[i] : cells[2 * i] | (cells[(2 * i) + 1] << 8);
            for (var bit = 0; bit < bits; bit++, position++)
            {
                ref var target = ref packed[(int)(position >> 3)];
                var flag = (byte)(1 << (int)(position & 7));
                target = (byte)(((value >> bit) & 1) != 0 ? target | flag : target & ~flag);
            }
        }
    }

    /// <summary>Swaps the two bytes of each 16-bit word: how OW holds cells smaller than a word in big endian (PS3.5 A.3).</summary>
    public static void SwapWords(Span<byte> bytes)
    {
        for (var i = 0; i + 1 < bytes.Length; i += 2)
        {
            (bytes[i], bytes[i + 1]) = (bytes[i + 1], bytes[i]);
        }
    }
}
