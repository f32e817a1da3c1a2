using System.Data.Common;
using Dapper;
using Sidecar.Orthanc;
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

    /// <summary>The jobs of a study, newest first, fifty at once; null where <paramref name="before"/> names none of them.</summary>
    public Task<MaskJobList?> ListOfStudy(string study, string? before, CancellationToken token) =>
        List("study_instance_uid = @study", "<", "created_at DESC, id DESC", study, before, token);

    /// <summary>The jobs that wait for a second person, oldest first, fifty at once. Goes on after one that was decided meanwhile as well; null where there is no such job.</summary>
    public Task<MaskJobList?> ListAwaiting(string? after, CancellationToken token) => List("state = 'awaitingconfirmation'", ">", "created_at, id", null, after, token);

    private Task<MaskJobList?> List(string where, string beyond, string order, string? study, string? cursor, CancellationToken token) =>
        database.Read(
            async connection =>
            {
                if (cursor is not null && await connection.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM mask_jobs WHERE id = @cursor{(study is null ? "" : " AND study_instance_uid = @study")}", new { cursor, study }) == 0)
                {
                    return null;
                }

                var rest = cursor is null ? "" : $"AND (created_at, id) {beyond} (SELECT created_at, id FROM mask_jobs WHERE id = @cursor)";
                var rows = (await connection.QueryAsync<JobRow>($"SELECT {JobRow.Columns} FROM mask_jobs WHERE {where} {rest} ORDER BY {order} LIMIT {MostListed + 1}", new { study, cursor })).AsList();
                var views = await ToViews(connection, rows.Take(MostListed));
                return new MaskJobList(views, rows.Count > MostListed ? views[^1].Id : null);
            },
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
            [.. failures.Select(f => new MaskFailure(f.SeriesInstanceUid, f.SopInstanceUid, f.Reason ?? "", (int?)f.InstanceNumber, f.Cause is null ? null : Enum.Parse<RefusalCause>(f.Cause, ignoreCase: true)))],
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
