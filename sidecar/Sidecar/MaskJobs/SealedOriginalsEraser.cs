using System.Data.Common;
using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>
/// Makes kept originals unreadable when their time is over, and what is left of restored ones and of interrupted work. First the key is destroyed, then
/// that is written down, so that whatever the audit calls erased is.
/// </summary>
internal sealed partial class SealedOriginalsEraser(Database database, SealedOriginals originals, AuditLog audit, TimeProvider time, ILogger<SealedOriginalsEraser> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    // Nobody else writes to SQLite while these are overwritten on disk.
    private const int ErasedAtOnce = 50;

    // An hour late is a service that was stopped for lunch; more is worth a word.
    private static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    private sealed record DueRow
    {
        public string JobId { get; init; } = "";

        public string OrthancId { get; init; } = "";

        public string StudyInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await EraseDue(stoppingToken);
                await SweepLeftovers(stoppingToken);
            }
            catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException or InvalidOperationException or TimeoutException)
            {
                LogNotErased(e); // tried again; sidecar doctor tells of what is overdue
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Erases what is due, but for what a job is putting back just now. Returns how many.</summary>
    internal async Task<int> EraseDue(CancellationToken token)
    {
        var due = await database.Read(
            async c => (await c.QueryAsync<DueRow>(
                """
                SELECT s.job_id, s.orthanc_id, j.study_instance_uid, i.sop_instance_uid
                FROM sealed_originals s JOIN mask_jobs j ON j.id = s.job_id JOIN mask_job_items i ON i.job_id = s.job_id AND i.orthanc_id = s.orthanc_id
                WHERE s.state = 'sealed' AND s.restorable_until <= @now
                  AND NOT EXISTS (SELECT 1 FROM mask_jobs r JOIN mask_job_items w ON w.job_id = r.id WHERE r.restores_job_id = s.job_id AND w.orthanc_id = s.orthanc_id AND w.state = 'waiting')
                ORDER BY s.job_id, i.ordinal
                """,
                new { now = Instant.ToText(time.GetUtcNow()) })).AsList(),
            token);
        foreach (var job in due.GroupBy(d => (d.JobId, d.StudyInstanceUid)).SelectMany(g => g.Chunk(ErasedAtOnce)))
        {
            await database.Write(
                async t =>
                {
                    List<string> erased = [];
                    foreach (var one in job)
                    {
                        // Another node waits here until this transaction ends, and then finds nothing to do. It ends after the key is destroyed.
                        if (await t.Connection!.ExecuteAsync("UPDATE sealed_originals SET state = 'erased' WHERE job_id = @JobId AND orthanc_id = @OrthancId AND state = 'sealed'", one, t) > 0)
                        {
                            originals.Erase(one.JobId, one.OrthancId);
                            erased.Add(one.SopInstanceUid);
                        }
                    }

                    if (erased.Count > 0)
                    {
                        await audit.Append(t, new AuditEvent("originalsErased", ServiceAudit.Service, ServiceAudit.Service)
                        {
                            JobId = job[0].JobId,
                            StudyInstanceUid = job[0].StudyInstanceUid,
                            Details = new() { ["instances"] = erased.Count, ["sopInstanceUids"] = new JsonArray([.. erased.Select(uid => (JsonNode?)uid)]) },
                        });
                    }

                    return 0;
                },
                token);
        }

        return due.Count;
    }

    /// <summary>Erases files that no row promises and no job needs: of restored originals, and of work that was interrupted. Returns how many.</summary>
    internal async Task<int> SweepLeftovers(CancellationToken token)
    {
        var left = await FindLeftovers(token);
        foreach (var (job, id) in left)
        {
            originals.Erase(job, id);
        }

        return left.Count;
    }

    /// <summary>For <c>sidecar doctor</c>: what is wrong with the kept originals, and what to do. Null where nothing is.</summary>
    internal async Task<string?> DescribeFaults(CancellationToken token)
    {
        var files = originals.List().ToHashSet();
        var rows = await database.Read(
            async c => (await c.QueryAsync<(string Job, string Id, string Until)>("SELECT job_id, orthanc_id, restorable_until FROM sealed_originals WHERE state = 'sealed'")).AsList(), token);
        var late = Instant.ToText(time.GetUtcNow() - Tolerance);
        var (overdue, missing, left) = (rows.Count(r => string.CompareOrdinal(r.Until, late) < 0), rows.Count(r => !files.Contains((r.Job, r.Id))), (await FindLeftovers(token)).Count);
        List<string> faults = [];
        if (overdue > 0)
        {
            faults.Add($"{overdue} originals are kept beyond their time. Start the service: it erases them, or says in its log why it cannot.");
        }

        if (missing > 0)
        {
            faults.Add($"{missing} originals that can be restored by the database are not in sealed/ of Storage:Directory. Put that folder back from the backup that belongs to the database; else they are lost, and the masked images stay.");
        }

        if (left > 0)
        {
            faults.Add($"{left} files in sealed/ of Storage:Directory belong to nothing. The running service erases them within ten minutes.");
        }

        return faults.Count == 0 ? null : string.Join(" ", faults);
    }

    // Files first: a file that comes after has its row, or an item that waits, when the rows are read.
    private async Task<IReadOnlyList<(string Job, string OrthancId)>> FindLeftovers(CancellationToken token)
    {
        List<(string, string)> left = [];
        foreach (var files in originals.List().GroupBy(f => f.Job))
        {
            var needed = await database.Read(
                async c => (await c.QueryAsync<string>(
                    """
                    SELECT orthanc_id FROM sealed_originals WHERE job_id = @job AND state = 'sealed'
                    UNION SELECT orthanc_id FROM mask_job_items WHERE job_id = @job AND state = 'waiting'
                    """,
                    new { job = files.Key })).ToHashSet(),
                token);
            left.AddRange(files.Where(f => !needed.Contains(f.OrthancId)));
        }

        return left;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Kept originals whose time is over could not be erased now; trying again")]
    private partial void LogNotErased(Exception e);
}
