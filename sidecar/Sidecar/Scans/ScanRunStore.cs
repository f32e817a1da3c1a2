using System.Data.Common;
using Dapper;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>Runs in the database. What people do with them carries its audit event in the same transaction.</summary>
internal sealed class ScanRunStore(Database database, AuditLog audit, TimeProvider time)
{
    private const int RowsAtOnce = 1000;
    private const string Open = "state IN ('running', 'paused')";

    /// <summary>Makes the two runs that never end, where they are missing.</summary>
    public Task EnsureStanding(CancellationToken token) =>
        database.Write(
            async t => await Insert(t, Standing(ScanRun.ArrivalsId, ScanRunKind.Arrivals, ScanPriority.Arrivals)) + await Insert(t, Standing(ScanRun.BacklogId, ScanRunKind.Backlog, ScanPriority.Bulk)),
            token);

    /// <summary>Stores a run. One with the same id is there already where a schedule fired twice: then nothing is done, and the answer is false.</summary>
    public Task<bool> Create(ScanRun run, CancellationToken token) =>
        database.Write(
            async t =>
            {
                if (await Insert(t, run) == 0)
                {
                    return false;
                }

                await audit.Append(t, About(run, "scanRequested", run.CreatedBySubject, run.CreatedByName) with { Details = new() { ["run"] = run.Id, ["query"] = run.Query.ToNode(), ["schedule"] = run.ScheduleId } });
                return true;
            },
            token);

    public Task<ScanRun?> Find(string id, CancellationToken token) => database.Read(c => Find(c, null, id), token);

    /// <summary>The run of a schedule that is not finished; null where there is none.</summary>
    public Task<ScanRun?> FindOpen(string schedule, CancellationToken token) =>
        database.Read(
            async c => (await c.QueryFirstOrDefaultAsync<ScanRunRow>($"SELECT {ScanRunRow.Columns} FROM scan_runs WHERE schedule_id = @schedule AND {Open} ORDER BY created_at", new { schedule }))?.ToRun(),
            token);

    /// <summary>All runs that are neither finished nor cancelled, the most urgent first.</summary>
    public Task<IReadOnlyList<ScanRun>> ListOpen(CancellationToken token) =>
        database.Read<IReadOnlyList<ScanRun>>(
            async c => [.. (await c.QueryAsync<ScanRunRow>($"SELECT {ScanRunRow.Columns} FROM scan_runs WHERE {Open} ORDER BY priority, created_at, id")).Select(r => r.ToRun())],
            token);

    /// <summary>A person waits for masks to be burned.</summary>
    public Task<bool> IsSomebodyMasking(CancellationToken token) =>
        database.Read(async c => await c.ExecuteScalarAsync<string?>("SELECT id FROM mask_jobs WHERE state IN ('queued', 'running') AND priority = 'interactive' LIMIT 1") is not null, token);

    /// <summary>The newest runs, those under way first.</summary>
    public Task<IReadOnlyList<ScanRun>> ListNewest(int limit, CancellationToken token) =>
        database.Read<IReadOnlyList<ScanRun>>(
            async c =>
            [
                .. (await c.QueryAsync<ScanRunRow>(
                    $"SELECT {ScanRunRow.Columns} FROM scan_runs ORDER BY CASE WHEN {Open} THEN 0 ELSE 1 END, created_at DESC, id LIMIT @limit", new { limit = (long)limit })).Select(r => r.ToRun()),
            ],
            token);

    /// <summary>For each run: studies not yet sorted into work, and series and instances that wait.</summary>
    public Task<IReadOnlyDictionary<string, ScanBacklog>> ReadBacklogs(IReadOnlyCollection<string> runs, CancellationToken token) =>
        database.Read<IReadOnlyDictionary<string, ScanBacklog>>(
            async c => (await c.QueryAsync<ScanBacklog>(
                $"""
                SELECT r.id AS run_id, (SELECT COUNT(*) FROM scan_run_studies s WHERE s.run_id = r.id) AS studies,
                       (SELECT COUNT(*) FROM scan_work w WHERE w.run_id = r.id) AS series, (SELECT CAST(COALESCE(SUM(w.instances), 0) AS BIGINT) FROM scan_work w WHERE w.run_id = r.id) AS instances
                FROM scan_runs r WHERE {c.IsOneOf("r.id", "@ids")}
                """,
                new { ids = runs.ToArray() })).ToDictionary(b => b.RunId),
            token);

