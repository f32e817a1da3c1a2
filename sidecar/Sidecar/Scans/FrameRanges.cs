using System.Globalization;

namespace Sidecar.Scans;

/// <summary>Frames of an instance as the database and people write them: 1-based, "1-3,7". In code they are 0-based and ascending.</summary>
internal static class FrameRanges
{
    public static string Format(IReadOnlyList<int> frames)
    {
        List<string> ranges = [];
        for (var i = 0; i < frames.Count;)
        {
            var first = i;
            while (++i < frames.Count && frames[i] == frames[i - 1] + 1)
            {
            }

            var (from, to) = (frames[first] + 1, frames[i - 1] + 1);
            ranges.Add(from == to ? from.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{from}-{to}"));
        }

        return string.Join(',', ranges);
    }

    /// <exception cref="FormatException">The text is not what <see cref="Format"/> writes.</exception>
    public static IReadOnlyList<int> Parse(string text)
    {
        List<int> frames = [];
        foreach (var range in text.Split(','))
        {
            var ends = range.Split('-');
            var (first, last) = (Number(ends[0]), Number(ends[^1]));
            if (ends.Length > 2 || first < 0 || last < first || (frames.Count > 0 && first <= frames[^1]))
            {
                throw new FormatException($"\"{text}\" is no list of frames.");
            }

            frames.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return frames;
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) - 1;
}
