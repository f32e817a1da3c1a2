using System.Text;

namespace Sidecar.Dicom.Files;

/// <summary>Builds the bytes of new elements in a data set's own encoding. Text must be ASCII, which every DICOM character set contains.</summary>
internal sealed class ElementWriter(DatasetEncoding encoding)
{
    public byte[] Element(DicomTag tag, string vr, ReadOnlySpan<byte> value)
    {
        var written = new Vr(vr);
        var isLong = written.HasLongForm;
        var padded = value.Length + (value.Length & 1);
        if (encoding.ExplicitVr && !isLong && padded > ushort.MaxValue)
        {
            throw new UnsupportedInstanceException($"Element {tag} would grow past the 65,534 bytes that its VR allows.");
        }
        var headLength = encoding.ExplicitVr && isLong ? 12 : 8;
        var bytes = new byte[headLength + padded];
        encoding.WriteUInt16(bytes, tag.Group);
        encoding.WriteUInt16(bytes.AsSpan(2), tag.Element);
        if (!encoding.ExplicitVr)
        {
            encoding.WriteUInt32(bytes.AsSpan(4), (uint)padded);
        }
        else
        {
            (bytes[4], bytes[5]) = ((byte)vr[0], (byte)vr[1]);
            if (isLong)
            {
                encoding.WriteUInt32(bytes.AsSpan(8), (uint)padded);
            }
            else
            {
                encoding.WriteUInt16(bytes.AsSpan(6), (ushort)padded);
            }
        }
        value.CopyTo(bytes.AsSpan(headLength));
        if (padded > value.Length)
        {
            bytes[^1] = (byte)' ';
        }
        return bytes;
    }

    public byte[] Text(DicomTag tag, string vr, string text) => Element(tag, vr, Encoding.Latin1.GetBytes(text));

    public byte[] Sequence(DicomTag tag, params ReadOnlySpan<byte[]> items) => Element(tag, "SQ", Concatenate(items));

    /// <summary>An item of defined length holding <paramref name="elements"/>.</summary>
    public byte[] Item(params ReadOnlySpan<byte[]> elements)
    {
        var content = Concatenate(elements);
        var bytes = new byte[8 + content.Length];
        encoding.WriteUInt16(bytes, DicomTag.Item.Group);
        encoding.WriteUInt16(bytes.AsSpan(2), DicomTag.Item.Element);
        encoding.WriteUInt32(bytes.AsSpan(4), (uint)content.Length);
        content.CopyTo(bytes, 8);
        return bytes;
    }

    private static byte[] Concatenate(ReadOnlySpan<byte[]> parts)
    {
        using var all = new MemoryStream();
        foreach (var part in parts)
        {
            all.Write(part);
        }
        return all.ToArray();
    }
}
