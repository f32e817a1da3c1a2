namespace Sidecar.Dicom.Pixels;

/// <summary>Writes black over regions of a decoded frame.</summary>
public static class FrameBurner
{
    /// <param name="frame">One frame as <paramref name="shape"/> describes.</param>
    /// <param name="shape">The frame's shape.</param>
    /// <param name="blackUnits">The bytes of a black unit, one array a plane.</param>
    /// <param name="region">Inside the frame; units that it touches go black as a whole.</param>
    public static void Burn(Span<byte> frame, FrameShape shape, IReadOnlyList<byte[]> blackUnits, Region region)
    {
        var units = shape.ToUnits(region);
        for (var plane = 0; plane < shape.Planes; plane++)
        {
            var rows = frame.Slice((int)(plane * shape.PlaneBytes), (int)shape.PlaneBytes);
            var (start, length) = (units.X * shape.UnitBytes, units.Width * shape.UnitBytes);
            var first = rows.Slice((int)(units.Y * shape.RowBytes) + start, length);
            for (var i = 0; i < length; i += shape.UnitBytes)
            {
                blackUnits[plane].CopyTo(first[i..]);
            }
            for (var row = units.Y + 1; row < units.Bottom; row++)
            {
                first.CopyTo(rows[((int)(row * shape.RowBytes) + start)..]);
            }
        }
    }
}
