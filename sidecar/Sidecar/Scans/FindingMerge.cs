using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;

namespace Sidecar.Scans;

/// <summary>What a new scan of an image makes of the findings of the scans before it.</summary>
/// <param name="Kept">Found again: the row stays, and with it what a person decided.</param>
/// <param name="New">To be decided.</param>
/// <param name="Closed">Rows that go into another state, because their text is not there any more.</param>
internal sealed record FindingMerge(IReadOnlyList<(StoredFinding Row, ScanFinding Found)> Kept, IReadOnlyList<ScanFinding> New, IReadOnlyList<(StoredFinding Row, string State)> Closed)
{
    private const double SamePlace = 0.5;

    /// <param name="earlier">All rows of the image.</param>
    /// <param name="found">What the new scan found.</param>
    /// <param name="md5">Of the file that was scanned.</param>
    /// <param name="isOurMask">This file is what this service stored when it burned masks.</param>
    public static FindingMerge Merge(IReadOnlyList<StoredFinding> earlier, IReadOnlyList<ScanFinding> found, string md5, bool isOurMask)
    {
        List<(StoredFinding, ScanFinding)> kept = [];
        List<ScanFinding> added = [];
        var open = earlier.Where(e => e.State is "open" or "accepted" or "dismissed").ToList();
        foreach (var finding in found)
        {
            var match = open.Where(e => IsSame(e, finding)).MaxBy(e => (e.State != "open", Overlap(e.Region, finding.Region)));
            if (match is null)
            {
                added.Add(finding);
            }
            else
            {
                open.Remove(match);
                kept.Add((match, finding));
            }
        }

        return new FindingMerge(kept, added, [.. open.Select(row => (row, State: Close(row, md5, isOurMask))).Where(c => c.State != c.row.State)]);
    }

    // A decision covers only what was decided: in these frames, and a text that has since been recognised as a name was not what was dismissed.
    private static bool IsSame(StoredFinding row, ScanFinding finding) =>
        Overlap(row.Region, finding.Region) >= SamePlace
        && (row.State == "open" || Covers(row.Frames, finding.Frames))
        && (row.State != "dismissed" || finding.Kind is FindingKind.Other or FindingKind.Harmless || row.Kind == ScanWords.Of(finding.Kind));

    private static bool Covers(string? frames, IReadOnlyList<int>? wanted) =>
        frames is null || (wanted is not null && !wanted.Except(FrameNumbers.Parse(frames)).Any());

    // Nobody's approval is lost because another engine did not see the text in the same file.
    private static string Close(StoredFinding row, string md5, bool isOurMask) => row.State switch
    {
        "accepted" when row.Md5 == md5 => row.State,
        "accepted" when isOurMask => "masked",
        _ => "gone",
    };

    /// <summary>Intersection over union.</summary>
    public static double Overlap(Region a, Region b)
    {
        double width = Math.Min(a.Right, b.Right) - Math.Max(a.X, b.X);
        double height = Math.Min(a.Bottom, b.Bottom) - Math.Max(a.Y, b.Y);
        return width <= 0 || height <= 0 ? 0 : width * height / (((double)a.Width * a.Height) + ((double)b.Width * b.Height) - (width * height));
    }
}

/// <summary>The words of the database for types of the core.</summary>
internal static class ScanWords
{
    /// <summary>As JSON has it.</summary>
    public static string Of(FindingKind kind) => kind switch
    {
        FindingKind.PersonName => "personName",
        FindingKind.Date => "date",
        FindingKind.Identifier => "identifier",
        FindingKind.Institution => "institution",
        FindingKind.Harmless => "harmless",
        _ => "other",
    };
}
