namespace Sidecar.Dicom.Files;

/// <summary>
/// Finds where every element of a data set lies, without reading values (PS3.5 7). Files that break the rules are read where it stays certain which bytes
/// are the picture: implicit VR amid explicit and the reverse, delimiters too many or too few, lengths in the wrong form, rubbish behind the image.
/// Everything else is refused.
/// </summary>
internal sealed class DatasetParser(Stream stream)
{
    private const int MaxDepth = 64;
    private const int MaxFalseSequences = 10_000;
    private const int MaxElements = 1_000_000;

    /// <summary>Bytes behind the image that need not make sense: more could be a second image.</summary>
    private const int MaxTail = 4096;
    private const uint UndefinedLength = 0xFFFFFFFF;

    private readonly StreamWindow window = new(stream);
    private int elementCount;
    private int falseSequences;

    /// <summary>The elements of the data set from <paramref name="start"/> to the end of the stream.</summary>
    public List<DicomElement> ParseDataset(long start, DatasetEncoding encoding)
    {
        var elements = new List<DicomElement>();
        try
        {
            ParseElements(start, window.Length, encoding, 0, isDelimited: false, elements);
        }
        catch (DicomFormatException) when (elements.Exists(element => element.Tag.IsPixelData) && window.Length - elements[^1].End < MaxTail && !window.NamesPicture(elements[^1].End, window.Length))
        {
            // Left-overs behind a whole image, such as a delimiter too many, belong to nothing and stay as they are.
        }
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
            if (end - position < 8)
            {
                return depth == 0 && window.IsZero(position, end) ? end
                    : throw new DicomFormatException($"The file is damaged: {end - position} bytes at byte {position} are too few for an element.");
            }
            var tag = encoding.ReadTag(window.Read(position, 8));
            if (tag.Value == 0 && depth == 0 && window.IsZero(position, end))
            {
                // Some archives pad files with zeros.
                return end;
            }
            if (tag.Group == 0xFFFE)
            {
                // Some writers end an item by the next one, or by the end of its sequence.
                if (isDelimited && (tag == DicomTag.ItemDelimitation || tag == DicomTag.SequenceDelimitation || tag == DicomTag.Item))
                {
                    return position;
                }
                // Some close what has a length, too, or close a sequence twice.
                if (!isDelimited && (tag == DicomTag.ItemDelimitation || tag == DicomTag.SequenceDelimitation) && encoding.ReadUInt32(window.Read(position + 4, 4)) == 0
                    && (depth == 0 || position + 8 == end))
                {
                    position += 8;
                    continue;
                }
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

    private DicomElement ParseElement(long start, long end, DatasetEncoding encoding, int depth)
    {
        var tag = encoding.ReadTag(window.Read(start, 8));
        var (vr, valueStart, length) = ElementHeader.Read(window, start, end, encoding);
        var itemEncoding = vr == Vr.UN ? DatasetEncoding.ImplicitLittleEndian
            : vr == Vr.None ? encoding with { ExplicitVr = false }
            : encoding;
        if (length == UndefinedLength)
        {
            return tag.IsPixelData || vr.IsBulk
                ? ParseFragments(tag, vr, start, valueStart, end, encoding)
                : ParseItems(tag, vr, start, valueStart, end, itemEncoding, isDelimited: true, depth);
        }
        var valueEnd = valueStart + length;
        if (valueEnd > end)
        {
            throw new DicomFormatException($"The file is damaged or truncated: element {tag} at byte {start} claims {length} bytes, but {end - valueStart} are left.");
        }
        return TryParseItems(tag, vr, start, valueStart, valueEnd, itemEncoding, depth) ?? new DicomElement
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

    /// <summary>
    /// A sequence whose length is known. In implicit VR and under UN nothing names it: a value that reads as items to its last byte is one. A value that only
    /// starts like one is opaque and kept as it is, unless it seems to hold a picture that would then be overlooked.
    /// </summary>
    private DicomElement? TryParseItems(DicomTag tag, Vr vr, long start, long valueStart, long valueEnd, DatasetEncoding encoding, int depth)
    {
        var mayBeOne = vr == Vr.SQ || ((vr == Vr.UN || vr == Vr.None) && valueEnd - valueStart >= 8 && tag.Group >> 8 is not (0x60 or 0x7F)
            && encoding.ReadTag(window.Read(valueStart, 4)) == DicomTag.Item);
        if (!mayBeOne)
        {
            return null;
        }
        try
        {
            return ParseItems(tag, vr, start, valueStart, valueEnd, encoding, isDelimited: false, depth);
        }
        catch (DicomFormatException) when (!window.NamesPicture(valueStart, valueEnd))
        {
            CountFalseSequence();
            return null;
        }
    }

    /// <summary>Items as the encoding says, or else in explicit VR: some writers change to it inside a sequence of an implicit file or under UN.</summary>
    private DicomElement ParseItems(DicomTag tag, Vr vr, long start, long valueStart, long end, DatasetEncoding encoding, bool isDelimited, int depth)
    {
        if (encoding.ExplicitVr)
        {
            return ParseSequence(tag, vr, start, valueStart, end, encoding, isDelimited, depth);
        }
        try
        {
            return ParseSequence(tag, vr, start, valueStart, end, encoding, isDelimited, depth);
        }
        catch (DicomFormatException damage)
        {
            CountFalseSequence();
            try
            {
                return ParseSequence(tag, vr, start, valueStart, end, encoding with { ExplicitVr = true }, isDelimited, depth);
            }
            catch (DicomFormatException)
            {
                throw damage;
            }
        }
    }

    private void CountFalseSequence()
    {
        if (++falseSequences > MaxFalseSequences)
        {
            throw new DicomFormatException($"The file is damaged: more than {MaxFalseSequences} values look like sequences and are none.");
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
            if (itemTag == DicomTag.SequenceDelimitation && (isDelimited || position + 8 == end))
            {
                // Where the length is known, a delimiter is one too many and part of the value.
                return isDelimited ? Sequence(position, position + 8) : Sequence(end, end);
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
                var itemEnd = encoding.ReadTag(window.Read(valueEnd, 4)) == DicomTag.ItemDelimitation ? valueEnd + 8 : valueEnd;
                items.Add(new DicomItem(position, position + 8, valueEnd, itemEnd, true, elements));
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
