using System.Numerics;
using System.Runtime.CompilerServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// A Huffman table of JPEG (ISO/IEC 10918-1 annex C) with the look-ups to decode and to encode. In all that JPEG codes this way a symbol's low four bits
/// are the count of the additional bits that follow it (16, in the lossless process only, has none), so one look-up gives symbol and value together.
/// </summary>
internal sealed class HuffmanTable
{
    /// <summary>Longest code, in bits.</summary>
    public const int MaxCodeBits = 16;

    private readonly byte[] counts;
    private readonly byte[] symbols;
    private readonly int[] codes = new int[256];

    /// <param name="counts">How many codes have 1, 2, … 16 bits.</param>
    /// <param name="symbols">The symbols, shortest code first.</param>
    /// <exception cref="DicomFormatException">The counts ask for more codes than there are.</exception>
    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        this.counts = counts.ToArray();
        this.symbols = symbols.ToArray();
        int code = 0, index = 0;
        for (var bits = 1; bits <= MaxCodeBits; bits++, code <<= 1)
        {
            for (var i = 0; i < counts[bits - 1]; i++, index++, code++)
            {
                if (code >= 1 << bits)
                {
                    throw new DicomFormatException("A Huffman table of a JPEG frame is damaged.");
                }
                if (codes[symbols[index]] == 0)
                {
                    codes[symbols[index]] = (code << 8) | bits;
                }
            }
        }
        End = code >> 1;
    }

    /// <summary>The first 16 bits, taken as a number, that begin with none of the codes: those have all lower ones.</summary>
    public int End { get; }

    public ReadOnlySpan<byte> Counts => counts;

    public ReadOnlySpan<byte> Symbols => symbols;

    public bool Contains(int symbol) => codes[symbol] != 0;

    /// <summary>The code of <paramref name="symbol"/>: bits in the upper 24 bits, their count in the lower 8; 0 where it has none.</summary>
    public int Code(int symbol) => codes[symbol];

    /// <summary>
    /// This table with <paramref name="missing"/> added behind its longest codes, so that every code it has keeps its bits; null where 16 bits leave no
    /// room. The code of all ones stays unused, as the standard asks.
    /// </summary>
    public HuffmanTable? Extend(IEnumerable<byte> missing)
    {
        var longest = MaxCodeBits;
        while (longest > 1 && counts[longest - 1] == 0)
        {
            longest--;
        }
        // Free codes of the longest length, the one of all ones included.
        var free = ((1 << MaxCodeBits) - End) >> (MaxCodeBits - longest);
        var newCounts = counts.ToArray();
        var newSymbols = symbols.ToList();
        foreach (var symbol in missing.Where(symbol => !Contains(symbol)).Distinct())
        {
            while (free < 2 && longest < MaxCodeBits)
            {
                longest++;
                free <<= 1;
            }
            if (free < 2)
            {
                return null;
            }
            free--;
            newCounts[longest - 1]++;
            newSymbols.Add(symbol);
        }
        return new HuffmanTable(newCounts, [.. newSymbols]);
    }

    /// <summary>The best table for symbols of these frequencies (annex K.2); at least one must be positive.</summary>
    public static HuffmanTable Build(ReadOnlySpan<long> frequencies)
    {
        // Package-merge would do better in corner cases; JPEG's own way is within a bit of it and bounded by 16 bits.
        Span<long> weights = stackalloc long[257];
        Span<int> lengths = stackalloc int[257];
        Span<int> next = stackalloc int[257];
        weights.Clear();
        lengths.Clear();
        frequencies.CopyTo(weights);
        weights[256] = 1; // The code of all ones, which no symbol may have.
        next.Fill(-1);
        while (true)
        {
            int least = -1, second = -1;
            for (var i = 0; i < 257; i++)
            {
                if (weights[i] == 0)
                {
                    continue;
                }
                if (least < 0 || weights[i] <= weights[least])
                {
                    (second, least) = (least, i);
                }
                else if (second < 0 || weights[i] <= weights[second])
                {
                    second = i;
                }
            }
            if (second < 0)
            {
                break;
            }
            weights[least] += weights[second];
            weights[second] = 0;
            var last = least;
            for (lengths[last]++; next[last] >= 0; lengths[last]++)
            {
                last = next[last];
            }
            next[last] = second;
            for (lengths[second]++; next[second] >= 0; lengths[second]++)
            {
                second = next[second];
            }
        }
        return FromLengths(lengths, frequencies);
    }

    private static HuffmanTable FromLengths(ReadOnlySpan<int> lengths, ReadOnlySpan<long> frequencies)
    {
        Span<int> bits = stackalloc int[258];
        bits.Clear();
        foreach (var length in lengths)
        {
            bits[length]++;
        }
        for (var i = 257; i > MaxCodeBits; i--)
        {
            while (bits[i] > 0)
            {
                var j = i - 2;
                while (bits[j] == 0)
                {
                    j--;
                }
                bits[i] -= 2;
                bits[i - 1]++;
                bits[j + 1] += 2;
                bits[j]--;
            }
        }
        var longest = MaxCodeBits;
        while (bits[longest] == 0)
        {
            longest--;
        }
        bits[longest]--;
        var counts = new byte[MaxCodeBits];
        for (var i = 0; i < MaxCodeBits; i++)
        {
            counts[i] = (byte)bits[i + 1];
        }
        var order = new List<(int Length, byte Symbol)>();
        for (var i = 0; i < 256; i++)
        {
            if (i < frequencies.Length && frequencies[i] > 0)
            {
                order.Add((lengths[i], (byte)i));
            }
        }
        order.Sort();
        return new HuffmanTable(counts, [.. order.Select(entry => entry.Symbol)]);
    }

    /// <summary>The bits that follow a symbol for <paramref name="value"/>, right-aligned (figure F.12 reversed).</summary>
    public static int AdditionalBits(int value, int size) => value < 0 ? value + (1 << size) - 1 : value;

    /// <summary>Bits needed for the magnitude of <paramref name="value"/>: SSSS of tables F.1 and H.2.</summary>
    public static int Category(int value)
    {
        // Signs come as they like: without a branch on them this takes half the time.
        var sign = value >> 31;
        return 32 - BitOperations.LeadingZeroCount((uint)((value ^ sign) - sign));
    }
}
