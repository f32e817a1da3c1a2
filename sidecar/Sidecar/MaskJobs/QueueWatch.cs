using System.Data.Common;
using Dapper;
using Sidecar.Storage;
using Sidecar.Telemetry;

namespace Sidecar.MaskJobs;

/// <summary>Reads now and then how much waits, for the metrics. Of all sidecars on one database each tells the same.</summary>
internal sealed class QueueWatch(Database database, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var (items, oldest) = await database.Read(
                    async c => (
                        await c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM mask_job_items i JOIN mask_jobs j ON j.id = i.job_id WHERE j.state IN ('queued', 'running') AND i.state = 'waiting'"),
                        await c.ExecuteScalarAsync<string?>("SELECT MIN(created_at) FROM mask_jobs WHERE state = 'queued'")),
                    stoppingToken);
                ServiceMeter.SetQueue(items, oldest is null ? 0 : Math.Max(0, (time.GetUtcNow() - Instant.FromText(oldest)).TotalSeconds));
            }
            catch (Exception e) when (e is DbException or IOException or InvalidOperationException or TimeoutException)
            {
                // /health/ready tells of a database that is away; the figures stay as they were last.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
