using System.Data.Common;
using Dapper;
using Sidecar.Audit;
using Sidecar.Dicom.Text;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>A row of <c>reviews</c>.</summary>
internal sealed record ReviewRow
{
    public const string Columns =
        "study_instance_uid, study_orthanc_id, state, images, findings, finding_groups, undecided, undecided_groups, not_applied, unscannable, missed, risk, is_weak, modalities, stations, arrived_at, "
        + "opened_at, opened_by_subject, opened_by_name, finalized_at, finalized_by_subject, finalized_by_name, last_update";

    public string StudyInstanceUid { get; init; } = "";

    public string StudyOrthancId { get; init; } = "";

    public string State { get; init; } = "new";

    public long Images { get; init; }

    /// <summary>All that count, decided or not.</summary>
    public long Findings { get; init; }

    /// <summary>What they come to in <see cref="FindingClusters"/>; null until it was counted.</summary>
    public long? FindingGroups { get; init; }

    public long Undecided { get; init; }

    /// <summary>Decisions that these take.</summary>
    public long? UndecidedGroups { get; init; }

    /// <summary>Accepted, and no mask burned yet.</summary>
    public long NotApplied { get; init; }

    /// <summary>Images that could not be scanned and that nobody has acknowledged.</summary>
    public long Unscannable { get; init; }

    /// <summary>Images without a finding in which a person saw text, not changed since.</summary>
    public long Missed { get; init; }

    public long Risk { get; init; }

    public long IsWeak { get; init; }

    public string Modalities { get; init; } = ",";

    public string Stations { get; init; } = ",";

    public string ArrivedAt { get; init; } = "";

    public string? OpenedAt { get; init; }

    public string? OpenedBySubject { get; init; }

    public string? OpenedByName { get; init; }

    public string? FinalizedAt { get; init; }

    public string? FinalizedBySubject { get; init; }

    public string? FinalizedByName { get; init; }

    public string? LastUpdate { get; init; }

    /// <summary>What keeps the study from being finalized.</summary>
    public long Open => Undecided + NotApplied + Unscannable + Missed;
}

/// <summary>
/// Makes the row of a study's review anew from the ledger, the findings, the samples and what people did. Runs in the transaction of whatever changed these,
/// so that a review is never older than what it tells of.
/// </summary>
internal sealed class ReviewRefresh(AuditLog audit, TimeProvider time)
{
    /// <summary>Images of a study without a finding in which a person saw text, not changed since.</summary>
    public const string FromMissed =
        "FROM samples p JOIN scanned_instances s ON s.orthanc_id = p.orthanc_id AND s.md5 = p.md5 WHERE p.study_instance_uid = @study AND p.has_text = 1";

    private sealed record CountedRow
    {
        public long Images { get; init; }

        public string? StudyOrthancId { get; init; }

        public string? FirstAt { get; init; }

        public long IsWeak { get; init; }

        public long Unscannable { get; init; }
    }

    private sealed record KindRow
    {
        public string Kind { get; init; } = "";

        public long Undecided { get; init; }

        public long NotApplied { get; init; }

        public long Findings { get; init; }

        public long Living { get; init; }

        public long Confidence { get; init; }
    }

