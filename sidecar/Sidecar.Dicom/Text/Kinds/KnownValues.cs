using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>What instances say about themselves, to be looked for in what was read from their pixels. PHI: in memory only.</summary>
internal sealed class KnownValues
{
    private const int LongestValue = 1024;

    /// <summary>More than any study has; a file may not fill the memory with invented ones.</summary>
    private const int MostValues = 20_000;

    private readonly HashSet<(string Keyword, string Text)> seen = [];
    private readonly List<KnownValue> values = [];
    private List<KnownValue>? sorted;

    /// <summary>Those that the standard calls the patient's own first.</summary>
    public IReadOnlyList<KnownValue> Values => sorted ??= [.. values.OrderBy(value => value.Rank)];

    /// <summary>Adds the attributes of one instance, nested ones included. Instances of the same series and study should all be added: texts wander.</summary>
    public void Add(Part10File file)
    {
        // Of a part with its own character set (PS3.3 C.12.1.1.2) the outer one is used: a wrong letter costs a match at most.
        var decode = CharacterSets.Decoder(file.ReadText(new DicomTag(0x00080005)));
        Add(file, file.Elements, decode);
    }

    /// <summary>Adds one value of an attribute.</summary>
    public void Add(string keyword, ValueForm form, string text, int rank = int.MaxValue)
    {
        text = text.Trim(' ', '\0');
        if (text.Length > 0 && values.Count < MostValues && seen.Add((keyword, text)))
        {
            values.Add(KnownValue.Create(keyword, form, text, rank));
            sorted = null;
        }
    }

    private void Add(Part10File file, IReadOnlyList<DicomElement> elements, Func<byte[], string> decode)
    {
        foreach (var element in elements)
        {
            if (element.Items is { } items)
            {
                foreach (var item in items)
                {
                    Add(file, item.Elements, decode);
                }
            }
            else if (element.ValueLength is > 0 and <= LongestValue && IdentifyingAttributes.Find(element) is var (keyword, form, rank))
            {
                foreach (var text in decode(file.ReadValue(element)).Split('\\'))
                {
                    Add(keyword, form, text, rank);
                }
            }
        }
    }
}

/// <summary>One value, prepared for comparison.</summary>
internal sealed record KnownValue
{
    public required string Keyword { get; init; }

    public required ValueForm Form { get; init; }

    public required int Rank { get; init; }

    /// <summary>Folded, see <see cref="Folding.Words"/>.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>All words together, loosened.</summary>
    public required string Loose { get; init; }

    /// <summary>Each word, loosened.</summary>
    public required IReadOnlyList<string> LooseWords { get; init; }

    public DateOnly? Date { get; init; }

    /// <summary>Seconds of the day; the seconds of a minute are 0 where the value has none.</summary>
    public int? Seconds { get; init; }

    /// <summary>In years, months, weeks or days as the value says (PS3.5 6.2, AS).</summary>
    public (int Number, char Unit)? Age { get; init; }

    public static KnownValue Create(string keyword, ValueForm form, string text, int rank)
    {
        var words = Folding.Words(text);
        var time = form == ValueForm.DateTime ? (text.Length > 8 ? text[8..] : "") : form == ValueForm.Time ? text.Replace(":", "", StringComparison.Ordinal) : "";
        return new KnownValue
        {
            Keyword = keyword,
            Form = form,
            Rank = rank,
            Words = words,
            Loose = Folding.Loosen(string.Concat(words)),
            LooseWords = [.. words.Select(Folding.Loosen)],
            Date = form is ValueForm.Date or ValueForm.DateTime ? ReadDate(text) : null,
            Seconds = ReadTime(time),
            Age = form == ValueForm.Age && text.Length == 4 && int.TryParse(text[..3], out var number) ? (number, char.ToUpperInvariant(text[3])) : null,
        };
    }

    private static DateOnly? ReadDate(string text)
    {
        // ACR-NEMA wrote 1994.01.30, which old files still have.
        var digits = text.Replace(".", "", StringComparison.Ordinal);
        return digits.Length >= 8 && DateOnly.TryParseExact(digits[..8], "yyyyMMdd", out var date) ? date : null;
    }

    private static int? ReadTime(string text) =>
        text.Length >= 4 && int.TryParse(text[..2], out var hour) && int.TryParse(text[2..4], out var minute) && hour < 24 && minute < 60
            ? (((hour * 60) + minute) * 60) + (text.Length >= 6 && int.TryParse(text[4..6], out var second) ? second : 0)
            : null;
}
