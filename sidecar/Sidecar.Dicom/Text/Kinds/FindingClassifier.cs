namespace Sidecar.Dicom.Text.Kinds;

/// <summary>What a found text seems to be, and the attribute that it resembles; never the text.</summary>
internal readonly record struct TextKind(FindingKind Kind, string? MatchedAttribute = null);

/// <summary>
/// Sorts what was read: first by the values that the instances carry, then by its shape, last by the harmless list. In doubt it is not harmless. Holds no
/// state between calls.
/// </summary>
internal sealed class FindingClassifier(HarmlessWords harmless)
{
    /// <summary>Below this a reader has guessed; what it guessed may name a person, but never makes a text harmless.</summary>
    private const double LeastConfidenceForHarmless = 0.4;

    /// <param name="reading">Of one line.</param>
    /// <param name="width">Of the line in pixels.</param>
    /// <param name="height">Of the line in pixels.</param>
    /// <param name="known">Of the instance and its siblings.</param>
    public TextKind Classify(TextReading reading, int width, int height, KnownValues known)
    {
        var line = new ReadLine(reading.Text);
        if (line.Words.Count == 0)
        {
            return new TextKind(FindingKind.Other);
        }
        return MatchNames(line, known) ?? MatchIdentifiers(line, known) ?? MatchDates(line, known) ?? MatchPlaces(line, known)
            ?? MatchDescriptions(line, known) ?? Shape(line, IsWholeLine(line, width, height) && reading.Confidence >= LeastConfidenceForHarmless);
    }

    private static TextKind? MatchNames(ReadLine line, KnownValues known)
    {
        var (best, attribute) = (0, "");
        foreach (var value in known.Values.Where(value => value.Form == ValueForm.PersonName))
        {
            var score = NameMatch.Score(line.Words, line.LooseWords, value);
            (best, attribute) = score > best ? (score, value.Keyword) : (best, attribute);
        }
        return best > 0 ? new TextKind(FindingKind.PersonName, attribute) : null;
    }

    private static TextKind? MatchIdentifiers(ReadLine line, KnownValues known)
    {
        var match = known.Values.FirstOrDefault(value => value.Form == ValueForm.Identifier ? HasIdentifier(line, value)
            : value.Form == ValueForm.UniqueIdentifier && line.Dots >= 3 && Likeness.Contains(line.Loose, value.Loose, 3));
        return match is null ? null : new TextKind(FindingKind.Identifier, match.Keyword);
    }

    private static bool HasIdentifier(ReadLine line, KnownValue value)
    {
        var needle = value.Loose.TrimStart('0');
        if (needle.Length >= 6)
        {
            // With a wrong digit in seven it is still the same number; a cut one, too, where most of it stands alone.
            return Likeness.Contains(line.Loose, needle, needle.Length / 7)
                || line.LooseWords.Any(word => word.Length >= 6 && word.Length * 3 >= needle.Length * 2 && (needle.StartsWith(word, StringComparison.Ordinal) || needle.EndsWith(word, StringComparison.Ordinal)));
        }
        return line.LooseWords.Any(word => word.TrimStart('0') == needle && (needle.Length >= 4 || (needle.Length >= 2 && line.Words.Any(Labels.AnnouncesIdentifier))));
    }

    private static TextKind? MatchDates(ReadLine line, KnownValues known)
    {
        var dates = line.Dates;
        var match = known.Values.FirstOrDefault(value => value.Date is { } date && dates.Dates.Contains(date))
            ?? known.Values.FirstOrDefault(value => value.Age is { } age && line.Ages.Contains(age))
            ?? known.Values.FirstOrDefault(value => value.Date is { } date && line.HasDigitsOf(date))
            ?? known.Values.FirstOrDefault(value => value.Seconds is { } seconds && dates.Times.Any(time => time.HasSeconds ? time.Seconds == seconds : time.Seconds / 60 == seconds / 60));
        if (match is not null)
        {
            return new TextKind(FindingKind.Date, match.Keyword);
        }
        // The age at the study, where only the birth date is known.
        var births = known.Values.Where(value => value.Keyword == "PatientBirthDate" && value.Date is not null).Select(value => value.Date!.Value);
        var ages = line.Ages.Where(age => age.Unit == 'Y').Select(age => age.Number).ToHashSet();
        return ages.Count > 0 && births.Any(birth => known.Values.Any(value => value.Keyword == "StudyDate" && value.Date is { } study && ages.Contains(study.Year - birth.Year - (study.DayOfYear < birth.DayOfYear ? 1 : 0))))
            ? new TextKind(FindingKind.Date, "PatientBirthDate")
            : null;
    }

    private static TextKind? MatchPlaces(ReadLine line, KnownValues known) =>
        known.Values.FirstOrDefault(value => value.Form == ValueForm.Institution && SharesWords(line, value)) is { } place
            ? new TextKind(FindingKind.Institution, place.Keyword)
            : null;

    private static bool SharesWords(ReadLine line, KnownValue value)
    {
        if (value.Loose.Length >= 6 && Likeness.Contains(line.Loose, value.Loose, Likeness.Tolerance(value.Loose.Length)))
        {
            return true;
        }
        if (value.Loose.Length is 4 or 5 && line.LooseWords.Contains(value.Loose))
        {
            return true;
        }
        // Half of the letters of a longer name, in words of their own: devices shorten them. "Hospital" alone is no name.
        var found = value.LooseWords.Where((word, i) => word.Length >= 4 && !Labels.NamesPlace(value.Words[i]) && line.LooseWords.Any(read => Likeness.AreAlike(word, read))).Sum(word => word.Length);
        return found >= 4 && found * 2 >= value.LooseWords.Where((word, i) => word.Length >= 4 && !Labels.NamesPlace(value.Words[i])).Sum(word => word.Length);
    }

    private static TextKind? MatchDescriptions(ReadLine line, KnownValues known)
    {
        // Nearly the whole line must be it: "CHEST" in a description makes no finding of a marker that says more.
        var match = known.Values.FirstOrDefault(value => value.Form is ValueForm.Description or ValueForm.Device && value.Loose.Length >= 4 && line.Loose.Length <= value.Loose.Length * 4 / 3
            && line.Loose.Length >= 4 && (Likeness.Contains(line.Loose, value.Loose, Likeness.Tolerance(value.Loose.Length)) || Likeness.Contains(value.Loose, line.Loose, Likeness.Tolerance(line.Loose.Length))));
        return match is null ? null : new TextKind(match.Form == ValueForm.Device ? FindingKind.Harmless : FindingKind.Other, match.Keyword);
    }

    private TextKind Shape(ReadLine line, bool mayBeHarmless)
    {
        if (line.Words.Any(Labels.NamesPlace) && line.Letters >= 6)
        {
            return new TextKind(FindingKind.Institution);
        }
        if (line.Dates.HasDate || line.Dates.Times.Count > 0 || line.LooksLikeDate || line.Ages.Count > 0 || (line.Words.Any(Labels.AnnouncesBirth) && line.Digits >= 4))
        {
            return new TextKind(FindingKind.Date);
        }
        if (mayBeHarmless && harmless.Cover(line.Text))
        {
            return new TextKind(FindingKind.Harmless);
        }
        if (line.LooksLikeIdentifier())
        {
            return new TextKind(FindingKind.Identifier);
        }
        return new TextKind(line.LooksLikeName(harmless.Cover) ? FindingKind.PersonName : FindingKind.Other);
    }

    // One letter read in a long box means that most of it could not be read.
    private static bool IsWholeLine(ReadLine line, int width, int height) => width <= height * (line.Text.Length + 2);
}
