using System.Buffers.Binary;

namespace Sidecar.Dicom.Files;

/// <summary>How the elements of a data set are written (PS3.5 7.1, A.1 to A.3).</summary>
public sealed record DatasetEncoding(bool ExplicitVr, bool BigEndian)
{
    public static readonly DatasetEncoding ImplicitLittleEndian = new(false, false);
    public static readonly DatasetEncoding ExplicitLittleEndian = new(true, false);
    public static readonly DatasetEncoding ExplicitBigEndian = new(true, true);

    public ushort ReadUInt16(ReadOnlySpan<byte> bytes) =>
        BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    public uint ReadUInt32(ReadOnlySpan<byte> bytes) =>
        BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    public void WriteUInt16(Span<byte> bytes, ushort value)
    {
        if (BigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        }
    }

    public void WriteUInt32(Span<byte> bytes, uint value)
    {
        if (BigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }
    }

    internal DicomTag ReadTag(ReadOnlySpan<byte> bytes) => new(ReadUInt16(bytes), ReadUInt16(bytes[2..]));
}
