namespace Sidecar.Dicom.Pixels;

/// <summary>
/// How one decoded frame lies in memory: planes of rows of units. A unit is the smallest group of bytes that can be black on its own: a pixel, one
/// sample of it where planes are apart, two pixels that share their chrominance, or a block of a transform.
/// </summary>
/// <param name="Planes">1, or one a sample.</param>
/// <param name="UnitRows">Rows of units in a plane.</param>
/// <param name="UnitsPerRow">Units in a row.</param>
/// <param name="UnitBytes">Bytes of a unit.</param>
/// <param name="UnitWidth">Columns of pixels that a unit covers.</param>
/// <param name="UnitHeight">Rows of pixels that a unit covers.</param>
public readonly record struct FrameShape(int Planes, int UnitRows, int UnitsPerRow, int UnitBytes, int UnitWidth = 1, int UnitHeight = 1)
{
    /// <summary>Columns of pixels left and right of a unit that decoders mix with its own; 0 for most.</summary>
    public int ReachX { get; init; }

    /// <summary>Rows of pixels above and below a unit that decoders mix with its own; 0 for most.</summary>
    public int ReachY { get; init; }

    public long RowBytes => (long)UnitsPerRow * UnitBytes;

    public long PlaneBytes => RowBytes * UnitRows;

    public long FrameBytes => PlaneBytes * Planes;

    /// <summary>The pixels that go black when <paramref name="region"/> does: widened to whole units, then clipped to the image.</summary>
    public Region Snap(Region region, int columns, int rows)
    {
        var units = ToUnits(region);
        var (x, y) = (units.X * UnitWidth, units.Y * UnitHeight);
        return new Region(x, y, Math.Min(units.Right * UnitWidth, columns) - x, Math.Min(units.Bottom * UnitHeight, rows) - y);
    }

    /// <summary>The units that <paramref name="region"/> touches or that a decoder mixes into it.</summary>
    internal Region ToUnits(Region region)
    {
        var (left, right) = ToUnits(region.X - ReachX, region.Right + ReachX, UnitWidth, UnitsPerRow);
        var (top, bottom) = ToUnits(region.Y - ReachY, region.Bottom + ReachY, UnitHeight, UnitRows);
        return new Region(left, top, right - left, bottom - top);
    }

    private static (int First, int End) ToUnits(int start, int end, int size, int count) =>
        (Math.Max(start, 0) / size, Math.Min((end + size - 1) / size, count));
}
