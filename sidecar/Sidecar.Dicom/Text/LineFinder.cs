using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>How much a picture is worth.</summary>
internal enum Effort
{
    OneView,
    AllViews,

    /// <summary>Also turned, for text that is written upward or downward.</summary>
    Turned,

    /// <summary>Also enlarged, for the smallest letters.</summary>
    Thorough,
}

/// <summary>Finds the lines of text of one picture: renders its views, has the detector look at them in the sizes that it knows best, and joins what it says.</summary>
internal sealed class LineFinder(ITextDetector detector)
{
    /// <summary>Pictures of fewer pixels are doubled: their letters are small, and it costs little.</summary>
    private const int SmallPicture = 300 * 300;

    /// <summary>Larger ones have larger letters. Pixels.</summary>
    private const int MediumPicture = 1024 * 1024;

    /// <summary>Lines as high are looked at again from farther away, others from nearer. Pixels.</summary>
    private const int LargeLetters = 40;

    /// <summary>Of lines as low only parts may be found, a word or two of several: they are looked at from very near, beyond both ends. Pixels, with the room that the detector leaves.</summary>
    private const int TinyLetters = 14;

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
        var looks = new List<Look>[pictures.Count];
        ParallelLoop.Run(0, pictures.Count, i => looks[i] = ChooseLooks(pictures[i].Picture, pictures[i].Effort), token);
        // The largest first, so that no processor is left with one at the end.
        var parts = looks.SelectMany(own => own).SelectMany(look => look.Parts.Select(part => (Look: look, Part: part))).OrderByDescending(one => (long)one.Part.Width * one.Part.Height).ToList();
        var seen = new List<FoundLine>[parts.Count];
        ParallelLoop.Run(0, parts.Count, i => seen[i] = parts[i].Look.DetectIn(parts[i].Part, detector, token), token);
        var linesOf = parts.Zip(seen).ToLookup(one => one.First.Look, one => one.Second);
        var lines = new List<FoundLine>[pictures.Count];
        ParallelLoop.Run(0, pictures.Count, i => lines[i] = Judge([.. looks[i].Select(look => (look, linesOf[look].SelectMany(own => own).ToList()))], pictures[i].Effort, token), token);
        return lines;
    }

    /// <summary>Joins what the views of one picture show. What one view alone shows, and is not surely a line, has to stand out in a second look, nearer or from
    /// farther away; and so has what is seen enlarged alone, because anatomy looks like a line there more often than anywhere else, and what is large and holds
    /// no lines: letters are seen from farther away, the waves of a Doppler spectrum are not.</summary>
    private List<FoundLine> Judge(List<(Look Look, List<FoundLine> Lines)> looks, Effort effort, CancellationToken token)
    {
        var merged = FoundLine.Merge(looks.SelectMany(look => look.Lines).Where(line => IsPlausible(line.Region, looks[0].Look.View)));
        var isBelieved = new bool[merged.Count];
        ParallelLoop.Run(0, merged.Count, i =>
        {
            var line = merged[i];
            List<Look> witnesses = [.. looks.Where(look => look.Look.Support == 1 && look.Lines.Exists(own => FoundLine.Intersection(own.Region, line.Region) > 0)).Select(look => look.Look)];
            var mayBeLarge = looks.Exists(look => look.Look.Support > 1 && look.Lines.Exists(own => FoundLine.Intersection(own.Region, line.Region) > 0))
                || merged.Count(inner => !IsLarge(inner) && SeriesLines.LiesIn(inner.Region, line.Region)) > 1;
            isBelieved[i] = (!IsLarge(line) || mayBeLarge)
                    && (line.Support > 1 || (LooksLikeALine(line) && witnesses.Exists(look => look.Way != Way.Enlarged)))
                || witnesses.Select(look => look.View).Distinct().Any(view => IsSeenAgain(view, line, token));
        }, token);
        var lines = FoundLine.JoinParts([.. merged.Where((_, i) => isBelieved[i])]);
        return effort == Effort.Thorough && lines.Count > 0 ? Complete(lines, looks[0].Look.View, token) : lines;
    }

    /// <summary>Adds to tiny lines what is seen of them from very near.</summary>
    private List<FoundLine> Complete(List<FoundLine> lines, GreyImage view, CancellationToken token)
    {
        var tiny = lines.Where(line => Math.Min(line.Region.Width, line.Region.Height) <= TinyLetters).ToList();
        var seen = new List<FoundLine>[tiny.Count];
        ParallelLoop.Run(0, tiny.Count, i =>
        {
            var region = tiny[i].Region;
            var beyond = 4 * TinyLetters;
            var (beside, above) = region.Height > region.Width ? (TinyLetters, beyond) : (beyond, TinyLetters);
            var (x, y) = (Math.Max(region.X - beside, 0), Math.Max(region.Y - above, 0));
            var part = Resample.Crop(view, x, y, Math.Min(region.Right + beside, view.Width) - x, Math.Min(region.Bottom + above, view.Height) - y);
            var look = new Look(part, region.Height > region.Width ? Way.TurnedAndQuadrupled : Way.Quadrupled) { Origin = (x, y) };
            seen[i] = [.. look.Parts.SelectMany(shown => look.DetectIn(shown, detector, token)).Where(line => FoundLine.JoinParts([tiny[i], line]).Count == 1 || FoundLine.Merge([tiny[i], line]).Count == 1)];
        }, token);
        return FoundLine.JoinParts(FoundLine.Merge([.. lines, .. seen.SelectMany(own => own)]));
    }

    private static bool IsLarge(FoundLine line) => Math.Min(line.Region.Width, line.Region.Height) > LargeLetters;

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
        var look = new Look(part, place.Height < LargeLetters ? Way.Doubled : Way.Halved);
        // A line may come back in several words.
        var seen = look.Parts.SelectMany(shown => look.DetectIn(shown, detector, token)).Sum(again => FoundLine.Intersection(again.Region, place));
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
        return [.. FindInEach([(picture.Crop(x, y, width, height), Effort.Turned)], token)[0].Select(line =>
            line with { Region = new Region(line.Region.X + x, line.Region.Y + y, line.Region.Width, line.Region.Height) })];
    }

    private static List<Look> ChooseLooks(FrameImage picture, Effort effort)
    {
        var views = Rendering.RenderAll(picture);
        return [.. views.SelectMany((view, rank) => ChooseWays(view, rank == 0 || view.Pixels == picture.Overlay, effort).Select(way => new Look(way == Way.Enlarged && Rendering.IsNoisy(view) ? Resample.Smooth(view) : view, way))),
            .. effort > Effort.OneView ? HiddenLines.FindLooks(picture, views) : []];
    }

    /// <summary>The view that shows most is looked at in more ways than the others, and so are overlays, of which there is one view only.</summary>
    private static IEnumerable<Way> ChooseWays(GreyImage view, bool isBest, Effort effort)
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
            yield return Way.Enlarged;
        }
    }
}
