using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>A line as it was read, upright. PHI.</summary>
/// <param name="Reading">Text and confidence.</param>
/// <param name="Length">Of the line in pixels, in the direction of the text.</param>
/// <param name="Height">Of the line in pixels.</param>
internal sealed record LineReading(TextReading Reading, int Length, int Height);

/// <summary>What a line is.</summary>
/// <param name="Kind">Other where it was not read.</param>
/// <param name="Attribute">Keyword of the attribute it resembles; null where none.</param>
/// <param name="Text">As read; null where nothing was. PHI.</param>
internal sealed record SortedLine(FindingKind Kind, string? Attribute, string? Text)
{
    /// <summary>Lower is worse for the person: what resembles an attribute, then what looks like something personal.</summary>
    public int Rank => (Attribute is null ? 10 : 0) + Kind switch
    {
        FindingKind.PersonName => 0,
        FindingKind.Identifier => 1,
        FindingKind.Date => 2,
        FindingKind.Institution => 3,
        FindingKind.Other => 4,
        _ => 20,
    };
}

/// <summary>Reads lines where they are found, and sorts them once all values of the series are known. Reading ranks findings; it never drops one.</summary>
/// <param name="reader">Null where none is installed: then every line is of no known kind.</param>
/// <param name="harmless">Markings that tell nothing about a person.</param>
internal sealed class LineSorter(ITextReader? reader, HarmlessWords harmless)
{
    /// <summary>A reading at least this sure is not tried upside down.</summary>
    private const double Sure = 0.6;

    /// <summary>Room around the line, so that no letter touches the edge. Pixels.</summary>
    private const int Room = 3;

    private readonly FindingClassifier classifier = new(harmless);

    /// <summary>What the line says in this frame; null where it could not be read at all.</summary>
    public LineReading? Read(FrameImage frame, Region region, CancellationToken token)
    {
        if (reader is null)
        {
            return null;
        }
        var line = Crop(frame, region);
        try
        {
            if (line.Height > line.Width * 3 / 2)
            {
                // Written from bottom to top or from top to bottom: the one that makes words.
                var upward = Resample.Turn(line);
                return new LineReading(Better(reader.Read(upward, token), reader.Read(Resample.Turn(Resample.Turn(upward)), token)), region.Height, region.Width);
            }
            var reading = reader.Read(line, token);
            reading = reading.Confidence >= Sure ? reading : Better(reading, reader.Read(Resample.Turn(Resample.Turn(line)), token));
            return new LineReading(reading, region.Width, region.Height);
        }
        catch (ScanFailedException)
        {
            return null; // the line stays a finding
        }
    }

    /// <summary>What the line is, by the worst that any of its readings may tell about a person.</summary>
    public SortedLine Sort(IReadOnlyList<LineReading> readings, KnownValues known) => readings
        .Select(read => (Kind: classifier.Classify(read.Reading, read.Length, read.Height, known), read.Reading.Text))
        .Select(read => new SortedLine(read.Kind.Kind, read.Kind.MatchedAttribute, read.Text.Length > 0 ? read.Text : null))
        .MinBy(sorted => sorted.Rank) ?? new SortedLine(FindingKind.Other, null, null);

    private static TextReading Better(TextReading one, TextReading other) =>
        other.Confidence * other.Text.Count(char.IsLetterOrDigit) > one.Confidence * one.Text.Count(char.IsLetterOrDigit) ? other : one;

    /// <summary>The line alone, in the plane where it stands out, from its darkest to its brightest.</summary>
    private static GreyImage Crop(FrameImage frame, Region region)
    {
        var (left, top) = (Math.Max(0, region.X - Room), Math.Max(0, region.Y - Room));
        var (width, height) = (Math.Min(frame.Width, region.Right + Room) - left, Math.Min(frame.Height, region.Bottom + Room) - top);
        var grey = new int[width * height];
        var (blue, red) = (new int[frame.Chroma is null ? 0 : grey.Length], new int[frame.Chroma is null ? 0 : grey.Length]);
        for (var i = 0; i < grey.Length; i++)
        {
            var at = ((top + (i / width)) * frame.Width) + left + (i % width);
            grey[i] = frame.Grey[at];
            if (frame.Chroma is { } chroma)
            {
                (blue[i], red[i]) = (chroma.Blue[at], chroma.Red[at]);
            }
        }
        var drawn = frame.Crop(left, top, width, height).Overlay;
        if (drawn?.Contains((byte)255) == true)
        {
            return new GreyImage(width, height, drawn);
        }
        // Text of the ground's own brightness stands out in its colour alone.
        var plane = frame.Chroma is null ? grey : new[] { grey, blue, red }.MaxBy(Range)!;
        var sorted = plane.Order().ToArray();
        var (low, high) = (sorted[sorted.Length / 200], sorted[^(1 + (sorted.Length / 200))]);
        return new GreyImage(width, height, Array.ConvertAll(plane, value => (byte)Math.Clamp((value - low) * 255L / Math.Max(1, high - low), 0, 255)));
    }

    private static int Range(int[] plane) => plane.Max() - plane.Min();
}
