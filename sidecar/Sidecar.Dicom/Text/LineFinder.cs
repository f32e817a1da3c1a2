using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>How much a picture is worth.</summary>
internal enum Effort
{
    OneView,
    AllViews,

    /// <summary>Also turned, for text that is written upward or downward.</summary>
    Turned,

    /// <summary>Also doubled, for the smallest letters; costs as much as all else.</summary>
    Thorough,
}

/// <summary>Finds the lines of text of one picture: renders its views, has the detector look at them in the sizes that it knows best, and joins what it says.</summary>
internal sealed class LineFinder(ITextDetector detector)
{
    /// <summary>Pictures with a longer side are looked at in parts, so that a worker's memory is bounded. Pixels.</summary>
    private const int MaxSide = 1280;

    /// <summary>Parts overlap by more than a line is high.</summary>
    private const int PartOverlap = 64;

    /// <summary>Pictures of fewer pixels are doubled: their letters are small, and it costs little.</summary>
    private const int SmallPicture = 300 * 300;

    /// <summary>Larger ones have larger letters. Pixels.</summary>
    private const int MediumPicture = 1024 * 1024;

    /// <summary>Lines as high are looked at again from farther away, others from nearer. Pixels.</summary>
    private const int LargeLetters = 40;

    private const double SureConfidence = 0.75;

    /// <summary>Share of a line's box that a second look has to find.</summary>
    private const double LeastSeenAgain = 0.4;

    public List<FoundLine> Find(FrameImage frame, CancellationToken token) => FindInEach([(frame, Effort.Thorough)], token)[0];

    /// <summary>Looks at several pictures at once, as many as there are processors.</summary>
    /// <param name="pictures">Of any sizes, each with what it is worth.</param>
    /// <param name="token">Ends the search.</param>
    /// <returns>The lines of each.</returns>
    public List<FoundLine>[] FindInEach(IReadOnlyList<(FrameImage Picture, Effort Effort)> pictures, CancellationToken token)
    {
        var looks = pictures.SelectMany((picture, index) => Rendering.RenderAll(picture.Picture).SelectMany((view, rank) => LooksAt(view, rank == 0 || view.Pixels == picture.Picture.Overlay, picture.Effort).Select(way => (Index: index, View: view, Way: way)))).ToList();
        var seen = new List<FoundLine>[looks.Count];
        ParallelLoop.Run(0, looks.Count, i => seen[i] = Look(looks[i].View, looks[i].Way, token), token);
        var lines = new List<FoundLine>[pictures.Count];
        ParallelLoop.Run(0, pictures.Count, index => lines[index] = Judge([.. Enumerable.Range(0, looks.Count).Where(i => looks[i].Index == index).Select(i => (looks[i].View, seen[i]))], token), token);
        return lines;
    }

    /// <summary>Joins what the views of one picture show. What one view alone shows, and is not surely a line, has to stand out in a second look, nearer or from farther away.</summary>
    private List<FoundLine> Judge(List<(GreyImage View, List<FoundLine> Lines)> looks, CancellationToken token)
    {
        var merged = FoundLine.Merge(looks.SelectMany(look => look.Lines).Where(line => IsPlausible(line.Region, looks[0].View)));
        var believed = merged.Where(line => line.Support > 1 || LooksLikeALine(line) || looks.Exists(look =>
            look.Lines.Exists(own => FoundLine.Intersection(own.Region, line.Region) > 0) && IsSeenAgain(look.View, line, token)));
        return FoundLine.JoinParts([.. believed]);
    }

    /// <summary>Nearly as high as wide and a good part of the picture: no line of text.</summary>
    private static bool IsPlausible(Region region, GreyImage picture)
    {
        var (shorter, longer) = (Math.Min(region.Width, region.Height), Math.Max(region.Width, region.Height));
        return shorter < Math.Max(48, Math.Min(picture.Width, picture.Height) / 8) || longer > shorter * 3;
    }

    private static bool LooksLikeALine(FoundLine line) =>
        line.Confidence > SureConfidence && Math.Max(line.Region.Width, line.Region.Height) > 2 * Math.Min(line.Region.Width, line.Region.Height);

