using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>A line of text in one picture, from all views of it together.</summary>
/// <param name="Region">In pixels of the frame.</param>
/// <param name="Confidence">0 to 1: the highest of the views.</param>
/// <param name="Support">Detections that agree on it.</param>
internal sealed record FoundLine(Region Region, double Confidence, int Support)
{
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

    public static Region Join(Region one, Region other)
    {
        var (x, y) = (Math.Min(one.X, other.X), Math.Min(one.Y, other.Y));
        return new Region(x, y, Math.Max(one.Right, other.Right) - x, Math.Max(one.Bottom, other.Bottom) - y);
    }

    public static long Intersection(Region one, Region other) =>
        Math.Max(0L, Math.Min(one.Right, other.Right) - Math.Max(one.X, other.X)) * Math.Max(0, Math.Min(one.Bottom, other.Bottom) - Math.Max(one.Y, other.Y));

    private static bool AreOne(Region one, Region other) =>
        Intersection(one, other) > LeastOverlap * Math.Min((long)one.Width * one.Height, (long)other.Width * other.Height);
}
