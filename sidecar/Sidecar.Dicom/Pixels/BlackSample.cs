using System.Buffers.Binary;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>
/// Black as the pixel cells of one instance store it, one cell a sample. Unused bits are clear, so that no overlay hides in them, except the sign bits
/// of two's complement cells, which are repeated upward as writers do.
/// </summary>
public sealed class BlackSample
{
    private readonly ulong[] cells;

    private BlackSample(ulong[] cells) => this.cells = cells;

    /// <summary>The cell of each sample, unused bits included.</summary>
    public IReadOnlyList<ulong> Cells => cells;

    /// <exception cref="DicomFormatException">The palette that defines the colours is missing or damaged.</exception>
    public static BlackSample Compute(PixelLayout layout, Part10File file)
    {
        if (layout.SampleKind != SampleKind.WholeNumber)
        {
            // No stored range has a lowest value here; positive zero is the value that means "nothing" in every parametric map.
            return new BlackSample([0]);
        }
        var lowest = layout.IsSigned ? -1L << (layout.BitsStored - 1) : 0;
        var highest = unchecked((long)(ulong.MaxValue >> (64 - layout.BitsStored + (layout.IsSigned ? 1 : 0))));
        long[] values = layout.PhotometricInterpretation switch
        {
            // PS3.3 C.7.6.3.1.2: in MONOCHROME1 the lowest value is white.
            "MONOCHROME1" => [highest],
            "MONOCHROME2" => [lowest],
            "PALETTE COLOR" => [PaletteColor.FindDarkestIndex(layout, file)],
            // PS3.5 8.2.4: the transforms of JPEG 2000 are part of its decoding, so that decoded samples are red, green and blue.
            "RGB" or "YBR_RCT" or "YBR_ICT" => [lowest, lowest, lowest],
            // PS3.3 C.7.6.3.1.2: chrominance is stored with half of the range added; luminance 16 is black in the partial-range model.
            "YBR_PARTIAL_422" or "YBR_PARTIAL_420" => [1L << Math.Max(0, layout.BitsStored - 4), 1L << (layout.BitsStored - 1), 1L << (layout.BitsStored - 1)],
            _ => [0, 1L << (layout.BitsStored - 1), 1L << (layout.BitsStored - 1)],
        };
        var overlayBits = FindOverlayBits(layout, file);
        return new BlackSample(Array.ConvertAll(values, value => ToCell(value, layout, overlayBits)));
    }

    /// <summary>The bytes of one black unit, one array a plane of <paramref name="shape"/>.</summary>
    public IReadOnlyList<byte[]> FillUnits(FrameShape shape, int sampleBytes, bool isBigEndian) =>
        [.. Enumerable.Range(0, shape.Planes).Select(plane => FillUnit(shape, plane, sampleBytes, isBigEndian))];

    private byte[] FillUnit(FrameShape shape, int plane, int sampleBytes, bool isBigEndian)
    {
        // Two pixels that share their chrominance are stored as Y Y Cb Cr (PS3.3 C.7.6.3.1.2).
        ulong[] unit = shape.UnitWidth == 2 ? [cells[0], cells[0], cells[1], cells[2]]
            : shape.Planes == 1 ? cells
            : [cells[plane]];
        var bytes = new byte[shape.UnitBytes];
        Span<byte> cell = stackalloc byte[8];
        for (var i = 0; i < unit.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(cell, unit[i]);
            var target = bytes.AsSpan(i * sampleBytes, sampleBytes);
            cell[..sampleBytes].CopyTo(target);
            if (isBigEndian)
            {
                target.Reverse();
            }
        }
        return bytes;
    }

    private static ulong ToCell(long value, PixelLayout layout, ulong overlayBits)
    {
        var lowBit = layout.HighBit + 1 - layout.BitsStored;
        var cell = (ulong)value << lowBit;
        if (!layout.IsSigned || value >= 0)
        {
            var stored = (ulong.MaxValue >> (64 - layout.BitsStored)) << lowBit;
            return cell & stored;
        }
        return cell & (ulong.MaxValue >> (64 - layout.BitsAllocated)) & ~overlayBits;
    }

    /// <summary>PS3.3 C.9.2, retired in 2004 but in archives: overlay planes in unused high bits of the cells.</summary>
    public static ulong FindOverlayBits(PixelLayout layout, Part10File file)
    {
        var bits = 0UL;
        for (ushort group = 0x6000; group <= 0x601E; group += 2)
        {
            if (file.ReadUInt16(new DicomTag(group, 0x0102)) is { } position && file.Find(new DicomTag(group, 0x3000)) is null
                && position < layout.BitsAllocated && (position > layout.HighBit || position <= layout.HighBit - layout.BitsStored))
            {
                bits |= 1UL << position;
            }
        }
        return bits;
    }
}
