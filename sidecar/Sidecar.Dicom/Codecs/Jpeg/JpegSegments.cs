namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Writes marker segments.</summary>
internal static class JpegSegments
{
    public static void WriteStart(Stream result) => result.Write([0xFF, JpegMarker.StartOfImage]);

    public static void WriteEnd(Stream result) => result.Write([0xFF, JpegMarker.EndOfImage]);

    /// <summary>
    /// Copies a marker segment, unless cameras and converters keep a small copy of the picture in such segments, where a masked text would survive:
    /// JFIF thumbnails, JFXX, Exif, multi-picture and Photoshop segments.
    /// </summary>
    public static void Copy(ReadOnlySpan<byte> segment, Stream result)
    {
        var start = segment.IndexOfAnyExcept((byte)0xFF);
        var marker = segment[start];
        var content = segment[(start + 3)..];
        if ((marker == JpegMarker.App0 && content.StartsWith("JFXX\0"u8))
            || (marker == JpegMarker.App1 && content.StartsWith("Exif"u8))
            || (marker == JpegMarker.App2 && content.StartsWith("MPF\0"u8))
            || (marker == JpegMarker.App13 && content.StartsWith("Photoshop"u8)))
        {
            return;
        }
        if (marker == JpegMarker.App0 && content.StartsWith("JFIF\0"u8) && content.Length > 14)
        {
            result.Write([0xFF, JpegMarker.App0, 0, 16]);
            result.Write(content[..12]);
            result.Write([0, 0]);
            return;
        }
        result.Write(segment);
    }

    /// <summary>As <see cref="Copy(ReadOnlySpan{byte}, Stream)"/>; where the segment defines a table that was replaced, all it defines is written anew.</summary>
    /// <param name="bytes">The codestream.</param>
    /// <param name="segment">One of its segments.</param>
    /// <param name="structure">Its structure.</param>
    /// <param name="replaced">Tables, by those they replace.</param>
    /// <param name="result">Where to.</param>
    public static void Copy(
        ReadOnlySpan<byte> bytes,
        JpegSegment segment,
        JpegCodestream structure,
        IReadOnlyDictionary<JpegHuffmanDefinition, HuffmanTable> replaced,
        Stream result)
    {
        var definitions = structure.HuffmanDefinitions.Where(definition => definition.Segment == segment);
        if (!definitions.Any(replaced.ContainsKey))
        {
            Copy(bytes[segment.Segment], result);
            return;
        }
        foreach (var definition in definitions)
        {
            WriteHuffmanTable(definition.Selector, replaced.GetValueOrDefault(definition, definition.Table), result);
        }
    }

    public static void WriteHuffmanTable(byte selector, HuffmanTable table, Stream result)
    {
        var length = 19 + table.Symbols.Length;
        result.Write([0xFF, JpegMarker.DefineHuffmanTables, (byte)(length >> 8), (byte)length, selector]);
        result.Write(table.Counts);
        result.Write(table.Symbols);
    }
}
