using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>Overlay planes in their own elements (PS3.3 C.9.2): one bit a pixel, drawn over the image by viewers, and a usual place for text.</summary>
internal static class OverlayPlanes
{
    /// <summary>Plans clearing the bits of every overlay frame that lie over one of <paramref name="regions"/>.</summary>
    public static void Plan(Part10File file, FileEdits edits, IReadOnlyList<Region> regions)
    {
        for (ushort group = 0x6000; group <= 0x60FF - 1; group += 2)
        {
            if (file.Find(new DicomTag(group, 0x3000)) is not { ValueLength: > 0 } data)
            {
                continue;
            }
            if (data.Fragments is not null)
            {
                throw new UnsupportedInstanceException($"Overlay {data.Tag} is encapsulated, which the standard does not know.");
            }
            var bits = file.ReadValue(data);
            if (Clear(file, group, data, bits, regions))
            {
                edits.Replace(data.ValueStart, data.ValueEnd, bits);
            }
        }
    }

    private static bool Clear(Part10File file, ushort group, DicomElement data, byte[] bits, IReadOnlyList<Region> regions)
    {
        var (rows, columns) = (file.ReadUInt16(new DicomTag(group, 0x0010)), file.ReadUInt16(new DicomTag(group, 0x0011)));
        if (rows is not > 0 || columns is not > 0)
        {
            throw new DicomFormatException($"Overlay {data.Tag} has no size, so its bits cannot be matched to the image.");
        }
        // Row and column of the overlay's first bit in the image, 1-based; may be negative (PS3.3 C.9.2).
        var origin = file.ReadValue(new DicomTag(group, 0x0050)) is { Length: >= 4 } value
            ? ((short)file.Encoding.ReadUInt16(value) - 1, (short)file.Encoding.ReadUInt16(value.AsSpan(2)) - 1)
            : (0, 0);
        var isSwapped = file.Encoding.BigEndian && data.Vr == Vr.OW;
        var frameBits = (long)rows.Value * columns.Value;
        var changed = false;
        for (var frame = 0L; frame * frameBits < bits.Length * 8L; frame++)
        {
            foreach (var region in regions)
            {
                var top = Math.Max(region.Y - origin.Item1, 0);
                var bottom = Math.Min(region.Bottom - origin.Item1, rows.Value);
                var left = Math.Max(region.X - origin.Item2, 0);
                var right = Math.Min(region.Right - origin.Item2, columns.Value);
                for (var row = top; row < bottom; row++)
                {
                    for (var column = left; column < right; column++)
                    {
                        var bit = (frame * frameBits) + ((long)row * columns.Value) + column;
                        changed |= ClearBit(bits, bit, isSwapped);
                    }
                }
            }
        }
        return changed;
    }

    private static bool ClearBit(byte[] bits, long bit, bool isSwapped)
    {
        var at = (bit >> 3) ^ (isSwapped ? 1 : 0);
        if (at >= bits.Length)
        {
            return false;
        }
        var flag = (byte)(1 << (int)(bit & 7));
        var was = (bits[at] & flag) != 0;
        bits[at] &= (byte)~flag;
        return was;
    }
}
