namespace Sidecar.Dicom.Text.Kinds;

/// <summary>How much one text differs from another: insertions, deletions and replacements of characters (Levenshtein's distance).</summary>
internal static class Likeness
{
    private const int LongestText = 256;

    /// <summary>Differences that are put down to the reader; none in short words, where one letter makes another word.</summary>
    public static int Tolerance(int length) => length < 5 ? 0 : length < 9 ? 1 : length < 14 ? 2 : 3;

    /// <summary>Whether the two are the same but for <see cref="Tolerance"/>.</summary>
    public static bool AreAlike(string one, string other) =>
        Math.Abs(one.Length - other.Length) <= Tolerance(one.Length) && Distance(one, other, anywhere: false) <= Tolerance(one.Length);

    /// <summary>Whether <paramref name="part"/> stands anywhere in <paramref name="text"/> but for <paramref name="tolerance"/> differences.</summary>
    public static bool Contains(string text, string part, int tolerance) => text.Length >= part.Length - tolerance && Distance(part, text, anywhere: true) <= tolerance;

    private static int Distance(string part, string text, bool anywhere)
    {
        if (part.Length == 0 || text.Length > LongestText)
        {
            return int.MaxValue; // no line of text in an image is that long
        }
        Span<int> row = stackalloc int[text.Length + 1];
        for (var i = 0; i <= text.Length; i++)
        {
            row[i] = anywhere ? 0 : i;
        }
        for (var p = 1; p <= part.Length; p++)
        {
            var diagonal = row[0];
            row[0] = p;
            for (var t = 1; t <= text.Length; t++)
            {
                var replaced = diagonal + (part[p - 1] == text[t - 1] ? 0 : 1);
                diagonal = row[t];
                row[t] = Math.Min(replaced, Math.Min(row[t], row[t - 1]) + 1);
            }
        }
        if (!anywhere)
        {
            return row[text.Length];
        }
        var least = int.MaxValue;
        foreach (var distance in row)
        {
            least = Math.Min(least, distance);
        }
        return least;
    }
}
