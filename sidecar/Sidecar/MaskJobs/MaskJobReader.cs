using System.Data.Common;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>Jobs as people see them.</summary>
internal sealed class MaskJobReader(Database database, MaskJobPace pace)
{
    private const int MostListed = 50;

    public Task<MaskJobView?> ReadView(string id, CancellationToken token) =>
        database.Read(
            async connection => (await ToViews(connection, await connection.QueryAsync<JobRow>($"SELECT {JobRow.Columns} FROM mask_jobs WHERE id = @id", new { id }))).SingleOrDefault(),
            token);

    /// <summary>The jobs of a study, newest first, at most fifty.</summary>
    public Task<IReadOnlyList<MaskJobView>> ListViews(string study, CancellationToken token) =>
        database.Read(
            async connection => await ToViews(connection, await connection.QueryAsync<JobRow>(
                $"SELECT {JobRow.Columns} FROM mask_jobs WHERE study_instance_uid = @study ORDER BY created_at DESC, id DESC LIMIT {MostListed}",
                new { study })),
            token);

    /// <summary>The jobs that wait for a second person, oldest first, at most fifty.</summary>
    public Task<IReadOnlyList<MaskJobView>> ListAwaiting(CancellationToken token) =>
        database.Read(
            async connection => await ToViews(connection, await connection.QueryAsync<JobRow>(
                $"SELECT {JobRow.Columns} FROM mask_jobs WHERE state = 'awaitingconfirmation' ORDER BY created_at, id LIMIT {MostListed}")),
            token);

    // However many jobs: four more queries.
    private async Task<IReadOnlyList<MaskJobView>> ToViews(DbConnection connection, IEnumerable<JobRow> rows)
    {
        var jobs = rows.AsList();
        string[] ids = [.. jobs.Select(j => j.Id)];
        var ofThese = connection.IsOneOf("job_id", "@ids");
        var counts = (await connection.QueryAsync<CountRow>($"SELECT job_id, state, COUNT(*) AS items FROM mask_job_items WHERE {ofThese} GROUP BY job_id, state", new { ids }))
            .ToDictionary(c => (c.JobId, c.State), c => (int)c.Items);
        var masked = (await connection.QueryAsync<(string Job, string Sop)>($"SELECT job_id, sop_instance_uid FROM mask_job_items WHERE {ofThese} AND state IN ('masked', 'restored') ORDER BY ordinal", new { ids }))
            .ToLookup(m => m.Job, m => m.Sop);
        var failed = (await connection.QueryAsync<ItemRow>($"SELECT * FROM mask_job_items WHERE {ofThese} AND state = 'failed' ORDER BY ordinal", new { ids }))
            .ToLookup(f => f.JobId);
        var kept = (await connection.QueryAsync<(string Job, string Until)>($"SELECT job_id, MAX(restorable_until) FROM sealed_originals WHERE {ofThese} AND state = 'sealed' GROUP BY job_id", new { ids }))
            .ToDictionary(k => k.Job, k => k.Until);
        return [.. jobs.Select(j => ToView(j, state => counts.GetValueOrDefault((j.Id, state)), masked[j.Id], failed[j.Id], kept.GetValueOrDefault(j.Id)))];
    }

    private MaskJobView ToView(JobRow row, Func<string, int> count, IEnumerable<string> masked, IEnumerable<ItemRow> failures, string? restorableUntil)
    {
        var job = row.ToJob();
        return new MaskJobView(
            job.Id,
            job.StudyInstanceUid,
            job.State,
            job.CreatedAt,
            job.CreatedByName,
            job.CreatedBySubject,
            job.Scope,
            job.Source,
            job.Regions,
            (int)row.Instances,
            count(job.RestoresJobId is null ? "masked" : "restored"),
            count("failed"),
            row.Frames,
            [.. masked],
            [.. failures.Select(f => new MaskFailure(f.SeriesInstanceUid, f.SopInstanceUid, f.Reason ?? "", (int?)f.InstanceNumber))],
            job.LeftOut,
            job.StartedAt,
            job.FinishedAt,
            job.Reason,
            job.State == MaskJobState.Running ? pace.SecondsLeft(job.Id, count("waiting")) : null,
            count("cancelled"),
            job.CancelledAt,
            job.CancelledByName,
            job.Decision is { } decision ? new SecondPersonView(decision.At, decision.Name, decision.Reason) : null,
            job.RestoresJobId,
            job.RestoresJobId is null ? count("restored") : 0,
            restorableUntil is null ? null : Instant.FromText(restorableUntil));
    }
}
