using System.Globalization;
using System.Text.RegularExpressions;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>A line of text as it was read, taken apart once. PHI.</summary>
internal sealed partial class ReadLine
{
    public ReadLine(string text)
    {
        Text = text.Trim();
        Words = Folding.Words(Text);
        LooseWords = [.. Words.Select(Folding.Loosen)];
        Loose = Folding.Loosen(string.Concat(Words));
        Dates = WrittenDates.Read(Text);
        Ages = ReadAges();
    }

    public string Text { get; }

    /// <summary>Folded, see <see cref="Folding.Words"/>.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The same, loosened one by one.</summary>
    public IReadOnlyList<string> LooseWords { get; }

    /// <summary>All together, loosened.</summary>
    public string Loose { get; }

    public WrittenDates Dates { get; }

    /// <summary>Ages with their units: Y, M, W or D.</summary>
    public IReadOnlyCollection<(int Number, char Unit)> Ages { get; }

    public int Letters => Text.Count(char.IsLetter);

    public int Digits => Text.Count(char.IsAsciiDigit);

    public int Dots => Text.Count(character => character == '.');

    /// <summary>Three short numbers parted as in a date or a time, though they make none: digits are misread.</summary>
    public bool LooksLikeDate => ThreeNumbers().IsMatch(Text);

    /// <summary>Whether the eight digits of a day stand together, one of them misread perhaps.</summary>
    public bool HasDigitsOf(DateOnly date)
    {
        if (Digits < 7)
        {
            return false;
        }
        var digits = string.Concat(Text.Where(char.IsAsciiDigit));
        return Likeness.Contains(digits, date.ToString("yyyyMMdd", CultureInfo.InvariantCulture), 1) || Likeness.Contains(digits, date.ToString("ddMMyyyy", CultureInfo.InvariantCulture), 1)
            || Likeness.Contains(digits, date.ToString("MMddyyyy", CultureInfo.InvariantCulture), 1);
    }

    /// <summary>A word of five digits and more, letters and digits mixed, a label with a number, a dotted number, a telephone or an e-mail.</summary>
    public bool LooksLikeIdentifier() =>
        LongNumber().IsMatch(Text) || Email().IsMatch(Text) || Telephone().IsMatch(Text)
        || Words.Any(word => word.Length >= 6 && word.Count(char.IsAsciiDigit) >= 3)
        || Text.Split(' ').Any(part => part.Count(char.IsAsciiDigit) >= 5 && part.IndexOfAny(['.', ',', ':']) < 0)
        || (Words.Any(Labels.AnnouncesIdentifier) && Words.Any(word => word.Count(char.IsAsciiDigit) >= 2));

    /// <summary>Two to four words with capital letters, a family name before a comma, or a label of a name.</summary>
    /// <param name="isCommon">Whether a word is on the harmless list.</param>
    public bool LooksLikeName(Func<string, bool> isCommon)
    {
        if (Text.Contains('^', StringComparison.Ordinal) && Letters >= 4)
        {
            return true;
        }
        var words = Words.Where(word => !Labels.IsLabel(word)).ToList();
        var names = words.Where(word => word.Length >= 2 && word.All(character => !char.IsAsciiDigit(character)) && !isCommon(word)).ToList();
        var isAnnounced = Words.Any(Labels.AnnouncesName) && words.Count > 0;
        if (isAnnounced && names.Exists(name => name.Length >= 3))
        {
            return true;
        }
        var isParted = names.Count(name => name.Length >= 3) >= 2 || (Text.Contains(',', StringComparison.Ordinal) && names.Exists(name => name.Length >= 3));
        return isParted && names.Count is >= 2 and <= 4 && words.Count(word => word.Length == 1) + names.Count == words.Count
            && Capitalised().Count(Text) >= names.Count;
    }

    private HashSet<(int Number, char Unit)> ReadAges()
    {
        var ages = new HashSet<(int, char)>();
        foreach (Match match in AgeWithUnit().Matches(Text))
        {
            Add(match.Groups[1].Value, char.ToUpperInvariant(match.Groups[2].Value[0]));
        }
        if (Words.Any(Labels.AnnouncesAge) && Words.FirstOrDefault(word => word.Length is 2 or 3 && word.All(char.IsAsciiDigit)) is { } number)
        {
            Add(number, 'Y');
        }
        return ages;

        void Add(string digits, char unit)
        {
            unit = unit is 'J' or 'A' ? 'Y' : unit;
            // 78Y needs no label; 12 M may be metres, and only three digits are written as the attribute writes months.
            if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 130 && (unit == 'Y' || digits.Length == 3))
            {
                ages.Add((number, unit));
            }
        }
    }

    [GeneratedRegex(@"(?<![\d.,])(\d{1,3})\s*-?\s*(y(?:o|rs?|ears?)?|j(?:ahre?)?|a(?:ns|nni|ños|nos)|[mwd])(?![a-z])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex AgeWithUnit();

    [GeneratedRegex(@"(?<![.,]\d{0,4})\d{5,}|\d+(\.\d+){3,}")]
    private static partial Regex LongNumber();

    [GeneratedRegex(@"(?<![\d.])\d{1,2} ?([:./-]) ?\d{1,2} ?\1 ?(\d{4}|\d{2})(?![\d.])")]
    private static partial Regex ThreeNumbers();

    [GeneratedRegex(@"\S@\S+\.\w")]
    private static partial Regex Email();

    [GeneratedRegex(@"\(?\+?\d{2,5}\)?[ /-]\d{3,}([ -]\d{2,})")]
    private static partial Regex Telephone();

    [GeneratedRegex(@"\b\p{Lu}")]
    private static partial Regex Capitalised();
}
