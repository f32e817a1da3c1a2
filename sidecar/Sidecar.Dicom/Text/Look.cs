using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>How a view is shown to the detector.</summary>
internal enum Way
{
    AsIs,

    /// <summary>By 90°, for text that is written upward or downward; boxes over several lines come from here, too.</summary>
    Turned,

    /// <summary>One and a half times as large: finds letters of 8 pixels as surely as doubling, for half the work.</summary>
    Enlarged,

    Doubled,

    TurnedAndDoubled,

    Quadrupled,

    TurnedAndQuadrupled,

    Halved,
}

/// <summary>A view to be looked at in one way, in parts where it is large, so that a worker's memory is bounded and work is shared evenly.</summary>
internal sealed class Look
{
    /// <summary>Longest side of a part. Pixels.</summary>
    private const int MaxSide = 1280;

    /// <summary>Parts overlap by more than a line is high. Pixels.</summary>
    private const int PartOverlap = 64;

    /// <summary>Higher lines are not looked for where a view is enlarged: they are seen as it is, and what looks like one is anatomy. Pixels of the view.</summary>
    private const int MostEnlarged = 32;

    private readonly Lazy<GreyImage> shown;

    /// <param name="view">A picture, or a part of it.</param>
    /// <param name="way">How it is shown.</param>
    public Look(GreyImage view, Way way)
    {
        (View, Way) = (view, way);
        shown = new Lazy<GreyImage>(() => way switch
        {
            Way.Turned => Resample.Turn(view),
            Way.Enlarged => Resample.Enlarge(view),
            Way.Doubled => Resample.Double(view),
            Way.TurnedAndDoubled => Resample.Double(Resample.Turn(view)),
            Way.Quadrupled => Resample.Double(Resample.Double(view)),
            Way.TurnedAndQuadrupled => Resample.Double(Resample.Double(Resample.Turn(view))),
            Way.Halved => Resample.Halve(view),
            _ => view,
        });
        var (width, height) = way switch
        {
            Way.Turned => (view.Height, view.Width),
            Way.Enlarged => (view.Width * 3 / 2, view.Height * 3 / 2),
            Way.Doubled => (view.Width * 2, view.Height * 2),
            Way.TurnedAndDoubled => (view.Height * 2, view.Width * 2),
            Way.Quadrupled => (view.Width * 4, view.Height * 4),
            Way.TurnedAndQuadrupled => (view.Height * 4, view.Width * 4),
            Way.Halved => (view.Width / 2, view.Height / 2),
            _ => (view.Width, view.Height),
        };
        Parts = [.. Divide(height).SelectMany(rows => Divide(width).Select(columns => new Region(columns.Start, rows.Start, columns.Length, rows.Length)))];
    }

    public GreyImage View { get; }

    public Way Way { get; }

    /// <summary>Where the view begins in its picture.</summary>
    public (int X, int Y) Origin { get; init; }

    /// <summary>How many witnesses a line of this look has: the detector, and whatever led to looking here.</summary>
    public int Support { get; init; } = 1;

    /// <summary>What the detector gets, one after the other, in pixels of the view as it is shown.</summary>
    public IReadOnlyList<Region> Parts { get; }

    /// <summary>The lines that the detector sees in one of <see cref="Parts"/>, in pixels of the picture.</summary>
    public List<FoundLine> DetectIn(Region part, ITextDetector detector, CancellationToken token)
    {
        var image = Parts.Count == 1 ? shown.Value : Resample.Crop(shown.Value, part.X, part.Y, part.Width, part.Height);
        return [.. detector.Detect(image, token)
            .Select(box => new FoundLine(ToPicture(ToView(new Region(box.Region.X + part.X, box.Region.Y + part.Y, box.Region.Width, box.Region.Height))), box.Confidence, Support))
            .Where(line => Way != Way.Enlarged || Math.Min(line.Region.Width, line.Region.Height) <= MostEnlarged)];
    }

    private Region ToPicture(Region region) => new(region.X + Origin.X, region.Y + Origin.Y, region.Width, region.Height);

    private Region ToView(Region region) => Way switch
    {
        Way.Turned => TurnBack(region),
        Way.Enlarged => Scale(region, 2, 3, View.Width, View.Height),
        Way.Doubled => Scale(region, 1, 2, View.Width, View.Height),
        Way.TurnedAndDoubled => TurnBack(Scale(region, 1, 2, View.Height, View.Width)),
        Way.Quadrupled => Scale(region, 1, 4, View.Width, View.Height),
        Way.TurnedAndQuadrupled => TurnBack(Scale(region, 1, 4, View.Height, View.Width)),
        Way.Halved => Scale(region, 2, 1, View.Width, View.Height),
        _ => region,
    };

    private Region TurnBack(Region region) => new(region.Y, View.Height - region.Right, region.Height, region.Width);

    /// <summary>Whole pixels, of so many, that the region touches.</summary>
    private static Region Scale(Region region, int multiplier, int divisor, int width, int height)
    {
        var (x, y) = (region.X * multiplier / divisor, region.Y * multiplier / divisor);
        var (right, bottom) = (((region.Right * multiplier) + divisor - 1) / divisor, ((region.Bottom * multiplier) + divisor - 1) / divisor);
        return new Region(x, y, Math.Min(right, width) - x, Math.Min(bottom, height) - y);
    }

    private static IEnumerable<(int Start, int Length)> Divide(int length)
    {
        var parts = (Math.Max(length - PartOverlap, 1) + MaxSide - PartOverlap - 1) / (MaxSide - PartOverlap);
        var part = Math.Min(length, ((length + ((parts - 1) * PartOverlap) + parts - 1) / parts + 31) / 32 * 32);
        for (var i = 0; i < parts; i++)
        {
            var start = parts == 1 ? 0 : (int)((long)(length - part) * i / (parts - 1));
            yield return (start, part);
        }
    }
}
