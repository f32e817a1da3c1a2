namespace Sidecar.Dicom.Files;

/// <summary>
/// Finds where every element of a data set lies, without reading values (PS3.5 7). Elements whose VR is no VR are read as implicit, because writers
/// that drop into implicit VR in the middle of an explicit file exist (pydicom's SC_rgb_jpeg.dcm is one).
/// </summary>
internal sealed class DatasetParser(Stream stream)
{
    private const int MaxDepth = 64;
    private const int MaxFalseSequences = 10_000;
    private const int MaxElements = 1_000_000;
    private const uint UndefinedLength = 0xFFFFFFFF;

    private readonly StreamWindow window = new(stream);
    private int elementCount;
    private int falseSequences;

    /// <summary>The elements of the data set from <paramref name="start"/> to the end of the stream.</summary>
    public List<DicomElement> ParseDataset(long start, DatasetEncoding encoding)
    {
        var elements = new List<DicomElement>();
        ParseElements(start, window.Length, encoding, 0, isDelimited: false, elements);
        return elements;
    }

    /// <summary>The elements of group 0002 (PS3.10 7.1), which are explicit VR little endian whatever follows.</summary>
    public List<DicomElement> ParseFileMeta(long start)
    {
        var elements = new List<DicomElement>();
        while (start + 8 <= window.Length && DatasetEncoding.ExplicitLittleEndian.ReadTag(window.Read(start, 4)).Group == 0x0002)
        {
            var element = ParseElement(start, window.Length, DatasetEncoding.ExplicitLittleEndian, 0);
            elements.Add(element);
            start = element.End;
        }
        return elements;
    }

    /// <summary>
    /// The encoding the first element shows, which wins over what the transfer syntax promises: some writers declare explicit VR and write implicit, or
    /// the reverse.
    /// </summary>
    public DatasetEncoding Recognise(long start, DatasetEncoding declared)
    {
        if (start + 8 > window.Length || declared.BigEndian)
        {
            return declared;
        }
        var head = window.Read(start, 8);
        return declared with { ExplicitVr = new Vr((ushort)((head[4] << 8) | head[5])).IsKnown };
    }

    /// <summary>Whether the value is a chain of items up to its end, as encapsulated pixel data is.</summary>
    public bool LooksEncapsulated(long start, long end)
    {
        var items = 0;
        while (start + 8 <= end)
        {
            var head = window.Read(start, 8);
            var tag = DatasetEncoding.ExplicitLittleEndian.ReadTag(head);
            if (tag == DicomTag.SequenceDelimitation)
            {
                break;
            }
            if (tag != DicomTag.Item)
            {
                return false;
            }
            items++;
            start += 8 + DatasetEncoding.ExplicitLittleEndian.ReadUInt32(head[4..]);
        }
        return items > 1 && start <= end;
    }

    private long ParseElements(long position, long end, DatasetEncoding encoding, int depth, bool isDelimited, List<DicomElement> elements)
    {
        while (position < end)
        {
            if (depth == 0 && IsTrailingPadding(position, end))
            {
                return end;
            }
            if (end - position < 8)
            {
                throw new DicomFormatException($"The file is damaged: {end - position} bytes at byte {position} are too few for an element.");
            }
            var tag = encoding.ReadTag(window.Read(position, 8));
            if (isDelimited && tag == DicomTag.ItemDelimitation)
            {
                return position;
            }
            if (tag.Group == 0xFFFE)
            {
                throw new DicomFormatException($"The file is damaged: a sequence delimiter or item stands at byte {position}, outside of any sequence.");
            }
            if (++elementCount > MaxElements)
            {
                throw new DicomFormatException($"The file has more than {MaxElements} elements.");
            }
            var element = ParseElement(position, end, encoding, depth);
            elements.Add(element);
            position = element.End;
        }
        return isDelimited ? throw new DicomFormatException("The file is truncated: an item of undefined length is not closed.") : position;
    }

    /// <summary>Zeros up to the end of the file, shorter than a sector: some archives pad files so.</summary>
    private bool IsTrailingPadding(long position, long end) =>
        end - position < 4096 && !window.Read(position, (int)(end - position)).ContainsAnyExcept((byte)0);

    private DicomElement ParseElement(long start, long end, DatasetEncoding encoding, int depth)
    {
        var head = window.Read(start, 8);
        var tag = encoding.ReadTag(head);
        var vr = Vr.None;
        long valueStart = start + 8;
        uint length;
        if (encoding.ExplicitVr && new Vr((ushort)((head[4] << 8) | head[5])) is { LooksLikeOne: true } written)
        {
            vr = written;
            length = encoding.ReadUInt16(head[6..]);
            if (vr.HasLongForm)
            {
                length = encoding.ReadUInt32(window.Read(start + 8, 4));
                valueStart += 4;
            }
        }
        else
        {
            length = encoding.ReadUInt32(head[4..]);
        }

        var itemEncoding = vr == Vr.UN ? DatasetEncoding.ImplicitLittleEndian
            : vr == Vr.None ? encoding with { ExplicitVr = false }
            : encoding;
        if (length == UndefinedLength)
        {
            return tag.IsPixelData || vr.IsBulk
                ? ParseFragments(tag, vr, start, valueStart, end, encoding)
                : ParseSequence(tag, vr, start, valueStart, end, itemEncoding, isDelimited: true, depth);
        }
        var valueEnd = valueStart + length;
        if (valueEnd > end)
        {
            throw new DicomFormatException($"The file is damaged or truncated: element {tag} at byte {start} claims {length} bytes, but {end - valueStart} are left.");
        }
        if (vr == Vr.SQ)
        {
            return ParseSequence(tag, vr, start, valueStart, valueEnd, itemEncoding, isDelimited: false, depth);
        }
        return TryParseHiddenSequence(tag, vr, start, valueStart, valueEnd, itemEncoding, depth) ?? new DicomElement
        {
            Tag = tag,
            Vr = vr,
            Start = start,
            ValueStart = valueStart,
            ValueEnd = valueEnd,
            End = valueEnd,
            HasUndefinedLength = false,
        };
    }

