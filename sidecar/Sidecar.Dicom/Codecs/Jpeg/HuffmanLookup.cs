using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Decodes with a <see cref="HuffmanTable"/>: a symbol and the value of the additional bits behind it are mostly found in one step. What is found is an
/// entry: in its lowest eight bits how many bits it takes, in the next eight the symbol, above them the value with its sign.
/// </summary>
internal sealed class HuffmanLookup
{
    /// <summary>More would crowd the cache, and few codes take more with their additional bits.</summary>
    private const int ShortBits = 11;

    /// <summary>In <see cref="ends"/> of lengths that no code has: behind all codes.</summary>
    private const int NoEnd = 1 << HuffmanTable.MaxCodeBits;

    // An entry for each of the possible next eleven bits; 0 where they are not enough, or begin no code.
    private readonly int[] entries = new int[1 << ShortBits];

    // For each length of codes: the end of those no longer, left-aligned in 16 bits, as codes are numbers in order of their length; and what is to be
    // added to a code to get the index of its symbol.
    private readonly int[] ends = new int[HuffmanTable.MaxCodeBits + 2];
    private readonly int[] offsets = new int[HuffmanTable.MaxCodeBits + 2];
    private readonly byte[] symbols;

    public HuffmanLookup(HuffmanTable table)
    {
        symbols = table.Symbols.ToArray();
        int code = 0, index = 0;
        for (var bits = 1; bits <= HuffmanTable.MaxCodeBits; bits++, code <<= 1)
        {
            offsets[bits] = index - code;
            for (var i = 0; i < table.Counts[bits - 1]; i++, index++, code++)
            {
                FillShort(symbols[index], code, bits);
            }
            ends[bits] = code << (HuffmanTable.MaxCodeBits - bits);
        }
        ends[^1] = NoEnd;
    }

    /// <summary>The symbol that is next, and its value.</summary>
    /// <param name="window">The next bits, left-aligned; 31 at least.</param>
    /// <exception cref="DicomFormatException">There is no such code.</exception>
    public int Peek(ulong window) => PeekShort(window) is not 0 and var entry ? entry : PeekLong(window);

    /// <summary>As <see cref="Peek"/>, of eleven bits; 0 where they are not enough, or begin no code.</summary>
    // The shift leaves eleven bits, so the index is inside.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PeekShort(ulong window) => Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(entries), (nint)(window >> (64 - ShortBits)));

    /// <summary>As <see cref="Peek"/>, more slowly.</summary>
    // In line, as a call would cost the loops around it their registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PeekLong(ulong window)
    {
        var next = (int)(window >> (64 - HuffmanTable.MaxCodeBits));
        var bits = 1;
        while (next >= ends[bits])
        {
            bits++;
        }
        if (bits > HuffmanTable.MaxCodeBits)
        {
            throw WrongCode();
        }
        return Entry(window, symbols[(next >> (HuffmanTable.MaxCodeBits - bits)) + offsets[bits]], bits);
    }

    public static DicomFormatException WrongCode() => new("A JPEG frame is damaged: it holds bits that are no code of its Huffman table.");

    /// <param name="window">The code and what follows it, left-aligned.</param>
    /// <param name="symbol">Its low four bits count the additional bits; 16, in the lossless process only, has none.</param>
    /// <param name="bits">Those of the code.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Entry(ulong window, byte symbol, int bits)
    {
        // ISO/IEC 10918-1 figure F.12: with its first bit 0, the value is negative.
        var size = symbol & 15;
        var additional = window << bits;
        var value = (int)(additional >> 1 >> (63 - size)) - (((1 << size) - 1) & ~(int)((long)additional >> 63));
        return (value << 16) | (symbol << 8) | (bits + size);
    }

    private void FillShort(byte symbol, int code, int bits)
    {
        var used = bits + (symbol & 15);
        if (used > ShortBits)
        {
            return; // Left 0.
        }
        var next = entries.AsSpan(code << (ShortBits - bits), 1 << (ShortBits - bits));
        var each = 1 << (ShortBits - used);
        for (var i = 0; i < next.Length; i += each)
        {
            var entry = Entry((ulong)((code << (ShortBits - bits)) + i) << (64 - ShortBits), symbol, bits);
            for (var j = 0; j < each; j++)
            {
                next[i + j] = entry;
            }
        }
    }
}
