namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Writes rows of differences of a scan of the lossless process (ISO/IEC 10918-1 H.1.2).</summary>
internal sealed class JpegLosslessRowWriter
{
    /// <summary>Categories of differences (ISO/IEC 10918-1 table H.2).</summary>
    public const int Categories = 17;

    /// <summary>Places kept for the categories of one component: a power of two.</summary>
    private const int Stride = 32;

    private readonly BitWriter writer;
    private readonly int step; // Stride times the components.
    private readonly uint[] codes; // Component by component: the code of a category, moved to the left by its additional bits.
    private readonly byte[] lengths; // Bits of the code and the additional ones.
    private readonly ulong[] entries;

    /// <param name="scan">The scan.</param>
    /// <param name="tables">One a component of the scan. Categories that a table lacks are written in no bits.</param>
    /// <param name="writer">Where to.</param>
    public JpegLosslessRowWriter(JpegLosslessScan scan, IReadOnlyList<HuffmanTable> tables, BitWriter writer)
    {
        (this.writer, step) = (writer, Stride * scan.Components);
        (codes, lengths, entries) = (new uint[step], new byte[step], new ulong[scan.RowSamples]);
        for (var i = 0; i < scan.Components; i++)
        {
            foreach (var category in Enumerable.Range(0, Categories).Where(tables[i].Contains))
            {
                var code = tables[i].Code(category);
                var additional = category & 15;
                codes[(i * Stride) + category] = (uint)(code >> 8) << additional;
                lengths[(i * Stride) + category] = (byte)((code & 0xFF) + additional);
            }
        }
    }

    /// <summary>Finds the categories that <paramref name="differences"/> have.</summary>
    /// <returns>One bit a category, for each component.</returns>
    public static uint[] FindCategories(ReadOnlySpan<ushort> differences, int components)
    {
        var found = new uint[components];
        for (int i = 0, component = 0; i < differences.Length; i++)
        {
            found[component] |= 1u << HuffmanTable.Category((short)differences[i]);
            component = component + 1 == components ? 0 : component + 1;
        }
        return found;
    }

    /// <param name="differences">Pixel by pixel, modulo 65536.</param>
    public void Write(ReadOnlySpan<ushort> differences)
    {
        var target = entries.AsSpan(0, differences.Length);
        var component = 0;
        for (var i = 0; i < differences.Length; i++)
        {
            int difference = (short)differences[i];
            var category = HuffmanTable.Category(difference);
            // Negative ones are coded as one less, in as many bits as the magnitude has; 16 has none.
            var additional = (uint)(difference + (difference >> 31)) & ((1u << (category & 15)) - 1);
            var index = component + category;
            target[i] = ((ulong)(codes[index] | additional) << 8) | lengths[index];
            component = component + Stride == step ? 0 : component + Stride;
        }
        writer.Reserve(32L * target.Length);
        writer.Write(target);
    }
}