    /// <summary>In implicit VR and under UN nothing names a sequence; a value that reads as items to its last byte is one.</summary>
    private DicomElement? TryParseHiddenSequence(DicomTag tag, Vr vr, long start, long valueStart, long valueEnd, DatasetEncoding encoding, int depth)
    {
        if ((vr != Vr.UN && vr != Vr.None) || valueEnd - valueStart < 8 || tag.Group >> 8 is 0x60 or 0x7F
            || encoding.ReadTag(window.Read(valueStart, 4)) != DicomTag.Item)
        {
            return null;
        }
        try
        {
            return ParseSequence(tag, vr, start, valueStart, valueEnd, encoding, isDelimited: false, depth);
        }
        catch (DicomFormatException)
        {
            // Bytes that only looked like an item: an opaque value, kept as it is.
            return ++falseSequences < MaxFalseSequences ? null : throw new DicomFormatException($"The file is damaged: more than {MaxFalseSequences} values look like sequences and are none.");
        }
    }

    private DicomElement ParseSequence(DicomTag tag, Vr vr, long start, long valueStart, long end, DatasetEncoding encoding, bool isDelimited, int depth)
    {
        if (depth >= MaxDepth)
        {
            throw new DicomFormatException($"The file nests sequences deeper than {MaxDepth} levels.");
        }
        var items = new List<DicomItem>();
        var position = valueStart;
        while (isDelimited || position < end)
        {
            if (end - position < 8)
            {
                throw new DicomFormatException($"The file is truncated: sequence {tag} at byte {start} is not closed.");
            }
            var head = window.Read(position, 8);
            var itemTag = encoding.ReadTag(head);
            if (itemTag == DicomTag.SequenceDelimitation && isDelimited)
            {
                return Sequence(position, position + 8);
            }
            if (itemTag != DicomTag.Item)
            {
                throw new DicomFormatException($"The file is damaged: sequence {tag} at byte {start} holds something else than items.");
            }
            var length = encoding.ReadUInt32(head[4..]);
            var elements = new List<DicomElement>();
            if (length == UndefinedLength)
            {
                var valueEnd = ParseElements(position + 8, end, encoding, depth + 1, isDelimited: true, elements);
                items.Add(new DicomItem(position, position + 8, valueEnd, valueEnd + 8, true, elements));
            }
            else
            {
                var valueEnd = position + 8 + length;
                if (valueEnd > end)
                {
                    throw new DicomFormatException($"The file is damaged or truncated: an item of sequence {tag} at byte {position} claims {length} bytes, but {end - position - 8} are left.");
                }
                ParseElements(position + 8, valueEnd, encoding, depth + 1, isDelimited: false, elements);
                items.Add(new DicomItem(position, position + 8, valueEnd, valueEnd, false, elements));
            }
            position = items[^1].End;
        }
        return Sequence(position, position);

        DicomElement Sequence(long valueEnd, long sequenceEnd) => new()
        {
            Tag = tag,
            Vr = vr,
            Start = start,
            ValueStart = valueStart,
            ValueEnd = valueEnd,
            End = sequenceEnd,
            HasUndefinedLength = isDelimited,
            Items = items,
            ItemEncoding = encoding,
        };
    }

    private DicomElement ParseFragments(DicomTag tag, Vr vr, long start, long valueStart, long end, DatasetEncoding encoding)
    {
        var fragments = new List<Fragment>();
        for (var position = valueStart; ; position = fragments[^1].ValueEnd)
        {
            if (end - position < 8)
            {
                throw new DicomFormatException($"The file is truncated: the encapsulated pixel data at byte {start} is not closed.");
            }
            var head = window.Read(position, 8);
            var itemTag = encoding.ReadTag(head);
            if (itemTag == DicomTag.SequenceDelimitation)
            {
                return new DicomElement
                {
                    Tag = tag,
                    Vr = vr,
                    Start = start,
                    ValueStart = valueStart,
                    ValueEnd = position,
                    End = position + 8,
                    HasUndefinedLength = true,
                    Fragments = fragments,
                };
            }
            var length = encoding.ReadUInt32(head[4..]);
            if (itemTag != DicomTag.Item || length > end - position - 8)
            {
                throw new DicomFormatException($"The file is damaged or truncated: fragment {fragments.Count} of the encapsulated pixel data at byte {position} is not whole.");
            }
            fragments.Add(new Fragment(position + 8, position + 8 + length));
            if (++elementCount > MaxElements)
            {
                throw new DicomFormatException($"The file has more than {MaxElements} fragments and elements.");
            }
        }
    }
}
