using System.Runtime.CompilerServices;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Reads the differences of a scan of the lossless process, row by row (ISO/IEC 10918-1 H.2). Rented memory: dispose it.</summary>
internal sealed class JpegLosslessReader : IDisposable
{
    /// <summary>Of 31 bits each, they are less than the slack.</summary>
    private const int UncheckedSamples = EntropyBits.SlackBits / 32;

    private HuffmanLookup[] lookups = []; // One a component of the scan.

    /// <summary>The bits of the restart interval.</summary>
    public EntropyBits Bits { get; } = new();

    /// <summary>The number of the bit that is next.</summary>
    public long Position { get; private set; }

    public void StartScan(JpegLosslessScan scan) => lookups = [.. scan.Scan.Components.Select(component => component.Dc!.Lookup)];

    /// <summary>Goes to the start of a restart interval.</summary>
    /// <param name="entropy">As in <see cref="EntropyBits.LoadInterval"/>.</param>
    /// <param name="index">Number of the interval in its scan.</param>
    public void StartInterval(ref ReadOnlySpan<byte> entropy, int index)
    {
        Bits.LoadInterval(ref entropy, index);
        Position = 0;
    }

    /// <summary>Reads a row, pixel by pixel, modulo 65536.</summary>
    /// <exception cref="Files.DicomFormatException">The bits are damaged or end too early.</exception>
    public void Read(Span<ushort> differences)
    {
        // Rounded down to whole pixels.
        var stretch = UncheckedSamples / lookups.Length * lookups.Length;
        for (; differences.Length > 0; differences = differences[Math.Min(stretch, differences.Length)..])
        {
            Bits.CheckEnd(Position);
            var next = differences[..Math.Min(stretch, differences.Length)];
            if (Array.TrueForAll(lookups, lookup => lookup == lookups[0]))
            {
                Read(next, lookups[0]);
            }
            else
            {
                ReadSeveral(next);
            }
        }
        Bits.CheckEnd(Position);
    }

    public void Dispose() => Bits.Dispose();

    // Compiled at once with all optimization: the first frame takes as long as many calls of anything else.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Read(Span<ushort> differences, HuffmanLookup lookup)
    {
        var cursor = new BitCursor(Bits, Position);
        for (var i = 0; i < differences.Length; i++)
        {
            if ((i & 1) == 0)
            {
                cursor.Load();
            }
            var entry = cursor.Peek(lookup);
            differences[i] = Difference(entry);
            cursor.Skip(entry);
        }
        Position = cursor.Position;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadSeveral(Span<ushort> differences)
    {
        var cursor = new BitCursor(Bits, Position);
        for (var i = 0; i < differences.Length;)
        {
            foreach (var lookup in lookups)
            {
                cursor.Load();
                var entry = cursor.Peek(lookup);
                differences[i++] = Difference(entry);
                cursor.Skip(entry);
            }
        }
        Position = cursor.Position;
    }

    /// <summary>Symbol 16 has no additional bits and says 32768 (ISO/IEC 10918-1 table H.2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort Difference(int entry) => (ushort)((entry >> 16) + ((entry & 0x1000) << 3));
}
