using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Reads the blocks of a scan of a sequential frame in the order they are coded (ISO/IEC 10918-1 F.2.2). Rented memory: dispose it.</summary>
internal sealed class JpegBlockReader : IDisposable
{
    private readonly short[] ignored = new short[JpegBlockGeometry.BlockSize];
    private readonly EntropyBits bits = new();
    private Part[] parts = []; // The blocks of one step.
    private int[] predictions = []; // One a component of the scan.
    private int next; // Index in the step of the block to read next.
    private long position;

    /// <summary>The bits of the interval.</summary>
    public EntropyBits Bits => bits;

    /// <summary>The number of the bit that is next.</summary>
    public long Position => position;

    /// <summary>The DC coefficient of the last block of each component of the scan; 0 at the start of an interval.</summary>
    public ReadOnlySpan<int> Predictions => predictions;

    /// <summary>Blocks of all components of the scan in one of its steps.</summary>
    public int BlocksPerStep => parts.Length;

    /// <param name="scan">Its tables must be there.</param>
    /// <param name="geometry">Of its frame.</param>
    public void StartScan(JpegScan scan, JpegBlockGeometry geometry)
    {
        predictions = new int[scan.Components.Count];
        parts = [.. scan.Components.SelectMany((part, i) =>
            Enumerable.Repeat(new Part(i, part.Dc!.Lookup, part.Ac!.Lookup), geometry.BlocksPerStep(scan, part.Index)))];
    }

    /// <summary>Goes to the start of a restart interval.</summary>
    /// <param name="entropy">As in <see cref="EntropyBits.LoadInterval"/>.</param>
    /// <param name="index">Number of the interval in its scan.</param>
    public void StartInterval(ref ReadOnlySpan<byte> entropy, int index)
    {
        bits.LoadInterval(ref entropy, index);
        (position, next) = (0, 0);
        Array.Clear(predictions);
    }

    /// <summary>Reads blocks.</summary>
    /// <param name="places">Where in <paramref name="coefficients"/> each goes, counted in blocks.</param>
    /// <param name="coefficients">Only what <paramref name="places"/> names is written: 64 coefficients a block, in zigzag order.</param>
    /// <exception cref="DicomFormatException">The bits are damaged or end too early.</exception>
    public void Read(ReadOnlySpan<int> places, Span<short> coefficients)
    {
        foreach (var place in places)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)coefficients.Length / JpegBlockGeometry.BlockSize);
        }
        Read(places.Length, places, ref MemoryMarshal.GetReference(coefficients));
        bits.CheckEnd(position);
    }

    /// <summary>Goes over blocks.</summary>
    /// <exception cref="DicomFormatException">The bits are damaged or end too early.</exception>
    public void Skip(int blocks)
    {
        Read(blocks, [], ref ignored[0]);
        bits.CheckEnd(position);
    }

    /// <summary>How many bits the DC difference of the next block takes.</summary>
    public int PeekDcBits() => (byte)parts[next].Dc.Peek(bits.Window(position));

    public void Dispose() => bits.Dispose();

    /// <param name="count">How many blocks.</param>
    /// <param name="places">Where they go; empty: all of them to the first place.</param>
    /// <param name="target">Long enough for all places.</param>
    // Compiled at once with all optimization: the first frame takes as long as many calls of anything else.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Read(int count, ReadOnlySpan<int> places, ref short target)
    {
        var cursor = new BitCursor(bits, position);
        var index = next;
        for (var i = 0; i < count; i++)
        {
            // A block has 64 symbols of 31 bits at most, which is less than the slack.
            bits.CheckEnd(cursor.Position);
            var part = parts[index];
            index = index + 1 == parts.Length ? 0 : index + 1;
            ref var block = ref Unsafe.Add(ref target, (nint)(places.IsEmpty ? 0 : places[i]) * JpegBlockGeometry.BlockSize);
            Unsafe.InitBlockUnaligned(ref Unsafe.As<short, byte>(ref block), 0, JpegBlockGeometry.BlockSize * sizeof(short));

            cursor.Load();
            var entry = cursor.Peek(part.Dc);
            if ((entry & 0xF000) != 0)
            {
                throw HuffmanLookup.WrongCode();
            }
            ref var prediction = ref predictions[part.Component];
            prediction += entry >> 16;
            cursor.Skip(entry);
            block = JpegBlockDecoder.ToDc(prediction);

            ReadAc(ref cursor, part.Ac, ref block);
        }
        (position, next) = (cursor.Position, index);
    }

    // Apart from the loop over blocks and with a copy of the cursor, so that all it works with stays in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ReadAc(ref BitCursor original, HuffmanLookup lookup, ref short block)
    {
        var cursor = original;
        for (int k = 1, symbols = 0; k < JpegBlockGeometry.BlockSize; k++, symbols++)
        {
            if ((symbols & 1) == 0)
            {
                cursor.Load();
            }
            var entry = cursor.Peek(lookup);
            cursor.Skip(entry);
            var run = (entry >> 12) & 15;
            if ((entry & 0xF00) == 0)
            {
                if (run == 0)
                {
                    break;
                }
                k += run == 15 ? run : throw HuffmanLookup.WrongCode();
                continue;
            }
            k += run;
            if (k >= JpegBlockGeometry.BlockSize)
            {
                throw HuffmanLookup.WrongCode();
            }
            Unsafe.Add(ref block, (nint)k) = (short)(entry >> 16);
        }
        original = cursor;
    }

    /// <summary>A block of a step: the component in the scan, and its tables.</summary>
    private sealed record Part(int Component, HuffmanLookup Dc, HuffmanLookup Ac);
}