    /// <summary>Records what a person asked of a run.</summary>
    /// <returns>The run as it is now; null where there is none, or it cannot be done any more.</returns>
    public Task<ScanRun?> Apply(string id, ScanRunEvent happened, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Connection!.ExecuteAsync("UPDATE scan_runs SET state = state WHERE id = @id", new { id }, t); // holds others off
                if (await Find(t.Connection!, t, id) is not { } run || run.State.Next(happened) is not { } next || (run.IsStanding && happened == ScanRunEvent.Cancel))
                {
                    return null;
                }

                if (next != run.State)
                {
                    await SetState(t, id, next);
                    await audit.Append(t, About(run, $"scan{next switch { ScanRunState.Paused => "Paused", ScanRunState.Running => "Resumed", _ => "Cancelled" }}", subject, name) with { Details = new() { ["run"] = id } });
                }

                return await Find(t.Connection!, t, id);
            },
            token);

    /// <summary>Ends the runs that are listed and have nothing left to do.</summary>
    public Task<int> FinishDone(CancellationToken token) =>
        database.Write(
            async t =>
            {
                var done = (await t.Connection!.QueryAsync<ScanRunRow>(
                    $"""
                    SELECT {ScanRunRow.Columns} FROM scan_runs r WHERE state = 'running' AND is_listed = 1 AND kind NOT IN ('arrivals', 'backlog')
                    AND NOT EXISTS (SELECT 1 FROM scan_run_studies s WHERE s.run_id = r.id) AND NOT EXISTS (SELECT 1 FROM scan_work w WHERE w.run_id = r.id)
                    {t.Connection!.SkipLocked()}
                    """,
                    transaction: t)).Select(r => r.ToRun()).ToList();
                foreach (var run in done)
                {
                    await SetState(t, run.Id, ScanRunState.Finished);
                    await audit.Append(t, About(run, "scanFinished", ServiceAudit.Service, ServiceAudit.Service) with
                    {
                        Details = new() { ["run"] = run.Id, ["scanned"] = run.Scanned, ["unscannable"] = run.Unscannable, ["findings"] = run.Findings },
                    });
                }

                return done.Count;
            },
            token);

    /// <summary>Gives an unfinished run a fresh budget: its schedule fired again.</summary>
    public Task Refill(string id, long? budget, CancellationToken token) =>
        database.Write(t => t.Connection!.ExecuteAsync("UPDATE scan_runs SET budget = CAST(@budget AS BIGINT) WHERE id = @id", new { id, budget }, t), token);

    /// <summary>Lists studies for a run, once: after a stop in the middle it is done again, and changes nothing that is there.</summary>
    public async Task ListStudies(string run, IReadOnlyList<string> studies, CancellationToken token)
    {
        foreach (var chunk in studies.Chunk(RowsAtOnce))
        {
            await database.Write(
                t => t.Connection!.ExecuteAsync(
                    $"INSERT INTO scan_run_studies (run_id, study_orthanc_id) VALUES {string.Join(',', chunk.Select((_, i) => $"(@run, @s{i})"))} ON CONFLICT (run_id, study_orthanc_id) DO NOTHING",
                    Parameters(run, chunk),
                    t),
                token);
        }

        await database.Write(t => t.Connection!.ExecuteAsync("UPDATE scan_runs SET is_listed = 1 WHERE id = @run", new { run }, t), token);
    }

    /// <summary>The next studies of a run to be sorted into work.</summary>
    public Task<IReadOnlyList<string>> NextStudies(string run, int limit, CancellationToken token) =>
        database.Read<IReadOnlyList<string>>(
            async c => [.. await c.QueryAsync<string>("SELECT study_orthanc_id FROM scan_run_studies WHERE run_id = @run ORDER BY study_orthanc_id LIMIT @limit", new { run, limit = (long)limit })],
            token);

    /// <summary>Puts the series of one study into the queue; the study is sorted.</summary>
    public Task AddWork(string run, OrthancId study, IReadOnlyList<ScanWork> works, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await ScanWorkQueue.Add(t, run, works, time);
                return await t.Connection!.ExecuteAsync("DELETE FROM scan_run_studies WHERE run_id = @run AND study_orthanc_id = @study", new { run, study = study.Value }, t);
            },
            token);

    private ScanRun Standing(string id, ScanRunKind kind, ScanPriority priority) => new()
    {
        Id = id,
        Kind = kind,
        State = ScanRunState.Running,
        Priority = priority,
        Query = new ScanQuery(NeverScanned: true),
        IsListed = true,
        CreatedAt = time.GetUtcNow(),
        CreatedBySubject = ServiceAudit.Service,
        CreatedByName = ServiceAudit.Service,
    };

    private static DynamicParameters Parameters(string run, string[] studies)
    {
        var parameters = new DynamicParameters(new { run });
        for (var i = 0; i < studies.Length; i++)
        {
            parameters.Add($"s{i}", studies[i]);
        }

        return parameters;
    }

    private async Task<int> SetState(DbTransaction t, string id, ScanRunState state)
    {
        if (state == ScanRunState.Cancelled)
        {
            await t.Connection!.ExecuteAsync("DELETE FROM scan_run_studies WHERE run_id = @id; DELETE FROM scan_work WHERE run_id = @id", new { id }, t);
        }

        return await t.Connection!.ExecuteAsync(
            "UPDATE scan_runs SET state = @state, finished_at = @at WHERE id = @id",
            new { id, state = Word(state), at = state is ScanRunState.Finished or ScanRunState.Cancelled ? Instant.ToText(time.GetUtcNow()) : null },
            t);
    }

    private static Task<int> Insert(DbTransaction t, ScanRun run) =>
        t.Connection!.ExecuteAsync(
            """
            INSERT INTO scan_runs (id, kind, state, priority, study_instance_uid, query, schedule_id, window_start, window_end, time_zone, budget, is_listed, created_at, created_by_subject, created_by_name, scanned, unscannable, findings)
            VALUES (@Id, @kind, @state, @priority, @StudyInstanceUid, @query, @ScheduleId, @start, @end, @zone, CAST(@Budget AS BIGINT), @listed, @at, @CreatedBySubject, @CreatedByName, 0, 0, 0)
            ON CONFLICT (id) DO NOTHING
            """,
            new
            {
                run.Id,
                kind = Word(run.Kind),
                state = Word(run.State),
                priority = (long)run.Priority,
                run.StudyInstanceUid,
                query = run.Query.ToJson(),
                run.ScheduleId,
                start = run.Window is { } from ? TimeText.Of(from.Start) : null,
                end = run.Window is { } to ? TimeText.Of(to.End) : null,
                zone = run.Window?.Zone.Id,
                run.Budget,
                listed = run.IsListed ? 1L : 0L,
                at = Instant.ToText(run.CreatedAt),
                run.CreatedBySubject,
                run.CreatedByName,
            },
            t);

    private static async Task<ScanRun?> Find(DbConnection connection, DbTransaction? t, string id) =>
        (await connection.QuerySingleOrDefaultAsync<ScanRunRow>($"SELECT {ScanRunRow.Columns} FROM scan_runs WHERE id = @id", new { id }, t))?.ToRun();

    private static AuditEvent About(ScanRun run, string action, string subject, string name) => new(action, subject, name) { StudyInstanceUid = run.StudyInstanceUid };

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}

/// <summary>What a run has left to do.</summary>
internal sealed record ScanBacklog
{
    public string RunId { get; init; } = "";

    /// <summary>Not yet looked into.</summary>
    public long Studies { get; init; }

    public long Series { get; init; }

    /// <summary>As counted when their series was queued.</summary>
    public long Instances { get; init; }
}
