using System.Data.Common;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Orthanc;

/// <summary>Whose turn it is to look for changes, and how far that came.</summary>
/// <param name="IsBegun">False before the first look at the archive.</param>
/// <param name="Cursor">In its list of changes.</param>
/// <param name="SinceReconciled">Null where that was never brought to its end.</param>
internal sealed record DiscoveryTurn(bool IsBegun, ChangeCursor Cursor, TimeSpan? SinceReconciled);

/// <summary>A study to be looked at.</summary>
internal sealed record ChangedStudy
{
    public string StudyOrthancId { get; init; } = "";

    public string Stamp { get; init; } = "";

    public long IsBacklog { get; init; }

    public OrthancId Id => new(StudyOrthancId);
}

/// <summary>What discovery remembers. One node at a time looks; what another stores meanwhile, because its lease ran out unnoticed, only makes studies be looked at twice.</summary>
internal sealed class DiscoveryStore(Database database)
{
    private const int RowsAtOnce = 500;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly string _node = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";

    /// <summary>Null where another node looks.</summary>
    public Task<DiscoveryTurn?> TakeTurn(CancellationToken token) =>
        database.Write(
            async t =>
            {
                var now = t.Connection!.NowMilliseconds();
                var row = await t.Connection!.QuerySingleOrDefaultAsync<CursorRow>(
                    $"""
                    UPDATE change_cursor SET node = @_node, lease_until = {now} + @lease WHERE id = 1 AND (node IS NULL OR node = @_node OR lease_until < {now})
                    RETURNING is_begun, sequence, anchor, {now} - reconciled_at AS age
                    """,
                    new { _node, lease = (long)Lease.TotalMilliseconds },
                    t);
                return row is null ? null : new DiscoveryTurn(row.IsBegun != 0, new ChangeCursor(row.Sequence, row.Anchor), row.Age is { } age ? TimeSpan.FromMilliseconds(age) : null);
            },
            token);

    /// <summary>Lets another node go on at once.</summary>
    public Task GiveUpTurn(CancellationToken token) =>
        database.Write(t => t.Connection!.ExecuteAsync("UPDATE change_cursor SET node = NULL, lease_until = NULL WHERE id = 1 AND node = @_node", new { _node }, t), token);

    /// <summary>Begins with an archive that is not known, or not known any more. All its studies will be looked at.</summary>
    public Task Begin(ChangeCursor cursor, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync(
                "DELETE FROM known_studies; UPDATE change_cursor SET is_begun = 1, sequence = @Sequence, anchor = @Anchor, reconciled_at = NULL WHERE id = 1",
                new { cursor.Sequence, cursor.Anchor },
                t),
            token);

