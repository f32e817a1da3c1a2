namespace Sidecar.Dicom.Pixels;

/// <summary>A rectangle of stored pixels in one frame. The right and bottom edges are not part of it.</summary>
public sealed record Region
{
    /// <exception cref="ArgumentOutOfRangeException">The origin is negative, the size is not positive, or the far edge is beyond <see cref="int.MaxValue"/>.</exception>
    public Region(int x, int y, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, int.MaxValue - x);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, int.MaxValue - y);
        (X, Y, Width, Height) = (x, y, width, height);
    }

    /// <summary>Column of the left edge, 0-based.</summary>
    public int X { get; }

    /// <summary>Row of the top edge, 0-based.</summary>
    public int Y { get; }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The first column right of the region.</summary>
    public int Right => X + Width;

    /// <summary>The first row below the region.</summary>
    public int Bottom => Y + Height;

    /// <summary>The part that lies in an image of <paramref name="columns"/> × <paramref name="rows"/>, or null where none does.</summary>
    public Region? ClipTo(int columns, int rows)
    {
        var (right, bottom) = (Math.Min(Right, columns), Math.Min(Bottom, rows));
        return X < right && Y < bottom ? new Region(X, Y, right - X, bottom - Y) : null;
    }
}