    /// <summary>The row as it is now; null, and no row is left, where neither the ledger nor the queue of scans knows the study (any more).</summary>
    public async Task<ReviewRow?> Run(DbTransaction t, string study)
    {
        var connection = t.Connection!;
        var before = await Find(t, study);
        var counted = await connection.QuerySingleAsync<CountedRow>(
            """
            SELECT COUNT(*) AS images, MAX(s.study_orthanc_id) AS study_orthanc_id, MIN(s.scanned_at) AS first_at, COALESCE(MAX(s.is_weak), 0) AS is_weak,
                   CAST(COALESCE(SUM(CASE WHEN s.state = 'unscannable' AND NOT EXISTS (SELECT 1 FROM acknowledged_images a WHERE a.orthanc_id = s.orthanc_id AND a.md5 = s.md5) THEN 1 ELSE 0 END), 0) AS BIGINT) AS unscannable
            FROM scanned_instances s WHERE s.study_instance_uid = @study
            """,
            new { study },
            t);
        var arriving = await connection.ExecuteScalarAsync<string?>(
            "SELECT MAX(w.study_orthanc_id) FROM scan_work w JOIN scan_runs r ON r.id = w.run_id WHERE w.study_instance_uid = @study AND r.kind = 'arrivals'", new { study }, t);
        if (counted.Images == 0 && arriving is null)
        {
            if (before is not null)
            {
                await connection.ExecuteAsync("DELETE FROM finalized_images WHERE study_instance_uid = @study; DELETE FROM reviews WHERE study_instance_uid = @study", new { study }, t);
            }

            return null;
        }

        var kinds = (await connection.QueryAsync<KindRow>(
            $"""
            SELECT kind, COUNT(*) AS findings, MAX(confidence) AS confidence,
                   CAST(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS BIGINT) AS undecided,
                   CAST(SUM(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END) AS BIGINT) AS not_applied,
                   CAST(SUM(CASE WHEN state <> 'masked' THEN 1 ELSE 0 END) AS BIGINT) AS living
            FROM (SELECT f.kind, f.confidence, CASE WHEN f.state = 'accepted' AND {FindingRow.IsBurned} THEN 'masked' ELSE f.state END AS state
                  FROM scan_findings f WHERE f.study_instance_uid = @study AND f.state <> 'gone') c
            GROUP BY kind
            """,
            new { study },
            t)).AsList();
        var missed = await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) " + FromMissed, new { study }, t);
        var groups = kinds.Count == 0 ? [] : (await FindingReader.ReadClusters(connection, t, study)).All;
        var row = (before ?? new ReviewRow { StudyInstanceUid = study, ArrivedAt = counted.FirstAt ?? Instant.ToText(time.GetUtcNow()) }) with
        {
            StudyOrthancId = counted.StudyOrthancId ?? arriving!,
            Images = counted.Images,
            Findings = kinds.Sum(k => k.Findings),
            FindingGroups = groups.Count,
            Undecided = kinds.Sum(k => k.Undecided),
            UndecidedGroups = groups.Count(group => group.View.State == FindingState.Open),
            NotApplied = kinds.Sum(k => k.NotApplied),
            Unscannable = counted.Unscannable,
            Missed = missed,
            IsWeak = counted.IsWeak,
            Risk = RiskOf(kinds, counted.Unscannable, missed),
            Modalities = await Words(t, "modality", study),
            Stations = await Words(t, "station", study),
        };
        var cause = row.FinalizedAt is null ? null : await ReasonToReopen(t, row);
        row = cause is null ? row : Opened(row);
        row = row with { State = StateOf(row, arriving is not null, kinds.Sum(k => k.Living)) };
        if (row != before)
        {
            await Store(t, row);
        }

        if (cause is not null)
        {
            await Reopen(t, before!, cause, ServiceAudit.Service, Environment.MachineName, null);
        }

