using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text.Kinds;

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

    /// <summary>Share of a line's box that lies in another one, from which on it is not shown beside it.</summary>
    private const double LeastInside = 0.95;

    /// <summary>Room around the letters, as a share of the line's height, and in pixels at least.</summary>
    private const double Room = 0.2;
    private const int LeastRoom = 3;

    /// <summary>Readings of a line, in groups of frames apart: what stands in one place may change from slice to slice, but not its kind.</summary>
    private const int MostReadings = 3;

    /// <summary>A line that resembles an attribute of its own image is text, however faint.</summary>
    private const double ConfidenceOfMatch = 0.95;

    private readonly List<Entry> entries = [];

    /// <summary>Whether the line has not been read often enough to know what it is.</summary>
    public bool WantsReading(FoundLine line) => Find(line) is not { Readings.Count: >= MostReadings };

    /// <param name="line">As found.</param>
    /// <param name="frames">Where.</param>
    /// <param name="reading">Null where it was not read.</param>
    public void Add(FoundLine line, IEnumerable<EqualFrames> frames, LineReading? reading)
    {
        var entry = Find(line);
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
        if (reading is not null)
        {
            entry.Readings.Add(reading);
        }
    }

    /// <summary>The findings of one instance, from top to bottom. A line that lies in another one is no finding of its own; what it says counts for the other.</summary>
    /// <param name="instance">Its place in the series.</param>
    /// <param name="layout">Its size and number of frames.</param>
    /// <param name="sort">Says what the readings of a line make it.</param>
    public IReadOnlyList<ScanFinding> FindingsOf(int instance, PixelLayout layout, Func<IReadOnlyList<LineReading>, SortedLine> sort)
    {
        List<Part> parts = [.. entries
            .Select(entry => new Part(entry, [.. entry.Frames.SelectMany(equal => equal.Places).Where(place => place.Instance == instance).Select(place => place.Frame).Order()]))
            .Where(part => part.Frames.Count > 0)
            .OrderByDescending(part => (long)part.Region.Width * part.Region.Height)];
        var whole = parts.Where((part, i) => !parts.Take(i).Any(part.IsIn)).OrderBy(part => part.Region.Y).ThenBy(part => part.Region.X);
        return [.. whole.Select(part =>
        {
            var line = part.Entry.Line;
            var sorted = parts.Where(inner => (inner == part || inner.IsIn(part)) && inner.Entry.Readings.Count > 0).Select(inner => inner.Entry.Sorted ??= sort(inner.Entry.Readings)).MinBy(one => one.Rank)
                ?? sort([]);
            return new ScanFinding
            {
                Region = Widen(line.Region).ClipTo(layout.Columns, layout.Rows)!,
                Confidence = sorted is { Attribute: not null, Kind: not FindingKind.Harmless } ? Math.Max(line.Confidence, ConfidenceOfMatch) : line.Confidence,
                Frames = part.Frames.Count == layout.Frames ? null : part.Frames,
                Kind = sorted.Kind,
                MatchedAttribute = sorted.Attribute,
                Text = sorted.Text,
            };
        })];
    }

    /// <summary>Whether nearly all of a region lies in another one.</summary>
    public static bool LiesIn(Region inner, Region outer) => FoundLine.Intersection(inner, outer) >= LeastInside * inner.Width * inner.Height;

    private Entry? Find(FoundLine line) => entries.Find(entry => AreAlike(entry.Line.Region, line.Region));

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

    /// <summary>A line, and the frames of one instance that it is in.</summary>
    private sealed record Part(Entry Entry, IReadOnlyList<int> Frames)
    {
        public Region Region => Entry.Line.Region;

        public bool IsIn(Part other) =>
            LiesIn(Region, other.Region) && Frames.All(other.Frames.Contains);
    }

    private sealed class Entry
    {
        public required FoundLine Line { get; set; }

        public HashSet<EqualFrames> Frames { get; } = [];

        public List<LineReading> Readings { get; } = [];

        public SortedLine? Sorted { get; set; }
    }
}
