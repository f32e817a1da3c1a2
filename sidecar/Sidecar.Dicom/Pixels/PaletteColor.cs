using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>The Palette Color Lookup Tables (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6, C.7.9.2).</summary>
internal static class PaletteColor
{
    private static readonly string[] Colours = ["red", "green", "blue"];

    /// <summary>The pixel value whose colour has the least luminance; the first of equals. Never assumed to be 0, because many tables start with white.</summary>
    public static long FindDarkestIndex(PixelLayout layout, Part10File file)
    {
        var (first, count) = ReadDescriptor(layout, file);
        var tables = new int[3][];
        for (var colour = 0; colour < 3; colour++)
        {
            tables[colour] = ReadTable(file, colour, count);
        }
        // Values beyond the table show its last entry; only what the pixel cell can hold counts.
        var highest = layout.IsSigned ? (1L << (layout.BitsStored - 1)) - 1 : (long)(ulong.MaxValue >> (64 - layout.BitsStored));
        var (darkest, least) = (-1, double.MaxValue);
        for (var i = 0; i < count && first + i <= highest; i++)
        {
            var luminance = (0.299 * tables[0][i]) + (0.587 * tables[1][i]) + (0.114 * tables[2][i]);
            if (luminance < least)
            {
                (darkest, least) = (i, luminance);
            }
        }
        return darkest < 0 ? throw new DicomFormatException("No entry of the palette can be reached by the pixel values.") : first + darkest;
    }

    /// <summary>The colours of all entries, 0 to 255, and the pixel value of the first.</summary>
    public static (int First, byte[][] Colours) Read(PixelLayout layout, Part10File file)
    {
        var (first, count) = ReadDescriptor(layout, file);
        int[][] tables = [ReadTable(file, 0, count), ReadTable(file, 1, count), ReadTable(file, 2, count)];
        // Some writers leave 8-bit entries in the high byte of 16, some do not: the largest tells.
        var shift = Math.Max(0, int.Log2(Math.Max(1, tables.Max(table => table.Max()))) - 7);
        return (first, Array.ConvertAll(tables, table => Array.ConvertAll(table, entry => (byte)(entry >> shift))));
    }

    private static (int First, int Count) ReadDescriptor(PixelLayout layout, Part10File file)
    {
        var descriptor = file.ReadValue(new DicomTag(0x0028, 0x1101));
        if (descriptor is not { Length: >= 6 })
        {
            throw new DicomFormatException("The image is PALETTE COLOR but has no palette, so black cannot be computed.");
        }
        int count = file.Encoding.ReadUInt16(descriptor);
        int first = file.Encoding.ReadUInt16(descriptor.AsSpan(2));
        return (layout.IsSigned ? (short)first : first, count == 0 ? 65536 : count);
    }

    private static int[] ReadTable(Part10File file, int colour, int count)
    {
        var descriptor = file.ReadValue(new DicomTag(0x0028, (ushort)(0x1101 + colour)));
        var isWide = descriptor is { Length: >= 6 } && file.Encoding.ReadUInt16(descriptor.AsSpan(4)) > 8;
        if (file.ReadValue(new DicomTag(0x0028, (ushort)(0x1201 + colour))) is { } data)
        {
            // 8-bit entries come packed two a word, or, against the letter, one a word: the length tells (PS3.3 C.7.6.3.1.6).
            if (data.Length >= 2 * count)
            {
                return [.. Enumerable.Range(0, count).Select(i => (int)file.Encoding.ReadUInt16(data.AsSpan(2 * i)))];
            }
            if (!isWide && data.Length >= count)
            {
                // Packed entries are words: in big endian the first of a pair comes second.
                return [.. Enumerable.Range(0, count).Select(i => (int)data[file.Encoding.BigEndian && (i ^ 1) < data.Length ? i ^ 1 : i])];
            }
            throw new DicomFormatException($"The {Colours[colour]} palette is shorter than its descriptor says.");
        }
        return file.ReadValue(new DicomTag(0x0028, (ushort)(0x1221 + colour))) is { } segments
            ? ExpandSegments(segments, file.Encoding, isWide, count, Colours[colour])
            : throw new DicomFormatException($"The image is PALETTE COLOR but its {Colours[colour]} palette is missing, so black cannot be computed.");
    }

    /// <summary>PS3.3 C.7.9.2: runs of literal entries, straight lines, and repetitions of earlier segments.</summary>
    private static int[] ExpandSegments(byte[] bytes, DatasetEncoding encoding, bool isWide, int count, string colour)
    {
        var table = new List<int>(count);
        var width = isWide ? 2 : 1;
        var position = 0;
        while (table.Count < count && position < bytes.Length)
        {
            Expand(ref position, mayRepeat: true);
        }
        return table.Count >= count ? [.. table] : throw Damaged();

        int Next(ref int at)
        {
            if (at + width > bytes.Length)
            {
                throw Damaged();
            }
            var value = isWide ? encoding.ReadUInt16(bytes.AsSpan(at)) : bytes[encoding.BigEndian && (at ^ 1) < bytes.Length ? at ^ 1 : at];
            at += width;
            return value;
        }

        void Expand(ref int at, bool mayRepeat)
        {
            var opcode = Next(ref at);
            var length = Next(ref at);
            switch (opcode)
            {
                case 0:
                    for (var i = 0; i < length; i++)
                    {
                        table.Add(Next(ref at));
                    }
                    break;
                case 1 when table.Count > 0:
                    var (from, to) = (table[^1], Next(ref at));
                    for (var i = 1; i <= length; i++)
                    {
                        table.Add(from + (int)Math.Round((to - from) * (double)i / length));
                    }
                    break;
                case 2 when mayRepeat:
                    // The offset is in bytes, least significant word first.
                    var low = Next(ref at);
                    var source = isWide ? low | (Next(ref at) << 16) : low | (Next(ref at) << 8) | (Next(ref at) << 16) | (Next(ref at) << 24);
                    for (var i = 0; i < length; i++)
                    {
                        if (source < 0 || source >= bytes.Length || table.Count > 65536)
                        {
                            throw Damaged();
                        }
                        Expand(ref source, mayRepeat: false);
                    }
                    break;
                default:
                    throw Damaged();
            }
        }

        DicomFormatException Damaged() => new($"The segmented {colour} palette is damaged.");
    }
}
