using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>An overlay plane in an element of its own (PS3.3 C.9.2, C.9.3): one bit a pixel, drawn over the image by viewers, and a usual place for text.</summary>
internal sealed class OverlayPlane
{
    private readonly bool isSwapped;

    private OverlayPlane(Part10File file, ushort group, DicomElement data)
    {
        if (data.Fragments is not null)
        {
            throw new UnsupportedInstanceException($"Overlay {data.Tag} is encapsulated, which the standard does not know.");
        }
        if (file.ReadUInt16(new DicomTag(group, 0x0010)) is not (> 0 and var rows) || file.ReadUInt16(new DicomTag(group, 0x0011)) is not (> 0 and var columns))
        {
            throw new DicomFormatException($"Overlay {data.Tag} has no size, so its bits cannot be matched to the image.");
        }
        (Data, Rows, Columns) = (data, rows, columns);
        // Row and column of the overlay's first bit in the image, 1-based; may be negative.
        (Top, Left) = file.ReadValue(new DicomTag(group, 0x0050)) is { Length: >= 4 } value
            ? ((short)file.Encoding.ReadUInt16(value) - 1, (short)file.Encoding.ReadUInt16(value.AsSpan(2)) - 1)
            : (0, 0);
        FirstImageFrame = (file.ReadUInt16(new DicomTag(group, 0x0051)) ?? 1) - 1;
        isSwapped = file.Encoding.BigEndian && data.Vr == Vr.OW;
        Bits = file.ReadValue(data);
    }

    public DicomElement Data { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>The image's row over which the first bit lies, 0-based; may be negative or below the image.</summary>
    public int Top { get; }

    /// <summary>The image's column over which the first bit lies, 0-based; may be negative or beside the image.</summary>
    public int Left { get; }

    /// <summary>The value as stored.</summary>
    public byte[] Bits { get; }

    /// <summary>Overlay frames that the value has at least one bit of.</summary>
    public int Frames => (int)Math.Min(int.MaxValue, ((Bits.Length * 8L) + FrameBits - 1) / FrameBits);

    /// <summary>The frame of the image, 0-based, that an overlay of several frames begins with.</summary>
    public int FirstImageFrame { get; }

    private long FrameBits => (long)Rows * Columns;

    /// <summary>All planes of the instance that have a value.</summary>
    /// <exception cref="DicomFormatException">One cannot be matched to the image.</exception>
    /// <exception cref="UnsupportedInstanceException">One is encapsulated.</exception>
    public static IEnumerable<OverlayPlane> ReadAll(Part10File file)
    {
        for (ushort group = 0x6000; group <= 0x60FF - 1; group += 2)
        {
            if (file.Find(new DicomTag(group, 0x3000)) is { ValueLength: > 0 } data)
            {
                yield return new OverlayPlane(file, group, data);
            }
        }
    }

    public bool this[int frame, int row, int column]
    {
        get
        {
            var (at, flag) = Place(frame, row, column);
            return at < Bits.Length && (Bits[at] & flag) != 0;
        }
    }

    /// <returns>Whether the bit was set.</returns>
    public bool Clear(int frame, int row, int column)
    {
        var wasSet = this[frame, row, column];
        if (wasSet)
        {
            var (at, flag) = Place(frame, row, column);
            Bits[at] &= (byte)~flag;
        }
        return wasSet;
    }

    private (long At, byte Flag) Place(int frame, int row, int column)
    {
        var bit = (frame * FrameBits) + ((long)row * Columns) + column;
        return ((bit >> 3) ^ (isSwapped ? 1 : 0), (byte)(1 << (int)(bit & 7)));
    }
}
