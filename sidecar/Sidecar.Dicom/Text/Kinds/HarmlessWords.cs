using System.Text;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>
/// Markings that tell nothing about a person: sides, views, units, scales, what devices write. The built-in list is harmless.txt beside this file; a site adds
/// its own. Text on the list is shown like any other, only ranked last.
/// </summary>
public sealed class HarmlessWords
{
    private const int LongestPhrase = 6;
    private readonly HashSet<string> phrases = [];
    private readonly HashSet<string> units = [];

    /// <summary>The built-in list.</summary>
    public static HarmlessWords Load() => Load(TextReader.Null);

    /// <summary>
    /// The built-in list and a site's: phrases with commas between them; a line that starts with # is a comment, one that starts with = names units that may
    /// follow a number. Case and accents do not matter.
    /// </summary>
    public static HarmlessWords Load(TextReader more)
    {
        var words = new HarmlessWords();
        using var builtIn = new StreamReader(typeof(HarmlessWords).Assembly.GetManifestResourceStream("Sidecar.Dicom.Text.Kinds.harmless.txt")!);
        words.Read(builtIn);
        words.Read(more);
        return words;
    }

    /// <summary>Whether a text is made of nothing but listed phrases, short numbers and their units.</summary>
    internal bool Cover(string text)
    {
        var words = Folding.Words(WithNumbersWhole(text));
        if (words.Count == 0)
        {
            return false; // signs alone may be what is left of something else
        }
        for (var i = 0; i < words.Count;)
        {
            var length = Enumerable.Range(1, Math.Min(LongestPhrase, words.Count - i)).LastOrDefault(count => phrases.Contains(string.Join(' ', words.Skip(i).Take(count))));
            if (length == 0 && !IsMeasure(words[i]))
            {
                return false;
            }
            i += Math.Max(1, length);
        }
        return true;
    }

    // Up to three digits, with a listed unit or none: 120, 5CM, X2. More may be a year or an identifier.
    private bool IsMeasure(string word)
    {
        var digits = word.TakeWhile(char.IsAsciiDigit).Count();
        if (digits is > 0 and <= 3 && (digits == word.Length || units.Contains(word[digits..])))
        {
            return true;
        }
        var tail = word.Reverse().TakeWhile(char.IsAsciiDigit).Count();
        return (tail is > 0 and <= 3 && phrases.Contains(word[..^tail])) || (digits is > 3 and <= 5 && units.Contains(word[digits..])) || units.Contains(word);
    }

    // 12.5 is one number of few digits, not two words; what is behind the point matters as little as the point.
    private static string WithNumbersWhole(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '.' or ',' && i > 0 && i + 1 < text.Length && char.IsAsciiDigit(text[i - 1]) && char.IsAsciiDigit(text[i + 1]))
            {
                var end = i + 1;
                while (end < text.Length && char.IsAsciiDigit(text[end]))
                {
                    end++;
                }
                if (end - i <= 4 && (end == text.Length || text[end] is not ('.' or ',')))
                {
                    i = end - 1;
                    continue;
                }
            }
            result.Append(text[i]);
        }
        return result.ToString();
    }

    private void Read(TextReader lines)
    {
        while (lines.ReadLine() is { } line)
        {
            line = line.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            var isUnit = line[0] == '=';
            foreach (var phrase in line.TrimStart('=').Split(','))
            {
                (isUnit ? units : phrases).Add(string.Join(' ', Folding.Words(phrase)));
            }
        }
    }
}
