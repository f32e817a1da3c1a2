namespace Sidecar.Worker;

/// <summary>Makes of a line what Tesseract reads best: black on white, full contrast, letters of 20 to 60 pixels, room around them.</summary>
internal sealed class LinePicture
{
    /// <summary>Lines up to this high are doubled; of more than twice this, every second pixel is enough. Pixels.</summary>
    private const int SmallHeight = 48;

    private const int Room = 10;
    private const byte White = 255;

    public byte[] Pixels { get; private set; } = [];

    public int Width { get; private set; }

    public int Height { get; private set; }

    public void Prepare(ReadOnlySpan<byte> line, int columns, int rows)
    {
        var step = 1;
        while (rows / step > 2 * SmallHeight)
        {
            step *= 2;
        }
        var scale = rows <= SmallHeight ? 2 : 1;
        var (width, height) = (columns / step, rows / step);
        (Width, Height) = ((width * scale) + (2 * Room), (height * scale) + (2 * Room));
        if (Pixels.Length != Width * Height)
        {
            Pixels = new byte[Width * Height];
        }
        Array.Fill(Pixels, White);
        var table = StretchToBlackOnWhite(line);
        for (var y = 0; y < height * scale; y++)
        {
            var target = Pixels.AsSpan(((y + Room) * Width) + Room, width * scale);
            for (var x = 0; x < target.Length; x++)
            {
                target[x] = table[step > 1 ? Mean(line, columns, x * step, y * step, step) : scale == 1 ? line[(y * columns) + x] : Doubled(line, columns, rows, x, y)];
            }
        }
    }

    /// <summary>What each value becomes. The background is what most pixels are: letters cover less than half of their box.</summary>
    private static byte[] StretchToBlackOnWhite(ReadOnlySpan<byte> line)
    {
        Span<int> histogram = stackalloc int[256];
        foreach (var value in line)
        {
            histogram[value]++;
        }
        var (low, median, high) = (Rank(histogram, line.Length / 100), Rank(histogram, line.Length / 2), Rank(histogram, line.Length - 1 - (line.Length / 100)));
        var isDark = median - low <= high - median; // also where all is alike: white then
        var table = new byte[256];
        for (var i = 0; i < table.Length; i++)
        {
            var stretched = Math.Clamp((i - low) * 255 / Math.Max(1, high - low), 0, 255);
            table[i] = (byte)(isDark ? 255 - stretched : stretched);
        }
        return table;
    }

    private static int Rank(ReadOnlySpan<int> histogram, int rank)
    {
        var value = 0;
        for (var count = histogram[0]; count <= rank && value < 255; count += histogram[value])
        {
            value++;
        }
        return value;
    }

    private static byte Mean(ReadOnlySpan<byte> line, int columns, int x, int y, int step)
    {
        var sum = 0;
        for (var dy = 0; dy < step; dy++)
        {
            foreach (var value in line.Slice(((y + dy) * columns) + x, step))
            {
                sum += value;
            }
        }
        return (byte)(sum / (step * step));
    }

    // Bilinear: centres of the small pixels lie a quarter off those of the large ones.
    private static byte Doubled(ReadOnlySpan<byte> line, int columns, int rows, int x, int y)
    {
        var (x0, y0) = (x / 2, y / 2);
        var x1 = Math.Clamp(x0 + ((x & 1) == 0 ? -1 : 1), 0, columns - 1);
        var y1 = Math.Clamp(y0 + ((y & 1) == 0 ? -1 : 1), 0, rows - 1);
        return (byte)(((9 * line[(y0 * columns) + x0]) + (3 * line[(y0 * columns) + x1]) + (3 * line[(y1 * columns) + x0]) + line[(y1 * columns) + x1] + 8) / 16);
    }
}
