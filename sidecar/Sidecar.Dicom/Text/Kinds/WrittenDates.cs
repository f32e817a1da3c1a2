using System.Globalization;
using System.Text;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>Dates and times in a line of text, in the orders and languages that devices write. A date that can be read in two ways stands here twice.</summary>
/// <param name="Dates">Every day that may be meant; the century of a year with two digits is open.</param>
/// <param name="Times">Seconds of the day, and whether seconds were written.</param>
/// <param name="HasDate">Also true for a month with its year alone.</param>
internal sealed record WrittenDates(IReadOnlyCollection<DateOnly> Dates, IReadOnlyCollection<(int Seconds, bool HasSeconds)> Times, bool HasDate)
{
    private const int FirstYear = 1880;
    private const int LastYear = 2099;

    // Folded; a name may be cut short behind its third letter.
    private static readonly string[][] Months =
    [
        ["JANUARY", "JANUAR", "JANVIER", "ENERO", "GENNAIO", "JANEIRO", "STYCZEN", "IANVAR", "JAENNER", "GENN"],
        ["FEBRUARY", "FEBRUAR", "FEVRIER", "FEBRERO", "FEBBRAIO", "FEVEREIRO", "FEBRUARI", "LUTY", "FEVRAL"],
        ["MARCH", "MAERZ", "MARZ", "MARS", "MARZO", "MARCO", "MAART", "MRT", "MARZEC", "MART", "MRZ"],
        ["APRIL", "AVRIL", "ABRIL", "APRILE", "KWIECIEN", "APREL"],
        ["MAY", "MAI", "MAYO", "MAGGIO", "MAIO", "MEI", "MAJ"],
        ["JUNE", "JUNI", "JUIN", "JUNIO", "GIUGNO", "JUNHO", "CZERWIEC", "IIUN"],
        ["JULY", "JULI", "JUILLET", "JULIO", "LUGLIO", "JULHO", "LIPIEC", "IIUL"],
        ["AUGUST", "AOUT", "AGOSTO", "AUGUSTUS", "SIERPIEN", "AVGUST"],
        ["SEPTEMBER", "SEPTEMBRE", "SEPTIEMBRE", "SETTEMBRE", "SETEMBRO", "WRZESIEN", "SENTIABR"],
        ["OCTOBER", "OKTOBER", "OCTOBRE", "OCTUBRE", "OTTOBRE", "OUTUBRO", "PAZDZIERNIK", "OKTIABR"],
        ["NOVEMBER", "NOVEMBRE", "NOVIEMBRE", "NOVEMBRO", "LISTOPAD", "NOIABR"],
        ["DECEMBER", "DEZEMBER", "DECEMBRE", "DICIEMBRE", "DICEMBRE", "DEZEMBRO", "DESEMBER", "GRUDZIEN", "DEKABR"],
    ];

    private static readonly HashSet<string> Fillers = ["DE", "OF", "DEN", "DER", "DI", "DO", "ST", "ND", "RD", "TH", "G"];

    public static WrittenDates Read(string text)
    {
        var parts = Split(text);
        var dates = new HashSet<DateOnly>();
        var times = new HashSet<(int, bool)>();
        var hasDate = false;
        for (var i = 0; i < parts.Count; i++)
        {
            ReadTime(parts, i, times);
            hasDate |= ReadCompact(parts[i], dates, times) || ReadNumbers(parts, i, dates) || ReadMonth(parts, i, dates);
        }
        return new WrittenDates(dates, times, hasDate);
    }