        return row;
    }

    /// <summary>The row as it is stored, kept from others until the transaction ends.</summary>
    public static async Task<ReviewRow?> Find(DbTransaction t, string study)
    {
        await t.Lock("review " + study);
        return await t.Connection!.QuerySingleOrDefaultAsync<ReviewRow>($"SELECT {ReviewRow.Columns} FROM reviews WHERE study_instance_uid = @study", new { study }, t);
    }

    /// <summary>A finalized review as it is after it was opened again: who wants it must take it anew.</summary>
    public static ReviewRow Opened(ReviewRow row) =>
        row with { FinalizedAt = null, FinalizedBySubject = null, FinalizedByName = null, LastUpdate = null, OpenedAt = null, OpenedBySubject = null, OpenedByName = null };

    /// <summary>Opens a finalized review because Orthanc holds something else now, although no scan has told so yet.</summary>
    public async Task<int> ReopenAsChanged(DbTransaction t, string study)
    {
        if (await Find(t, study) is { FinalizedAt: not null } row)
        {
            await Store(t, Opened(row) with { State = "findings" });
            await Run(t, study);
            await Reopen(t, row, "imagesChanged", ServiceAudit.Service, Environment.MachineName, null);
        }

        return 0;
    }

    /// <summary>Forgets what was finalized and tells the audit why. The last statements of a transaction.</summary>
    /// <param name="t">In which the opened row was stored.</param>
    /// <param name="finalized">The row as it was.</param>
    /// <param name="cause">For programs: imagesChanged, newFindings, person.</param>
    /// <param name="subject">Who.</param>
    /// <param name="name">His name.</param>
    /// <param name="reason">As he gave it.</param>
    public async Task Reopen(DbTransaction t, ReviewRow finalized, string cause, string subject, string name, string? reason)
    {
        await t.Connection!.ExecuteAsync("DELETE FROM finalized_images WHERE study_instance_uid = @StudyInstanceUid", new { finalized.StudyInstanceUid }, t);
        await audit.Append(t, new AuditEvent("reviewReopened", subject, name)
        {
            StudyInstanceUid = finalized.StudyInstanceUid,
            Details = new() { ["cause"] = cause, ["reason"] = reason, ["finalizedAt"] = finalized.FinalizedAt, ["finalizedBy"] = finalized.FinalizedByName },
        });
    }

    public static Task<int> Store(DbTransaction t, ReviewRow row) =>
        t.Connection!.ExecuteAsync(
            $"""
            INSERT INTO reviews ({ReviewRow.Columns})
            VALUES (@StudyInstanceUid, @StudyOrthancId, @State, @Images, @Findings, @FindingGroups, @Undecided, @UndecidedGroups, @NotApplied, @Unscannable, @Missed, @Risk, @IsWeak, @Modalities, @Stations, @ArrivedAt,
                    @OpenedAt, @OpenedBySubject, @OpenedByName, @FinalizedAt, @FinalizedBySubject, @FinalizedByName, @LastUpdate)
            ON CONFLICT (study_instance_uid) DO UPDATE SET study_orthanc_id = excluded.study_orthanc_id, state = excluded.state, images = excluded.images, findings = excluded.findings,
                finding_groups = excluded.finding_groups, undecided = excluded.undecided, undecided_groups = excluded.undecided_groups, not_applied = excluded.not_applied, unscannable = excluded.unscannable, missed = excluded.missed, risk = excluded.risk, is_weak = excluded.is_weak,
                modalities = excluded.modalities, stations = excluded.stations, opened_at = excluded.opened_at, opened_by_subject = excluded.opened_by_subject, opened_by_name = excluded.opened_by_name,
                finalized_at = excluded.finalized_at, finalized_by_subject = excluded.finalized_by_subject, finalized_by_name = excluded.finalized_by_name, last_update = excluded.last_update
            """,
            row,
            t);

    private static string StateOf(ReviewRow row, bool isArriving, long living) => row switch
    {
        { FinalizedAt: not null } => "finalized",
        { OpenedAt: not null } => "inReview",
        _ when living > 0 || row.Unscannable > 0 || row.Missed > 0 => "findings",
        _ when isArriving || row.Images == 0 || row.IsWeak != 0 => "new", // nothing found is not clean until everything was looked at, and looked at well
        _ => "clean",
    };

    // Images that were removed took their text with them; all else must be as it was finalized.
    private static async Task<string?> ReasonToReopen(DbTransaction t, ReviewRow row)
    {
        var changed = await t.Connection!.ExecuteScalarAsync<long>(
            """
            SELECT COUNT(*) FROM scanned_instances s LEFT JOIN finalized_images i ON i.study_instance_uid = s.study_instance_uid AND i.orthanc_id = s.orthanc_id AND i.md5 = s.md5
            WHERE s.study_instance_uid = @StudyInstanceUid AND i.orthanc_id IS NULL
            """,
            new { row.StudyInstanceUid },
            t);
        return changed > 0 ? "imagesChanged" : row.Open > 0 ? "newFindings" : null;
    }

    private static long RiskOf(IReadOnlyList<KindRow> kinds, long unscannable, long missed)
    {
        const int Rank = 10_000;
        var text = kinds.Where(k => k.Undecided > 0).Select(k => ((6 - FindingClusters.RankOf(Enum.Parse<FindingKind>(k.Kind, ignoreCase: true))) * Rank) + k.Confidence);
        return text.Append(missed > 0 ? 7 * Rank : 0).Append(unscannable > 0 ? Rank : 0).Max();
    }

    private static async Task<string> Words(DbTransaction t, string column, string study) =>
        string.Concat((await t.Connection!.QueryAsync<string>(
            $"SELECT DISTINCT {column} FROM scanned_instances WHERE study_instance_uid = @study AND {column} <> '' ORDER BY {column}", new { study }, t)).Select(word => "," + word.Replace(',', ' '))) + ",";
}
