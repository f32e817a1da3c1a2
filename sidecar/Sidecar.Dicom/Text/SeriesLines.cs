using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Where a frame is: the place of its instance in the series, and its own place in the instance, both 0-based.</summary>
internal readonly record struct FramePlace(int Instance, int Frame);

/// <summary>All frames of a series that are equal, pixel for pixel; more may be found until the series ends.</summary>
internal sealed class EqualFrames
{
    public List<FramePlace> Places { get; } = [];
}

/// <summary>The lines of a whole series, each once, with all frames it is in.</summary>
internal sealed class SeriesLines
{
    /// <summary>Intersection over union above which two regions in different frames are the same line.</summary>
    private const double LeastLikeness = 0.6;

    /// <summary>Room around the letters, as a share of the line's height, and in pixels at least.</summary>
    private const double Room = 0.2;
    private const int LeastRoom = 3;

    private readonly List<Entry> entries = [];

    public void Add(FoundLine line, IEnumerable<EqualFrames> frames)
    {
        var entry = entries.Find(entry => AreAlike(entry.Line.Region, line.Region));
        if (entry is null)
        {
            entry = new Entry { Line = line };
            entries.Add(entry);
        }
        else
        {
            entry.Line = new FoundLine(FoundLine.Join(entry.Line.Region, line.Region), Math.Max(entry.Line.Confidence, line.Confidence), Math.Max(entry.Line.Support, line.Support));
        }
        entry.Frames.UnionWith(frames);
    }

    /// <summary>The findings of one instance, from top to bottom.</summary>
    /// <param name="instance">Its place in the series.</param>
    /// <param name="layout">Its size and number of frames.</param>
    public IReadOnlyList<ScanFinding> FindingsOf(int instance, PixelLayout layout) =>
        [.. entries
            .Select(entry => (entry.Line, Frames: entry.Frames.SelectMany(equal => equal.Places).Where(place => place.Instance == instance).Select(place => place.Frame).Order().ToList()))
            .Where(found => found.Frames.Count > 0)
            .OrderBy(found => found.Line.Region.Y).ThenBy(found => found.Line.Region.X)
            .Select(found => new ScanFinding
            {
                Region = Widen(found.Line.Region).ClipTo(layout.Columns, layout.Rows)!,
                Confidence = found.Line.Confidence,
                Frames = found.Frames.Count == layout.Frames ? null : found.Frames,
            })];

    private static Region Widen(Region region)
    {
        var room = Math.Max(LeastRoom, (int)Math.Round(Math.Min(region.Width, region.Height) * Room));
        var (x, y) = (Math.Max(region.X - room, 0), Math.Max(region.Y - room, 0));
        return new Region(x, y, region.Right + room - x, region.Bottom + room - y);
    }

    private static bool AreAlike(Region one, Region other)
    {
        var both = FoundLine.Intersection(one, other);
        return both > LeastLikeness * (((double)one.Width * one.Height) + ((double)other.Width * other.Height) - both);
    }

    private sealed class Entry
    {
        public required FoundLine Line { get; set; }

        public HashSet<EqualFrames> Frames { get; } = [];
    }
}