    /// <summary>Numbers (with their digits set right), words (folded), and single characters between them other than spaces.</summary>
    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] is '|' or '@'))
            {
                i++;
            }
            if (i > start)
            {
                parts.AddRange(SplitDigits(text[start..i]));
            }
            else if (char.IsLetter(text[i]) && !char.IsAscii(text[i]))
            {
                // Letters with accents go on in the same word.
                while (i < text.Length && char.IsLetter(text[i]))
                {
                    i++;
                }
                var before = start > 0 && char.IsAsciiLetter(text[start - 1]) && parts.Count > 0 ? parts[^1] : "";
                if (before.Length > 0)
                {
                    parts.RemoveAt(parts.Count - 1);
                }
                parts.AddRange(Folding.Words(before + text[start..i]));
            }
            else
            {
                if (text[i] != ' ')
                {
                    parts.Add(text[i].ToString());
                }
                i++;
            }
        }
        return parts;
    }

    private static IEnumerable<string> SplitDigits(string run)
    {
        if (run.Any(char.IsAsciiDigit) && run.All(c => char.IsAsciiDigit(c) || "OoQDIl|SsBZzG@".Contains(c, StringComparison.Ordinal)))
        {
            // 2O18, l994: a number with letters that readers take digits for.
            yield return string.Concat(run.Select(c => c switch { 'O' or 'o' or 'Q' or 'D' or '@' => '0', 'I' or 'l' or '|' => '1', 'S' or 's' => '5', 'B' => '8', 'Z' or 'z' => '2', 'G' => '6', _ => c }));
            yield break;
        }
        var piece = new StringBuilder();
        foreach (var character in run.ToUpperInvariant())
        {
            if (piece.Length > 0 && char.IsAsciiDigit(piece[^1]) != char.IsAsciiDigit(character))
            {
                yield return piece.ToString();
                piece.Clear();
            }
            piece.Append(character);
        }
        yield return piece.ToString();
    }

    private static int Number(string part) => part.Length <= 4 && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static string At(List<string> parts, int i) => i >= 0 && i < parts.Count ? parts[i] : "";

    private static void ReadTime(List<string> parts, int i, HashSet<(int, bool)> times)
    {
        var (hour, minute) = (Number(parts[i]), Number(At(parts, i + 2)));
        var mark = At(parts, i + 1);
        if (parts[i].Length > 2 || hour is < 0 or > 24 || minute is < 0 or > 59 || At(parts, i + 2).Length != 2 || mark is not (":" or ";" or "H" or "UHR"))
        {
            return;
        }
        var second = At(parts, i + 3) is ":" or "." or ";" or "M" && At(parts, i + 4).Length == 2 ? Number(At(parts, i + 4)) : -1;
        var hasSeconds = second is >= 0 and < 60;
        var half = At(parts, i + (hasSeconds ? 5 : 3));
        hour = half is "PM" or "P" && hour < 12 ? hour + 12 : half is "AM" or "A" && hour == 12 ? 0 : hour;
        var seconds = ((((hour % 24) * 60) + minute) * 60) + (hasSeconds ? second : 0);
        times.Add((seconds, hasSeconds));
    }

    // 20181023, 23102018, 20181023142353
    private static bool ReadCompact(string part, HashSet<DateOnly> dates, HashSet<(int, bool)> times)
    {
        if (part.Length is not (8 or 12 or 14) || !part.All(char.IsAsciiDigit))
        {
            return false;
        }
        var count = dates.Count;
        AddDay(dates, part[..4], part[4..6], part[6..8]);
        if (part.Length > 8)
        {
            var seconds = part.Length == 14 ? int.Parse(part[12..], CultureInfo.InvariantCulture) : 0;
            var minutes = (int.Parse(part[8..10], CultureInfo.InvariantCulture) * 60) + int.Parse(part[10..12], CultureInfo.InvariantCulture);
            times.Add(((minutes * 60) + seconds, part.Length == 14));
        }
        else if (dates.Count == count)
        {
            AddDay(dates, part[4..], part[2..4], part[..2]);
            AddDay(dates, part[4..], part[..2], part[2..4]);
        }
        return dates.Count > count;
    }

    // 23.10.2018, 10/23/18, 2018-10-23, 23 10 2018
    private static bool ReadNumbers(List<string> parts, int i, HashSet<DateOnly> dates)
    {
        if (Number(parts[i]) < 0)
        {
            return false;
        }
        var at = i + 1;
        var first = TakeSeparator(parts, ref at);
        var middle = At(parts, at);
        at++;
        var second = TakeSeparator(parts, ref at);
        var last = At(parts, at);
        var hasLongYear = parts[i].Length == 4 || last.Length == 4;
        var isDotted = first == "." && (At(parts, i - 1) == "." || (At(parts, at + 1) == "." && Number(At(parts, at + 2)) >= 0));
        if (Number(middle) < 0 || Number(last) < 0 || middle.Length > 2 || isDotted || (!hasLongYear && (first.Length == 0 || first == "," || second != first)))
        {
            return false;
        }
        var count = dates.Count;
        if (parts[i].Length == 4)
        {
            AddDay(dates, parts[i], middle, last);
            AddDay(dates, parts[i], last, middle);
        }
        else
        {
            AddDay(dates, last, middle, parts[i]);
            AddDay(dates, last, parts[i], middle);
            if (last.Length == 2)
            {
                AddDay(dates, parts[i], middle, last);
            }
        }
        return dates.Count > count;
    }

    // 23 Oct 2018, Oct 23, 2018, 2018 Oct 23, 29Mar00, 23 de octubre de 2018, 2018年10月23日
    private static bool ReadMonth(List<string> parts, int i, HashSet<DateOnly> dates)
    {
        if (parts[i] is "年" or "年," && Number(At(parts, i + 1)) > 0 && At(parts, i + 2) == "月")
        {
            return AddDay(dates, At(parts, i - 1), At(parts, i + 1), At(parts, i + 3)) || AddDay(dates, At(parts, i - 1), At(parts, i + 1), "1");
        }
        var month = Array.FindIndex(Months, names => parts[i].Length >= 3 && Array.Exists(names, name => name.StartsWith(parts[i], StringComparison.Ordinal))) + 1;
        if (month == 0)
        {
            return false;
        }
        var before = NumberBeside(parts, i, -1, out var beforeAt);
        var after = NumberBeside(parts, i, 1, out var afterAt);
        var behind = NumberBeside(parts, afterAt, 1, out _);
        var number = month.ToString(CultureInfo.InvariantCulture);
        var isDay = AddDay(dates, after, number, before) | AddDay(dates, behind, number, after) | (before.Length == 4 && AddDay(dates, before, number, after));
        return isDay || (beforeAt >= 0 && IsYear(before)) || (after.Length == 4 && IsYear(after));
    }

    private static string NumberBeside(List<string> parts, int i, int step, out int at)
    {
        at = i + step;
        for (var skipped = 0; skipped < 3 && (At(parts, at) is "." or "," or "-" or "/" or "'" or "年" or "月" || Fillers.Contains(At(parts, at))); skipped++)
        {
            at += step;
        }
        return Number(At(parts, at)) >= 0 ? At(parts, at) : "";
    }

    private static string TakeSeparator(List<string> parts, ref int at)
    {
        var separator = At(parts, at);
        if (separator is "." or "/" or "-" or "," or "\\" or "—" or "–")
        {
            at++;
            return separator;
        }
        return "";
    }

    private static bool IsYear(string part) => Number(part) is >= FirstYear and <= LastYear;

    private static bool AddDay(HashSet<DateOnly> dates, string yearPart, string monthPart, string dayPart)
    {
        var (year, month, day) = (Number(yearPart), Number(monthPart), Number(dayPart));
        if (month is < 1 or > 12 || day < 1 || dayPart.Length > 2)
        {
            return false;
        }
        int[] years = yearPart.Length == 4 ? [year] : yearPart.Length == 2 && year >= 0 ? [1900 + year, 2000 + year] : [];
        var added = false;
        foreach (var full in years.Where(full => full is >= FirstYear and <= LastYear && day <= DateTime.DaysInMonth(full, month)))
        {
            dates.Add(new DateOnly(full, month, day));
            added = true;
        }
        return added;
    }
}