    /// <summary>Notes the studies of a page together with the cursor behind it: none is lost, whenever the process ends.</summary>
    public Task Advance(ChangePage page, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await Mark(t, [.. page.StableStudies.Select(s => s.Value)], isBacklog: false);
                return await t.Connection!.ExecuteAsync("UPDATE change_cursor SET sequence = @Sequence, anchor = @Anchor WHERE id = 1", page.Next, t);
            },
            token);

    /// <summary>Notes those of <paramref name="studies"/> whose LastUpdate is not the known one.</summary>
    public Task MarkUnknown(IReadOnlyList<ResourceAnswer> studies, bool isBacklog, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var known = new Dictionary<string, string>();
                foreach (var chunk in studies.Select(s => s.Id).Chunk(RowsAtOnce))
                {
                    foreach (var (id, last) in await t.Connection!.QueryAsync<(string, string)>($"SELECT study_orthanc_id, last_update FROM known_studies WHERE {t.Connection!.IsOneOf("study_orthanc_id", "@chunk")}", new { chunk }, t))
                    {
                        known[id] = last;
                    }
                }

                await Mark(t, [.. studies.Where(s => s.LastUpdate is null || known.GetValueOrDefault(s.Id) != s.LastUpdate).Select(s => s.Id)], isBacklog);
                return 0;
            },
            token);

    public Task SetReconciled(CancellationToken token) =>
        database.Write(t => t.Connection!.ExecuteAsync($"UPDATE change_cursor SET reconciled_at = {t.Connection!.NowMilliseconds()} WHERE id = 1", transaction: t), token);

    public Task<IReadOnlyList<string>> ListKnown(CancellationToken token) =>
        database.Read<IReadOnlyList<string>>(async c => [.. await c.QueryAsync<string>("SELECT study_orthanc_id FROM known_studies")], token);

    /// <summary>The next studies to be looked at; those that came in before those that were there.</summary>
    public Task<IReadOnlyList<ChangedStudy>> Next(int limit, CancellationToken token) =>
        database.Read<IReadOnlyList<ChangedStudy>>(
            async c =>
            [
                .. await c.QueryAsync<ChangedStudy>(
                    $"SELECT study_orthanc_id, stamp, is_backlog FROM changed_studies WHERE not_before <= {c.NowMilliseconds()} ORDER BY is_backlog, not_before LIMIT @limit", new { limit = (long)limit }),
            ],
            token);

    /// <summary>The study was looked at as it was at <paramref name="lastUpdate"/>. A change since then stays noted.</summary>
    public Task Settle(ChangedStudy study, string studyInstanceUid, string lastUpdate, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO known_studies (study_orthanc_id, study_instance_uid, last_update) VALUES (@StudyOrthancId, @studyInstanceUid, @lastUpdate)
                    ON CONFLICT (study_orthanc_id) DO UPDATE SET study_instance_uid = excluded.study_instance_uid, last_update = excluded.last_update
                    """,
                    new { study.StudyOrthancId, studyInstanceUid, lastUpdate },
                    t);
                return await t.Connection!.ExecuteAsync("DELETE FROM changed_studies WHERE study_orthanc_id = @StudyOrthancId AND stamp = @Stamp", study, t);
            },
            token);

    public Task Postpone(ChangedStudy study, TimeSpan wait, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync(
                $"UPDATE changed_studies SET not_before = {t.Connection!.NowMilliseconds()} + @wait WHERE study_orthanc_id = @StudyOrthancId AND stamp = @Stamp",
                new { study.StudyOrthancId, study.Stamp, wait = (long)wait.TotalMilliseconds },
                t),
            token);

    public Task Forget(OrthancId study, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync("DELETE FROM changed_studies WHERE study_orthanc_id = @Value; DELETE FROM known_studies WHERE study_orthanc_id = @Value", study, t),
            token);

    private static async Task Mark(DbTransaction t, IReadOnlyList<string> studies, bool isBacklog)
    {
        foreach (var chunk in studies.Chunk(RowsAtOnce))
        {
            var parameters = new DynamicParameters(new { stamp = Guid.NewGuid().ToString("n"), backlog = isBacklog ? 1L : 0L });
            for (var i = 0; i < chunk.Length; i++)
            {
                parameters.Add($"s{i}", chunk[i]);
            }

            await t.Connection!.ExecuteAsync(
                $"""
                INSERT INTO changed_studies (study_orthanc_id, stamp, is_backlog, not_before) VALUES {string.Join(',', chunk.Select((_, i) => $"(@s{i}, @stamp, @backlog, 0)"))}
                ON CONFLICT (study_orthanc_id) DO UPDATE SET stamp = excluded.stamp, not_before = 0,
                    is_backlog = CASE WHEN excluded.is_backlog < changed_studies.is_backlog THEN excluded.is_backlog ELSE changed_studies.is_backlog END
                """,
                parameters,
                t);
        }
    }

    private sealed record CursorRow
    {
        public long IsBegun { get; init; }

        public long Sequence { get; init; }

        public string? Anchor { get; init; }

        public long? Age { get; init; }
    }
}
