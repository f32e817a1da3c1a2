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

    /// <summary>Letters are the smaller part of two that differ most in brightness (Otsu's threshold); null where all is alike.</summary>
    public static InkPattern? Learn(FrameImage image, Region region)
    {
        var values = new ushort[region.Width * region.Height];
        for (var y = 0; y < region.Height; y++)
        {
            image.Grey.AsSpan(((region.Y + y) * image.Width) + region.X, region.Width).CopyTo(values.AsSpan(y * region.Width));
        }
        var sorted = values.ToArray();
        Array.Sort(sorted);
        if (sorted[0] == sorted[^1])
        {
            return null;
        }
        var threshold = FindThreshold(sorted);
        var bright = sorted.Length - Array.FindIndex(sorted, value => value > threshold);
        var isBright = bright * 2 <= sorted.Length;
        var isInk = Array.ConvertAll(values, value => value > threshold == isBright);
        var pattern = new InkPattern(region, isInk, 0);
        return new InkPattern(region, isInk, pattern.Measure(image));
    }

    public bool IsIn(FrameImage image)
    {
        var here = Measure(image);
        return contrast > 0 ? here >= contrast * LeastShare : here <= contrast * LeastShare;
    }

    private double Measure(FrameImage image)
    {
        long ink = 0, ground = 0, inkCount = 0;
        for (int y = 0, i = 0; y < region.Height; y++)
        {
            var row = image.Grey.AsSpan(((region.Y + y) * image.Width) + region.X, region.Width);
            for (var x = 0; x < row.Length; x++, i++)
            {
                if (isInk[i])
                {
                    ink += row[x];
                    inkCount++;
                }
                else
                {
                    ground += row[x];
                }
            }
        }
        return ((double)ink / Math.Max(1, inkCount)) - ((double)ground / Math.Max(1, isInk.Length - inkCount));
    }

    private static int FindThreshold(ushort[] sorted)
    {
        var total = sorted.Sum(value => (double)value);
        var (best, threshold, sum) = (-1.0, (int)sorted[0], 0.0);
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
