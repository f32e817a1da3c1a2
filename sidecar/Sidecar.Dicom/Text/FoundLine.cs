using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>A line of text in one picture, from all views of it together.</summary>
/// <param name="Region">In pixels of the frame.</param>
/// <param name="Confidence">0 to 1: the highest of the views.</param>
/// <param name="Support">Detections that agree on it.</param>
internal sealed record FoundLine(Region Region, double Confidence, int Support)
{
    /// <summary>Gap between two parts of a line, as a share of its height, that is joined: letters set wide, and a word apart from the next.</summary>
    private const double WidestGap = 0.9;

    /// <summary>Parts of one line are not much higher than each other.</summary>
    private const double MostHeightRatio = 1.7;

    /// <summary>Share of the smaller of two boxes that lies in both, above which they are the same line.</summary>
    private const double LeastOverlap = 0.5;

    /// <summary>Joins detections of the same line.</summary>
    public static List<FoundLine> Merge(IEnumerable<FoundLine> lines)
    {
        List<FoundLine> merged = [.. lines.OrderByDescending(line => line.Confidence)];
        for (var i = 0; i < merged.Count; i++)
        {
            for (var k = i + 1; k < merged.Count; k++)
            {
                if (AreOne(merged[i].Region, merged[k].Region))
                {
                    merged[i] = new FoundLine(Join(merged[i].Region, merged[k].Region), Math.Max(merged[i].Confidence, merged[k].Confidence), merged[i].Support + merged[k].Support);
                    merged.RemoveAt(k);
                    // The larger box may reach others that were passed over.
                    k = i;
                }
            }
        }
        return merged;
    }

    /// <summary>Joins parts of one line that stand beside each other, or one below the other where the line is written upward.</summary>
    public static List<FoundLine> JoinParts(List<FoundLine> lines)
    {
        var joined = lines.ToList();
        for (var i = 0; i < joined.Count; i++)
        {
            for (var k = i + 1; k < joined.Count; k++)
            {
                var (one, other) = (joined[i].Region, joined[k].Region);
                if (Follow(one.X, one.Right, one.Y, one.Bottom, other.X, other.Right, other.Y, other.Bottom)
                    || (IsUpright(one) && IsUpright(other) && Follow(one.Y, one.Bottom, one.X, one.Right, other.Y, other.Bottom, other.X, other.Right)))
                {
                    joined[i] = new FoundLine(Join(one, other), Math.Max(joined[i].Confidence, joined[k].Confidence), Math.Max(joined[i].Support, joined[k].Support));
                    joined.RemoveAt(k);
                    k = i;
                }
            }
        }
        return joined;
    }

    public static Region Join(Region one, Region other)
    {
        var (x, y) = (Math.Min(one.X, other.X), Math.Min(one.Y, other.Y));
        return new Region(x, y, Math.Max(one.Right, other.Right) - x, Math.Max(one.Bottom, other.Bottom) - y);
    }

    public static long Intersection(Region one, Region other) =>
        Math.Max(0L, Math.Min(one.Right, other.Right) - Math.Max(one.X, other.X)) * Math.Max(0, Math.Min(one.Bottom, other.Bottom) - Math.Max(one.Y, other.Y));

    /// <summary>A box over several lines is not one with any of them.</summary>
    private static bool AreOne(Region one, Region other) =>
        Math.Max(Math.Min(one.Width, one.Height), Math.Min(other.Width, other.Height)) <= MostHeightRatio * Math.Min(Math.Min(one.Width, one.Height), Math.Min(other.Width, other.Height))
        && Intersection(one, other) > LeastOverlap * Math.Min((long)one.Width * one.Height, (long)other.Width * other.Height);

    private static bool IsUpright(Region region) => region.Height > region.Width;

    private static bool Follow(int start, int end, int top, int bottom, int otherStart, int otherEnd, int otherTop, int otherBottom)
    {
        var (height, otherHeight) = (bottom - top, otherBottom - otherTop);
        var (lower, higher) = (Math.Min(height, otherHeight), Math.Max(height, otherHeight));
        return higher <= lower * MostHeightRatio
            && Math.Min(bottom, otherBottom) - Math.Max(top, otherTop) > 0.6 * lower
            && Math.Max(start, otherStart) - Math.Min(end, otherEnd) < lower * WidestGap;
    }
}
