namespace Sidecar.Dicom.Files;

/// <summary>The head of one element (PS3.5 7.1): its VR as written, <see cref="Vr.None"/> in implicit VR; where its value starts, and how long it says it is.</summary>
internal readonly record struct ElementHeader(Vr Vr, long ValueStart, uint Length)
{
    public static ElementHeader Read(StreamWindow window, long start, long end, DatasetEncoding encoding)
    {
        var head = window.Read(start, 8);
        var (tag, letters) = (encoding.ReadTag(head), new Vr((ushort)((head[4] << 8) | head[5])));
        var (shortLength, implicitLength) = (encoding.ReadUInt16(head[6..]), encoding.ReadUInt32(head[4..]));
        if (!encoding.ExplicitVr)
        {
            return new(Vr.None, start + 8, implicitLength);
        }
        if (!letters.LooksLikeOne)
        {
            // Implicit VR amid explicit (pydicom's SC_rgb_jpeg.dcm), or a VR of zeros, blanks or question marks in the short form.
            return !LeadsOn(window, tag, start + 8 + implicitLength, end, encoding) && LeadsOn(window, tag, start + 8 + shortLength, end, encoding)
                ? new(letters, start + 8, shortLength)
                : new(Vr.None, start + 8, implicitLength);
        }
        if (!letters.HasLongForm)
        {
            return new(letters, start + 8, shortLength);
        }
        // The two bytes before a long length are reserved and 0. Some writers put a short length there.
        var longLength = encoding.ReadUInt32(window.Read(start + 8, 4));
        return shortLength != 0 && longLength != uint.MaxValue && !LeadsOn(window, tag, start + 12 + longLength, end, encoding) && LeadsOn(window, tag, start + 8 + shortLength, end, encoding)
            ? new(letters, start + 8, shortLength)
            : new(letters, start + 12, longLength);
    }

    /// <summary>Whether an element that ends at <paramref name="position"/> is followed by another, by a delimiter, or by the end.</summary>
    private static bool LeadsOn(StreamWindow window, DicomTag tag, long position, long end, DatasetEncoding encoding)
    {
        if (position == end || position + 8 > end)
        {
            return position == end;
        }
        var next = window.Read(position, 8);
        var nextTag = encoding.ReadTag(next);
        return nextTag.Value > tag.Value
            && (nextTag.Group == 0xFFFE || new Vr((ushort)((next[4] << 8) | next[5])).IsKnown || position + 8 + encoding.ReadUInt32(next[4..]) <= end);
    }
}
