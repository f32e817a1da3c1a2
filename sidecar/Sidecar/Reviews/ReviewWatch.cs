using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>
/// Looks for studies whose ledger, scans or mask jobs changed and makes their reviews anew; that is also what opens a finalized review again when its images
/// change. Several nodes may do so at once: the second one changes nothing.
/// </summary>
internal sealed partial class ReviewWatch(Database database, ReviewRefresh refresh, IOptions<ReviewOptions> options, TimeProvider time, ILogger<ReviewWatch> logger) : BackgroundService
{
    // What other nodes commit may carry an earlier time: they have clocks of their own, and a transaction takes a while.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(5);
    private const int LooksBetweenForgetting = 60;
    private Dictionary<string, (string Newest, long Count)> _seen = [];

    private sealed record ChangeRow
    {
        public string StudyInstanceUid { get; init; } = "";

        public string Newest { get; init; } = "";

        public long Count { get; init; }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        for (var looks = 0; !stoppingToken.IsCancellationRequested; looks++)
        {
            var pause = options.Value.LookPause;
            try
            {
                await Look(stoppingToken);
                if (looks % LooksBetweenForgetting == 0)
                {
                    await ForgetGone(stoppingToken);
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogCannotLook(e); // the database is away; /health/ready says so
                pause = PauseAfterFault;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One look. Returns how many studies were made anew.</summary>
    internal async Task<int> Look(CancellationToken token)
    {
        var (changes, cursor) = await database.Read(async c => (await ListChanges(c), await c.ExecuteScalarAsync<string>("SELECT seen FROM review_cursor WHERE id = 1")), token);
        var now = changes.GroupBy(c => c.StudyInstanceUid).ToDictionary(g => g.Key, g => (g.Max(c => c.Newest)!, g.Sum(c => c.Count)));
        var waiting = await database.Read(ListWaiting, token);
        var studies = now.Where(s => !_seen.TryGetValue(s.Key, out var seen) || seen != s.Value).Select(s => s.Key).Union(waiting).ToList();
        foreach (var study in studies)
        {
            await database.Write(t => refresh.Run(t, study), token);
        }

        _seen = now;
        if (changes.Select(c => c.Newest).Max(StringComparer.Ordinal) is { } newest && string.CompareOrdinal(newest, cursor) > 0)
        {
            await database.Write(t => t.Connection!.ExecuteAsync("UPDATE review_cursor SET seen = @newest WHERE id = 1 AND seen < @newest", new { newest }, t), token);
        }

        return studies.Count;
    }

    /// <summary>Studies that left the archive leave the work list. What was done with them is in the audit.</summary>
    internal async Task ForgetGone(CancellationToken token)
    {
        var gone = await database.Read(
            async c => (await c.QueryAsync<string>(
                "SELECT r.study_instance_uid FROM reviews r WHERE r.images > 0 AND NOT EXISTS (SELECT 1 FROM scanned_instances s WHERE s.study_instance_uid = r.study_instance_uid)")).AsList(),
            token);
        foreach (var study in gone)
        {
            await database.Write(t => refresh.Run(t, study), token);
        }
    }

    private static async Task<List<ChangeRow>> ListChanges(DbConnection connection)
    {
        var cursor = await connection.ExecuteScalarAsync<string>("SELECT seen FROM review_cursor WHERE id = 1");
        var since = string.IsNullOrEmpty(cursor) ? "" : Instant.ToText(Instant.FromText(cursor) - Overlap);
        return (await connection.QueryAsync<ChangeRow>(
            """
            SELECT study_instance_uid, MAX(scanned_at) AS newest, COUNT(*) AS count FROM scanned_instances WHERE scanned_at > @since GROUP BY study_instance_uid
            UNION ALL
            SELECT study_instance_uid, MAX(finished_at) AS newest, COUNT(*) AS count FROM mask_jobs WHERE finished_at > @since GROUP BY study_instance_uid
            """,
            new { since })).AsList();
    }

    // Studies that have just come and wait for their scan, and those whose scan is over while they still count as new, and those of an earlier version.
    private static async Task<IReadOnlyList<string>> ListWaiting(DbConnection connection) =>
    [
        .. await connection.QueryAsync<string>(
            """
            SELECT DISTINCT w.study_instance_uid FROM scan_work w JOIN scan_runs u ON u.id = w.run_id LEFT JOIN reviews r ON r.study_instance_uid = w.study_instance_uid
            WHERE u.kind = 'arrivals' AND (r.study_instance_uid IS NULL OR r.state = 'clean')
            UNION
            SELECT r.study_instance_uid FROM reviews r WHERE r.finding_groups IS NULL
            UNION
            SELECT r.study_instance_uid FROM reviews r WHERE r.state = 'new' AND r.is_weak = 0 AND r.images > 0
              AND NOT EXISTS (SELECT 1 FROM scan_work w JOIN scan_runs u ON u.id = w.run_id WHERE w.study_instance_uid = r.study_instance_uid AND u.kind = 'arrivals')
            """),
    ];

    [LoggerMessage(Level = LogLevel.Error, Message = "Changes for the reviews cannot be read; trying again")]
    private partial void LogCannotLook(Exception e);
}
