namespace Sidecar.Dicom.Text;

/// <summary>Sizes, parts and turns of renderings.</summary>
internal static class Resample
{
    /// <summary>Twice the width and height, in between linear.</summary>
    public static GreyImage Double(GreyImage image)
    {
        var (width, height) = (image.Width * 2, image.Height * 2);
        var pixels = new byte[width * height];
        for (var y = 0; y < height; y++)
        {
            // Places of the new pixels' centres: a quarter before and behind the old ones'.
            var near = image.Pixels.AsSpan(y / 2 * image.Width, image.Width);
            var far = image.Pixels.AsSpan(Math.Clamp((y / 2) + ((y & 1) == 0 ? -1 : 1), 0, image.Height - 1) * image.Width, image.Width);
            var row = pixels.AsSpan(y * width, width);
            for (var x = 0; x < near.Length; x++)
            {
                var (before, behind) = (Math.Max(x - 1, 0), Math.Min(x + 1, near.Length - 1));
                var (here, left, right) = ((3 * near[x]) + far[x], (3 * near[before]) + far[before], (3 * near[behind]) + far[behind]);
                row[2 * x] = (byte)(((3 * here) + left + 8) >> 4);
                row[(2 * x) + 1] = (byte)(((3 * here) + right + 8) >> 4);
            }
        }
        return new GreyImage(width, height, pixels);
    }

    /// <summary>One and a half times the width and height, rounded down, in between linear.</summary>
    public static GreyImage Enlarge(GreyImage image)
    {
        var (width, height) = (image.Width * 3 / 2, image.Height * 3 / 2);
        var pixels = GC.AllocateUninitializedArray<byte>(width * height);
        var (columns, rows) = (PlaceBetween(width, image.Width), PlaceBetween(height, image.Height));
        for (var y = 0; y < height; y++)
        {
            var upper = image.Pixels.AsSpan(rows[y].Before * image.Width, image.Width);
            var lower = image.Pixels.AsSpan(rows[y].Behind * image.Width, image.Width);
            var low = rows[y].Sixths;
            var row = pixels.AsSpan(y * width, width);
            for (var x = 0; x < row.Length; x++)
            {
                var (before, behind, right) = columns[x];
                row[x] = (byte)((((6 - right) * (((6 - low) * upper[before]) + (low * lower[before]))) + (right * (((6 - low) * upper[behind]) + (low * lower[behind]))) + 18) / 36);
            }
        }
        return new GreyImage(width, height, pixels);
    }

    /// <summary>The weighted mean of each pixel and its eight neighbours (1, 2, 1 in both directions): half of the noise, and strokes of two pixels stay.</summary>
    public static GreyImage Smooth(GreyImage image)
    {
        var (width, height) = (image.Width, image.Height);
        var sums = new int[width];
        var pixels = GC.AllocateUninitializedArray<byte>(width * height);
        for (var y = 0; y < height; y++)
        {
            var upper = image.Pixels.AsSpan(Math.Max(y - 1, 0) * width, width);
            var here = image.Pixels.AsSpan(y * width, width);
            var lower = image.Pixels.AsSpan(Math.Min(y + 1, height - 1) * width, width);
            for (var x = 0; x < width; x++)
            {
                sums[x] = upper[x] + (2 * here[x]) + lower[x];
            }
            var row = pixels.AsSpan(y * width, width);
            for (var x = 0; x < width; x++)
            {
                row[x] = (byte)((sums[Math.Max(x - 1, 0)] + (2 * sums[x]) + sums[Math.Min(x + 1, width - 1)] + 8) >> 4);
            }
        }
        return new GreyImage(width, height, pixels);
    }

    /// <summary>The old pixels before and behind the centre of each new one, and how far it is from the first, in sixths.</summary>
    private static (int Before, int Behind, int Sixths)[] PlaceBetween(int length, int old)
    {
        var places = new (int, int, int)[length];
        for (var i = 0; i < length; i++)
        {
            // (i + 1/2) × 2/3 - 1/2
            var sixths = Math.Max((4 * i) - 1, 0);
            places[i] = (sixths / 6, Math.Min((sixths / 6) + 1, old - 1), sixths % 6);
        }
        return places;
    }

    /// <summary>Half the width and height, rounded down: the mean of four.</summary>
    public static GreyImage Halve(GreyImage image)
    {
        var (width, height) = (image.Width / 2, image.Height / 2);
        var pixels = new byte[width * height];
        for (var y = 0; y < height; y++)
        {
            var upper = image.Pixels.AsSpan(2 * y * image.Width, image.Width);
            var lower = image.Pixels.AsSpan(((2 * y) + 1) * image.Width, image.Width);
            for (var x = 0; x < width; x++)
            {
                pixels[(y * width) + x] = (byte)((upper[2 * x] + upper[(2 * x) + 1] + lower[2 * x] + lower[(2 * x) + 1] + 2) >> 2);
            }
        }
        return new GreyImage(width, height, pixels);
    }

    public static GreyImage Crop(GreyImage image, int x, int y, int width, int height)
    {
        var pixels = GC.AllocateUninitializedArray<byte>(width * height);
        for (var row = 0; row < height; row++)
        {
            image.Pixels.AsSpan(((y + row) * image.Width) + x, width).CopyTo(pixels.AsSpan(row * width));
        }
        return new GreyImage(width, height, pixels);
    }

    /// <summary>Turned by 90° clockwise, so that what is written from bottom to top reads from left to right.</summary>
    public static GreyImage Turn(GreyImage image)
    {
        var (width, height) = (image.Height, image.Width);
        var pixels = GC.AllocateUninitializedArray<byte>(width * height);
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                pixels[(x * width) + width - 1 - y] = image.Pixels[(y * image.Width) + x];
            }
        }
        return new GreyImage(width, height, pixels);
    }
}
