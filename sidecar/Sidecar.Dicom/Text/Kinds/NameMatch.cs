namespace Sidecar.Dicom.Text.Kinds;

/// <summary>Whether a line names a person, with family and given names in any order, cut short, with initials, or run together.</summary>
internal static class NameMatch
{
    /// <summary>Letters of the name that were found; 0 where too few were to be sure.</summary>
    /// <param name="line">The words of the line.</param>
    /// <param name="looseLine">The same, loosened.</param>
    /// <param name="name">A value of VR PN.</param>
    public static int Score(IReadOnlyList<string> line, IReadOnlyList<string> looseLine, KnownValue name)
    {
        var compact = string.Concat(looseLine);
        var taken = new bool[line.Count];
        var (matched, letters, longest, initials) = (0, 0, 0, 0);
        for (var n = 0; n < name.Words.Count; n++)
        {
            var (word, loose) = (name.Words[n], name.LooseWords[n]);
            var at = Enumerable.Range(0, line.Count).FirstOrDefault(i => !taken[i] && IsSame(looseLine[i], loose, word.Length), -1);
            if (at < 0 && Folding.IsIdeographic(word) && compact.Contains(loose, StringComparison.Ordinal))
            {
                // Without spaces between them; two characters are a whole name.
                (matched, letters, longest) = (matched + 1, letters + word.Length, Math.Max(longest, word.Length * 3));
            }
            else if (at < 0 && word.Length >= 5 && Likeness.Contains(compact, loose, Likeness.Tolerance(word.Length) / 2))
            {
                (matched, letters, longest) = (matched + 1, letters + word.Length, Math.Max(longest, word.Length)); // the space was not seen
            }
            else if (at >= 0)
            {
                taken[at] = true;
                // Patient^Test: the label "Patient ID" is not the patient's name.
                var counts = Labels.IsLabel(word) ? 0 : word.Length;
                (matched, letters, longest) = (matched + 1, letters + word.Length, Math.Max(longest, counts));
            }
            else if (word.Length > 1 && Enumerable.Range(0, line.Count).FirstOrDefault(i => !taken[i] && line[i].Length == 1 && line[i][0] == word[0], -1) is >= 0 and var initial)
            {
                taken[initial] = true;
                initials++;
            }
        }
        // Three letters alone are a name only where they stand alone; fewer never are without a second part.
        var isSure = longest >= 4
            || (longest == 3 && (line.Count <= 2 || matched + initials > 1))
            || (matched >= 2 && letters >= 4)
            || (matched == 1 && initials > 0 && longest >= 2)
            || (name.Loose.Length >= 6 && Likeness.Contains(compact, name.Loose, Likeness.Tolerance(name.Loose.Length)));
        return isSure ? letters + initials : 0;
    }

    private static bool IsSame(string read, string known, int length) =>
        read == known || (length >= 5 && Likeness.AreAlike(known, read)) || (length >= 4 && read.Length > known.Length + 1 && read.EndsWith(known, StringComparison.Ordinal));
}