    private bool IsSeenAgain(GreyImage view, FoundLine line, CancellationToken token)
    {
        var reach = Math.Max(16, Math.Min(line.Region.Width, line.Region.Height));
        var (x, y) = (Math.Max(line.Region.X - reach, 0), Math.Max(line.Region.Y - reach, 0));
        var part = Resample.Crop(view, x, y, Math.Min(line.Region.Right + reach, view.Width) - x, Math.Min(line.Region.Bottom + reach, view.Height) - y);
        var place = new Region(line.Region.X - x, line.Region.Y - y, line.Region.Width, line.Region.Height);
        if (place.Height > place.Width)
        {
            place = new Region(part.Height - place.Bottom, place.X, place.Height, place.Width);
            part = Resample.Turn(part);
        }
        var isSmall = place.Height < LargeLetters;
        var scale = isSmall ? 2.0 : 0.5;
        // A line may come back in several words.
        var seen = Detect(isSmall ? Resample.Double(part) : Resample.Halve(part), token).Sum(again => FoundLine.Intersection(
            new Region((int)(again.Region.X / scale), (int)(again.Region.Y / scale), Math.Max(1, (int)(again.Region.Width / scale)), Math.Max(1, (int)(again.Region.Height / scale))), place));
        return seen > LeastSeenAgain * place.Width * place.Height;
    }

    /// <summary>Looks at a part of a picture only.</summary>
    /// <param name="picture">All of it.</param>
    /// <param name="near">Where a line is expected.</param>
    /// <param name="reach">Pixels around it that are looked at.</param>
    /// <param name="token">Ends the search.</param>
    /// <returns>The lines that touch what is expected, or lie in its reach.</returns>
    public List<FoundLine> FindNear(FrameImage picture, Region near, int reach, CancellationToken token)
    {
        var (x, y) = (Math.Max(near.X - reach, 0), Math.Max(near.Y - reach, 0));
        var (width, height) = (Math.Min(near.Right + reach, picture.Width) - x, Math.Min(near.Bottom + reach, picture.Height) - y);
        return [.. Find(picture.Crop(x, y, width, height), token).Select(line =>
            line with { Region = new Region(line.Region.X + x, line.Region.Y + y, line.Region.Width, line.Region.Height) })];
    }

    /// <summary>The view that shows most is looked at in more ways than the others, and so are overlays, of which there is one view only.</summary>
    private static IEnumerable<Way> LooksAt(GreyImage view, bool isBest, Effort effort)
    {
        var pixels = view.Width * view.Height;
        if (isBest || effort > Effort.OneView)
        {
            yield return pixels <= SmallPicture ? Way.Doubled : Way.AsIs;
        }
        if (isBest && effort >= Effort.Turned)
        {
            yield return Way.Turned;
        }
        if (isBest && effort == Effort.Thorough && pixels is > SmallPicture and <= MediumPicture)
        {
            yield return Way.Doubled;
        }
    }

    private List<FoundLine> Look(GreyImage view, Way way, CancellationToken token) => way switch
    {
        Way.Doubled => [.. Detect(Resample.Double(view), token).Select(line => Shrink(line, view))],
        Way.Turned => [.. Detect(Resample.Turn(view), token).Select(line => TurnBack(line, view))],
        _ => Detect(view, token),
    };

    /// <summary>What is upright in the turned view; what lies across is seen better as it is.</summary>
    private static FoundLine TurnBack(FoundLine line, GreyImage view) =>
        line with { Region = new Region(line.Region.Y, view.Height - line.Region.Right, line.Region.Height, line.Region.Width) };

    private static FoundLine Shrink(FoundLine line, GreyImage view)
    {
        var (x, y) = (line.Region.X / 2, line.Region.Y / 2);
        return line with { Region = new Region(x, y, Math.Min((line.Region.Right + 1) / 2, view.Width) - x, Math.Min((line.Region.Bottom + 1) / 2, view.Height) - y) };
    }

    private List<FoundLine> Detect(GreyImage image, CancellationToken token)
    {
        var lines = new List<FoundLine>();
        foreach (var (y, height) in Divide(image.Height))
        {
            foreach (var (x, width) in Divide(image.Width))
            {
                var part = width == image.Width && height == image.Height ? image : Resample.Crop(image, x, y, width, height);
                lines.AddRange(detector.Detect(part, token).Select(box =>
                    new FoundLine(new Region(box.Region.X + x, box.Region.Y + y, box.Region.Width, box.Region.Height), box.Confidence, 1)));
            }
        }
        return lines;
    }

    private enum Way
    {
        AsIs,
        Doubled,
        Turned,
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
