using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>How far each pixel is from the mean of its surroundings, in the full depth that is stored, and how far pixels there are on average.</summary>
internal sealed class LocalContrast
{
    /// <summary>Deviations from the mean that are shown black and white.</summary>
    private const float Span = 3;

    private readonly int width;
    private readonly float[] distance;
    private readonly float[] deviation;

    private LocalContrast(int width, float[] distance, float[] deviation) => (this.width, this.distance, this.deviation) = (width, distance, deviation);

    /// <param name="picture">Its brightness.</param>
    /// <param name="side">Of the square around each pixel. Odd; pixels.</param>
    public static LocalContrast Measure(FrameImage picture, int side)
    {
        var distance = Array.ConvertAll(picture.Grey, value => (float)value);
        var mean = Average(distance, picture.Width, picture.Height, side);
        for (var i = 0; i < distance.Length; i++)
        {
            distance[i] -= mean[i];
        }
        return new LocalContrast(picture.Width, distance, Average(Array.ConvertAll(distance, Math.Abs), picture.Width, picture.Height, side));
    }

    /// <summary>The pixels that are farther above the mean of their surroundings than so many deviations, or below where it is negative.</summary>
    public bool[] Mark(double deviations)
    {
        var (factor, sign) = ((float)Math.Abs(deviations), Math.Sign(deviations));
        var marks = new bool[distance.Length];
        for (var i = 0; i < marks.Length; i++)
        {
            // Half a stored value at least: an even ground deviates by what rounding adds.
            marks[i] = sign * distance[i] > Math.Max(0.5f, factor * deviation[i]);
        }
        return marks;
    }

    /// <summary>A part, its surroundings' mean grey.</summary>
    public GreyImage Render(Region region)
    {
        var pixels = new byte[region.Width * region.Height];
        for (var i = 0; i < pixels.Length; i++)
        {
            var at = ((region.Y + (i / region.Width)) * width) + region.X + (i % region.Width);
            pixels[i] = (byte)Math.Clamp(128 + (distance[at] / (Math.Max(0.5f, deviation[at]) * Span) * 127), 0, 255);
        }
        return new GreyImage(region.Width, region.Height, pixels);
    }

    /// <summary>The mean of the square around each pixel, as far as it lies in the picture: running sums along columns, then rows.</summary>
    private static float[] Average(float[] values, int width, int height, int side)
    {
        var half = side / 2;
        var columns = new double[width];
        var averages = new float[values.Length];
        for (var y = 0; y < Math.Min(half, height); y++)
        {
            AddRow(y, 1);
        }
        for (var y = 0; y < height; y++)
        {
            if (y + half < height)
            {
                AddRow(y + half, 1);
            }
            if (y - half - 1 >= 0)
            {
                AddRow(y - half - 1, -1);
            }
            var rows = Math.Min(y + half, height - 1) - Math.Max(y - half, 0) + 1;
            var sum = 0.0;
            for (var x = 0; x < Math.Min(half, width); x++)
            {
                sum += columns[x];
            }
            for (var x = 0; x < width; x++)
            {
                sum += x + half < width ? columns[x + half] : 0;
                sum -= x - half - 1 >= 0 ? columns[x - half - 1] : 0;
                averages[(y * width) + x] = (float)(sum / (rows * (Math.Min(x + half, width - 1) - Math.Max(x - half, 0) + 1)));
            }
        }
        return averages;

        void AddRow(int row, int sign)
        {
            var line = values.AsSpan(row * width, width);
            for (var x = 0; x < line.Length; x++)
            {
                columns[x] += sign * line[x];
            }
        }
    }
}
