using System.Data.Common;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;

namespace Sidecar.Scans;

/// <summary>Claims series and scans them: for people first, then what came in, then bulk runs as far as nobody else needs the machine.</summary>
internal sealed partial class ScanRunner(
    ScanWorkQueue queue,
    ScanRunStore runs,
    ScanSignal signal,
    SeriesScan scan,
    IOptions<ScanOptions> options,
    TimeProvider time,
    ILogger<ScanRunner> logger) : BackgroundService
{
    private const int AttemptsASeries = 3;

    // Open unless somebody's masking waits.
    private readonly ManualResetEventSlim _bulkMayGoOn = new(true);
    private readonly ManualResetEventSlim _always = new(true);
    private long _bulkRestsUntil;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (!options.Value.Enabled)
        {
            return;
        }


        List<(ScanPriority Priority, Task Task)> running = [];
        while (!stoppingToken.IsCancellationRequested)
        {
            var wake = signal.Next;
            try
            {
                running.RemoveAll(r => r.Task.IsCompleted);
                await ClaimSeries(running, stoppingToken);
                await Task.WhenAny([wake, Task.Delay(options.Value.LookPause, time, stoppingToken), .. running.Select(r => r.Task)]);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is DbException or IOException or InvalidOperationException or TimeoutException)
            {
                LogCannotRead(e); // the database is away; /health/ready says so
                await Task.Delay(options.Value.LookPause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(running.Select(r => r.Task)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        base.Dispose();
        _bulkMayGoOn.Dispose();
        _always.Dispose();
    }

    private async Task ClaimSeries(List<(ScanPriority Priority, Task Task)> running, CancellationToken token)
    {
        var masking = await runs.IsSomebodyMasking(token);
        if (masking)
        {
            _bulkMayGoOn.Reset();
        }
        else
        {
            _bulkMayGoOn.Set();
        }

        var open = await runs.ListOpen(token);
        while (running.Count(r => r.Priority != ScanPriority.Bulk) < options.Value.ConcurrentSeries)
        {
            var bulkToo = !masking && running.Count < options.Value.ConcurrentSeries && time.GetTimestamp() >= Interlocked.Read(ref _bulkRestsUntil);
            var may = open.Where(r => r.MayWork(time.GetUtcNow()) && (bulkToo || r.Priority != ScanPriority.Bulk)).ToDictionary(r => r.Id);
            if (await queue.Claim([.. may.Keys], token) is not { } claim)
            {
                return;
            }

            var run = may[claim.Work.RunId];
            running.Add((run.Priority, Task.Run(() => Scan(claim, run, token), CancellationToken.None)));
        }
    }

    private async Task Scan(ScanClaim claim, ScanRun run, CancellationToken stopping)
    {
        var begun = time.GetTimestamp();
        await using var lease = new ScanLease(claim, queue, options.Value.Lease, time, stopping);
        var (isBroken, reason) = (false, (Exception?)null);
        try
        {
            await scan.Run(claim, run, run.Priority == ScanPriority.Bulk ? _bulkMayGoOn : _always, lease.Token);
            await queue.Complete(claim, lease.Token);
        }
        catch (Exception e) when (lease.Token.IsCancellationRequested || e is ScanClaimLostException)
        {
            reason = e; // stopped, taken over or cancelled
        }
        catch (Exception e) when (e is IOException or DbException or TimeoutException)
        {
            reason = e;
        }
        catch (Exception e)
        {
            (isBroken, reason) = (true, e); // our own bug, or the scanner's
        }

        try
        {
            if (isBroken && claim.Work.Attempts + 1 >= AttemptsASeries)
            {
                LogGivenUp(reason!, claim.Work.SeriesOrthancId);
                await scan.GiveUp(claim, run, new Unscannable(UnscannableCause.Software, "The software failed on the series of this image. Please report this to the administrator."), lease.Token);
                await queue.Complete(claim, lease.Token);
            }
            else if (reason is not null)
            {
                if (!stopping.IsCancellationRequested && reason is not ScanClaimLostException)
                {
                    LogTryAgain(reason, claim.Work.SeriesOrthancId);
                }

                await queue.Release(claim, stopping.IsCancellationRequested ? TimeSpan.Zero : options.Value.RetryPause, isBroken, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is IOException or DbException or TimeoutException or InvalidOperationException or OperationCanceledException or ScanClaimLostException)
        {
            LogTryAgain(e, claim.Work.SeriesOrthancId); // taken again when its lease has run out
        }

        signal.Pulse(); // with its last series a run is finished, and somebody may wait for it
        if (run.Priority == ScanPriority.Bulk)
        {
            var rest = time.GetElapsedTime(begun) * ((100.0 - options.Value.BulkCpuShare) / options.Value.BulkCpuShare);
            Interlocked.Exchange(ref _bulkRestsUntil, time.GetTimestamp() + (long)(rest.TotalSeconds * time.TimestampFrequency));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Scans cannot be read; trying again")]
    private partial void LogCannotRead(Exception e);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The scan of series {Series} is interrupted and will be tried again")]
    private partial void LogTryAgain(Exception e, string series);

    [LoggerMessage(Level = LogLevel.Error, Message = "The scan of series {Series} failed by a bug and is given up")]
    private partial void LogGivenUp(Exception e, string series);
}
