namespace Sidecar.Orthanc;

/// <summary>How far the list of changes is worked off.</summary>
/// <param name="Sequence">Number of the last row seen.</param>
/// <param name="Anchor">That row: another one under its number means another database. Null where none was seen.</param>
internal sealed record ChangeCursor(long Sequence, string? Anchor);

/// <summary>What came since the cursor.</summary>
/// <param name="StableStudies">Studies that came to rest, each once.</param>
/// <param name="Next">To go on from.</param>
/// <param name="IsLast">There is nothing behind this page yet.</param>
internal sealed record ChangePage(IReadOnlyList<OrthancId> StableStudies, ChangeCursor Next, bool IsLast);

/// <summary>
/// Orthanc's list of changes. It has no filter by type in 1.10.1, rows vanish from it with what they tell of, it may be emptied, and StableStudy is
/// lost for good when Orthanc is killed before it: it says where to look early, and the reconciliation finds the rest.
/// </summary>
internal sealed class ChangeFeed(OrthancClient orthanc)
{
    private const int RowsAtOnce = 1000;

    /// <summary>Where the list ends now.</summary>
    public async Task<ChangeCursor> ReadEnd(CancellationToken token)
    {
        var answer = await orthanc.ReadLastChange(token);
        return new ChangeCursor(answer.Last, answer.Changes is [.., var row] ? AnchorOf(row) : null);
    }

    /// <summary>The next page; null where Orthanc's database is another one than that of the cursor.</summary>
    public async Task<ChangePage?> Read(ChangeCursor cursor, CancellationToken token)
    {
        // From one row earlier, so that the anchor comes with the page. That it is missing is normal: overwriting removes rows.
        var answer = await orthanc.ReadChanges(cursor.Anchor is null ? cursor.Sequence : cursor.Sequence - 1, RowsAtOnce, token);
        if (answer.Changes.FirstOrDefault(c => c.Seq == cursor.Sequence) is { } row ? cursor.Anchor is { } anchor && anchor != AnchorOf(row) : answer.Last < cursor.Sequence && answer.Changes.Count == 0)
        {
            return null;
        }

        var rows = answer.Changes.Where(c => c.Seq > cursor.Sequence).ToList();
        return new ChangePage(
            [.. rows.Where(c => c.ChangeType == "StableStudy").Select(c => new OrthancId(c.Id)).Distinct()],
            rows is [.., var last] ? new ChangeCursor(last.Seq, AnchorOf(last)) : cursor,
            answer.Done);
    }

    private static string AnchorOf(ChangeAnswer row) => $"{row.ChangeType} {row.Id} {row.Date}";
}
