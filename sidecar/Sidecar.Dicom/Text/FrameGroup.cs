using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Consecutive frames of one size that are looked at together: one look at pictures made of all of them instead of one at each.</summary>
internal sealed class FrameGroup(IReadOnlyList<FrameImage> frames, LineFinder finder, bool isThorough)
{
    /// <summary>How far text moves from one frame to the next, at most, to be followed. Pixels beside its own height.</summary>
    private const int Reach = 24;

    /// <summary>Place of <see cref="Composite.Held"/> among the pictures of a group.</summary>
    private const int Held = 3;

    /// <summary>Share of a line that is held from which on it counts as found already.</summary>
    private const double LeastCovered = 0.8;

    /// <summary>The lines of the group with the frames they are in, by index in the group, ascending.</summary>
    /// <exception cref="ScanFailedException">The detector failed.</exception>
    public List<(FoundLine Line, IReadOnlyList<int> Frames)> Find(CancellationToken token)
    {
        if (frames.Count == 1)
        {
            return [.. finder.Find(frames[0], token).Select(line => (line, (IReadOnlyList<int>)[0]))];
        }
        FrameImage[] sources = [Composite.Maximum(frames), Composite.Minimum(frames), frames[frames.Count / 2]];
        var held = Composite.Held(frames);
        List<(FrameImage, Effort)> pictures =
            [(sources[0], isThorough ? Effort.Thorough : Effort.Turned), (sources[1], isThorough ? Effort.Turned : Effort.AllViews), (Composite.Change(frames), Effort.OneView), (held, Effort.OneView)];
        if (isThorough)
        {
            // Text that stays where it is while brighter and darker things pass behind it is in none of the other mixtures. It is in the first group, too.
            pictures.Add((sources[2], Effort.OneView));
        }
        var found = finder.FindInEach(pictures, token);
        var lines = new List<(FoundLine, IReadOnlyList<int>)>();
        foreach (var line in FoundLine.Merge(found.Where((_, picture) => picture != Held).SelectMany(list => list)))
        {
            var pattern = sources.Select(source => InkPattern.Learn(source, line.Region)).OfType<InkPattern>().MaxBy(pattern => pattern.Contrast);
            Add(line, [.. Enumerable.Range(0, frames.Count).Where(i => pattern?.IsIn(frames[i]) == true || IsInOverlay(frames[i], line.Region))]);
        }
        // In the other mixtures something else is in the place of what is held, so neither its letters nor its frames are learnt from them.
        foreach (var line in FoundLine.Merge(found[Held]))
        {
            var pattern = InkPattern.Learn(held, line.Region);
            List<int> present = [.. Enumerable.Range(0, frames.Count).Where(i => pattern?.IsIn(frames[i]) == true)];
            if (present.Exists(i => !lines.Exists(other => other.Item2.Contains(i) && FoundLine.Intersection(line.Region, other.Item1.Region) > LeastCovered * line.Region.Width * line.Region.Height)))
            {
                Add(line, present);
            }
        }
        return lines;

        void Add(FoundLine line, List<int> present)
        {
            if (present.Count < frames.Count)
            {
                lines.AddRange(FollowThrough(line, present, token));
            }
            else if (IsInOneFrame(line, isThorough ? found[^1] : [], token))
            {
                lines.Add((line, present));
            }
        }
    }

    /// <summary>A shape that only the mixture of frames shows is no text, though its pixels stand out in all of them: one frame at least has to show it by itself.</summary>
    /// <param name="line">Seen in the mixture.</param>
    /// <param name="inTheMiddle">What was seen in the frame in the middle.</param>
    /// <param name="token">Ends the search.</param>
    private bool IsInOneFrame(FoundLine line, List<FoundLine> inTheMiddle, CancellationToken token) =>
        inTheMiddle.Exists(seen => FoundLine.Intersection(seen.Region, line.Region) > 0)
        || ((int[])[frames.Count / 2, 0, frames.Count - 1]).Any(frame => finder.FindNear(frames[frame], line.Region, Reach, token).Exists(seen => FoundLine.Intersection(seen.Region, line.Region) > 0));

    private static bool IsInOverlay(FrameImage frame, Region region)
    {
        var drawn = false;
        for (var y = region.Y; frame.Overlay is { } overlay && !drawn && y < region.Bottom; y++)
        {
            drawn = overlay.AsSpan((y * frame.Width) + region.X, region.Width).ContainsAnyExcept((byte)0);
        }
        return drawn;
    }

    /// <summary>Text that is in some frames, or moves: looked for in single frames, from those where it seems to be to both sides.</summary>
    private IEnumerable<(FoundLine, IReadOnlyList<int>)> FollowThrough(FoundLine line, List<int> present, CancellationToken token)
    {
        var confirmed = new Dictionary<int, List<FoundLine>>();
        var places = new Region?[frames.Count];
        foreach (var start in present.Count > 0 ? [present[present.Count / 2], present[0], present[^1]] : Enumerable.Range(0, frames.Count))
        {
            if (places[start] is null)
            {
                Look(start, line.Region);
            }
        }
        foreach (var step in (int[])[1, -1])
        {
            for (var i = step > 0 ? 0 : frames.Count - 1; i >= 0 && i < frames.Count; i += step)
            {
                var from = i - step;
                if (places[i] is null && from >= 0 && from < frames.Count && places[from] is { } near)
                {
                    Look(i, near);
                }
            }
        }
        // Seen in one frame, and the same pixels stand out in others: it is there too, though a busier ground hides it from the detector.
        if (confirmed.Count > 0)
        {
            foreach (var i in present.Where(i => !confirmed.ContainsKey(i)).ToList())
            {
                confirmed[i] = [line];
            }
        }
        return confirmed.SelectMany(pair => pair.Value.Select(seen => (seen, (IReadOnlyList<int>)[pair.Key])));

        void Look(int frame, Region near)
        {
            var seen = finder.FindNear(frames[frame], near, near.Height + Reach, token);
            if (seen.Count > 0)
            {
                confirmed[frame] = seen;
                places[frame] = seen.Select(one => one.Region).Aggregate(FoundLine.Join);
            }
        }
    }
}
