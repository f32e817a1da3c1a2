using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Reads <see cref="EntropyBits"/> from a bit on, for the innermost loops: checks no bounds. Whoever uses it asks <see cref="EntropyBits.CheckEnd"/> before
/// each stretch of <see cref="EntropyBits.SlackBits"/> at the latest, which the memory behind the bits is long enough for.
/// </summary>
internal ref struct BitCursor
{
    private readonly ref byte bytes;
    private nuint next; // The byte to load next.
    private ulong window; // Loaded bits, left-aligned.
    private uint loaded; // How many of them count: up to 63. Those behind are right, too.

    public BitCursor(EntropyBits bits, long position)
    {
        bytes = ref MemoryMarshal.GetReference(bits.Bytes);
        next = (nuint)(position >> 3);
        Load();
        Skip((int)position & 7);
    }

    /// <summary>The number of the next bit.</summary>
    public readonly long Position => (8L * (long)next) - loaded;

    /// <summary>Brings the window to 56 bits at least.</summary>
    // Loads eight bytes and counts those that fit whole: no branch, and the address is known long before the bits are needed.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load()
    {
        window |= BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, next))) >> (int)loaded;
        next += (loaded ^ 63) >> 3;
        loaded |= 56;
    }

    /// <summary>The symbol that is next, as an entry of <see cref="HuffmanLookup"/>; <see cref="Skip"/> goes behind it.</summary>
    /// <remarks>Not more than two for one <see cref="Load"/>: the first takes 31 bits at most, and what is left is enough to look the next up.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Peek(HuffmanLookup lookup)
    {
        var entry = lookup.PeekShort(window);
        if (entry == 0)
        {
            Load();
            entry = lookup.PeekLong(window);
        }
        return entry;
    }

    /// <param name="entry">How many bits, in its lowest eight bits: at most 31.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int entry)
    {
        window <<= entry;
        loaded -= (byte)entry;
    }
}
