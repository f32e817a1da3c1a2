using System.Globalization;
using System.Text;

namespace Sidecar.Dicom.Pixels;

/// <summary>Frames as people and the database write them: counted from 1, ascending, runs as ranges: <c>1-3,7</c>.</summary>
public static class FrameNumbers
{
    /// <param name="frames">0-based, in any order.</param>
    public static string ToText(IEnumerable<int> frames)
    {
        var text = new StringBuilder();
        foreach (var (first, last) in Runs(frames))
        {
            text.Append(text.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{first + 1}");
            if (last > first)
            {
                text.Append(CultureInfo.InvariantCulture, $"-{last + 1}");
            }
        }

        return text.ToString();
    }

    /// <returns>0-based, ascending, each once.</returns>
    /// <exception cref="FormatException">Not such a list.</exception>
    public static IReadOnlyList<int> Parse(string text)
    {
        var frames = new SortedSet<int>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-').Select(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).ToArray();
            if (ends.Length > 2 || ends[0] < 1 || ends[^1] < ends[0] || ends[^1] > 1_000_000)
            {
                throw new FormatException($"\"{text}\" is not a list of frames such as 1-3,7, counted from 1.");
            }

            frames.UnionWith(Enumerable.Range(ends[0] - 1, ends[^1] - ends[0] + 1));
        }

        return [.. frames];
    }

    private static IEnumerable<(int First, int Last)> Runs(IEnumerable<int> frames)
    {
        (int First, int Last)? run = null;
        foreach (var frame in frames.Distinct().Order())
        {
            if (run is { } open && frame == open.Last + 1)
            {
                run = (open.First, frame);
                continue;
            }

            if (run is { } done)
            {
                yield return done;
            }

            run = (frame, frame);
        }

        if (run is { } last)
        {
            yield return last;
        }
    }
}
