using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Which pixels of a line are letters, learnt from one picture, to see in others whether they are there too.</summary>
internal sealed class InkPattern
{
    /// <summary>Share of the learnt contrast that letters in another frame have at least: what lies behind them changes.</summary>
    private const double LeastShare = 0.4;

    private readonly Region region;
    private readonly bool[] isInk;
    private readonly double contrast;

    private InkPattern(Region region, bool[] isInk, double contrast) => (this.region, this.isInk, this.contrast) = (region, isInk, contrast);

    /// <summary>Difference of brightness between letters and what lies around them in the picture it was learnt from.</summary>
    public double Contrast => Math.Abs(contrast);

    /// <summary>Letters are the smaller part of two that differ most from what lies around them (Otsu's threshold); null where all is alike.</summary>
    public static InkPattern? Learn(FrameImage image, Region region)
    {
        var values = MeasureRelief(image, region);
        var sorted = values.ToArray();
        Array.Sort(sorted);
        if (sorted[0] == sorted[^1])
        {
            return null;
        }
        var threshold = FindThreshold(sorted);
        var bright = sorted.Length - Array.FindIndex(sorted, value => value > threshold);
        var isBright = bright * 2 <= sorted.Length;
        var pattern = new InkPattern(region, Array.ConvertAll(values, value => value > threshold == isBright), 0);
        return new InkPattern(region, pattern.isInk, pattern.Measure(values));
    }

    public bool IsIn(FrameImage image)
    {
        var here = MeasureIn(image);
        return contrast > 0 ? here >= contrast * LeastShare : here <= contrast * LeastShare;
    }

    /// <summary>Difference between letters and what lies around them, in this picture: as in the one it was learnt from where they are there, near zero where not.</summary>
    public double MeasureIn(FrameImage image) => Measure(MeasureRelief(image, region));

    private double Measure(int[] relief)
    {
        long ink = 0, ground = 0, inkCount = 0;
        for (var i = 0; i < relief.Length; i++)
        {
            if (isInk[i])
            {
                ink += relief[i];
                inkCount++;
            }
            else
            {
                ground += relief[i];
            }
        }
        return ((double)ink / Math.Max(1, inkCount)) - ((double)ground / Math.Max(1, isInk.Length - inkCount));
    }

    /// <summary>
    /// How far each pixel of the region is from the mean of the square around it, as far as that lies in the region, which is as high as a line: the edge of a body that
    /// runs through a line, and is in all frames, would be learnt as its letters otherwise.
    /// </summary>
    private static int[] MeasureRelief(FrameImage image, Region region)
    {
        var (width, height) = (region.Width, region.Height);
        var half = Math.Max(2, Math.Min(width, height) / 2);
        // Sums of all pixels above and left of each.
        var sums = new long[(width + 1) * (height + 1)];
        for (var y = 0; y < height; y++)
        {
            var row = image.Grey.AsSpan(((region.Y + y) * image.Width) + region.X, width);
            long sum = 0;
            for (var x = 0; x < width; x++)
            {
                sum += row[x];
                sums[((y + 1) * (width + 1)) + x + 1] = sums[(y * (width + 1)) + x + 1] + sum;
            }
        }
        var relief = new int[width * height];
        for (int y = 0, i = 0; y < height; y++)
        {
            var (top, bottom) = (Math.Max(y - half, 0) * (width + 1), Math.Min(y + half + 1, height) * (width + 1));
            for (var x = 0; x < width; x++, i++)
            {
                var (left, right) = (Math.Max(x - half, 0), Math.Min(x + half + 1, width));
                var count = (right - left) * ((bottom - top) / (width + 1));
                relief[i] = image.Grey[((region.Y + y) * image.Width) + region.X + x] - (int)((sums[bottom + right] - sums[bottom + left] - sums[top + right] + sums[top + left]) / count);
            }
        }
        return relief;
    }

    private static int FindThreshold(int[] sorted)
    {
        var total = sorted.Sum(value => (double)value);
        var (best, threshold, sum) = (-1.0, sorted[0], 0.0);
        for (var i = 0; i + 1 < sorted.Length; i++)
        {
            sum += sorted[i];
            if (sorted[i] == sorted[i + 1])
            {
                continue;
            }
            var (below, above) = (i + 1.0, sorted.Length - i - 1.0);
            var distance = (sum / below) - ((total - sum) / above);
            var between = below * above * distance * distance;
            if (between > best)
            {
                (best, threshold) = (between, sorted[i]);
            }
        }
        return threshold;
    }
}
