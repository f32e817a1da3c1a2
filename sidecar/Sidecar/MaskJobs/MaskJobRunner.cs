using Microsoft.Extensions.Options;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

/// <summary>
/// Runs stored jobs, oldest first, one a study at a time. What a stopped service had begun is finished first; every step may run twice.
/// </summary>
internal sealed partial class MaskJobRunner(
    MaskJobStore store,
    MaskJobSignal signal,
    MaskJobPace pace,
    SafeReplacement replacement,
    SafetyProbe probe,
    ReplacementJournal journal,
    OrthancClient client,
    IOptions<MaskJobOptions> options,
    IOptions<OrthancOptions> orthanc,
    TimeProvider time,
    ILogger<MaskJobRunner> logger) : BackgroundService
{
    private const int AttemptsAnImage = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // the start of the service does not wait for Orthanc
        var running = new Dictionary<string, Task>();
        var swept = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!swept)
                {
                    await SweepJournal(stoppingToken);
                    swept = true;
                }

                var change = signal.Next;
                await StartWaitingJobs(running, stoppingToken);
                await Task.WhenAny([change, .. running.Values]).WaitAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // The database or its disk is away. The service says so by /health/ready and goes on when it is back.
                LogCannotRead(e);
                await Task.Delay(options.Value.RetryPause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(running.Values);
    }

    private async Task StartWaitingJobs(Dictionary<string, Task> running, CancellationToken token)
    {
        foreach (var (study, _) in running.Where(r => r.Value.IsCompleted).ToList())
        {
            running.Remove(study);
        }

        foreach (var job in await store.ListOpen(token))
        {
            if (running.Count < options.Value.ConcurrentJobs && !running.ContainsKey(job.StudyInstanceUid))
            {
                running[job.StudyInstanceUid] = Task.Run(() => RunToTheEnd(job, token), CancellationToken.None);
            }
        }
    }

    private async Task RunToTheEnd(MaskJob job, CancellationToken token)
    {
        var unreachableSince = (DateTimeOffset?)null;
        while (!token.IsCancellationRequested)
        {
            try
            {
                await Run(job, () => unreachableSince = null, token);
                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return; // resumed at the next start
            }
            catch (UnsafeOrthancException e)
            {
                LogUnsafe(job.Id);
                await FailUntouched(job, e.Message, token);
            }
            catch (Exception e) when (e is ((InvalidOperationException and not ObjectDisposedException) or ArgumentException) && !token.IsCancellationRequested)
            {
                // Our own bug. What was not written to is given up at once; what was, stays open until it can be settled.
                LogTryAgain(e, job.Id);
                await FailUntouched(job, "The software failed on this job. This image was not touched; please report this to the administrator.", token);
                await Task.Delay(options.Value.RetryPause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e)
            {
                // Orthanc or a disk is away, or this is our own bug: in all cases nothing may be given up that is half done.
                LogTryAgain(e, job.Id);
                unreachableSince ??= time.GetUtcNow();
                if (time.GetUtcNow() - unreachableSince > options.Value.OrthancPatience)
                {
                    await FailUntouched(job, "The image archive (Orthanc) could not be used for too long. This image was not touched; mask it again when the archive works.", token);
                }

                await Task.Delay(options.Value.RetryPause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Run(MaskJob job, Action progress, CancellationToken token)
    {
        await store.Start(job, token);
        signal.Pulse();
        pace.Begin(job.Id);
        var waiting = await store.ListWaiting(job.Id, token);
        if (waiting.Count > 0)
        {
            if (waiting.Any(i => journal.FindRecord(job.Id, new OrthancId(i.OrthancId)) is null))
            {
                await probe.EnsureSafe(token);
            }

            if (!await replacement.Begin(job.Id, new OrthancId(job.StudyOrthancId), (await store.ListSeries(job.Id, token)).ToHashSet(), token))
            {
                await FailUntouched(job, "The study is no longer in the image archive (Orthanc); somebody deleted it after the job was started.", token);
                waiting = [];
            }
        }

        await Parallel.ForEachAsync(
            waiting,
            new ParallelOptions { MaxDegreeOfParallelism = orthanc.Value.Connections, CancellationToken = token },
            async (item, t) =>
            {
                await MaskOne(job, item, t);
                progress();
                pace.CountOne(job.Id);
                signal.Pulse();
            });

        // Stopped between the database and the journal: the outcome is on record, only the files are left.
        await SettleOpenRecords(job.Id, token);
        await replacement.Finish(job.Id, token);
        await store.Finish(job, token);
        pace.End(job.Id);
        signal.Pulse();
        LogFinished(job.Id, waiting.Count);
    }

    private async Task MaskOne(MaskJob job, MaskJobItem item, CancellationToken token)
    {
        var instance = new OrthancId(item.OrthancId);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                switch (await replacement.Replace(job.Id, instance, job.Masks, token))
                {
                    case ReplacementOutcome.Replaced replaced:
                        await store.RecordMasked(job, item.OrthancId, replaced, token);
                        replacement.Close(replaced.Record);
                        break;
                    case ReplacementOutcome.Refused refused:
                        await store.RecordFailed(job, item, refused.Reason, token);
                        break;
                }

                return;
            }
            catch (OrthancException e) when (e is not UnsafeOrthancException && journal.FindRecord(job.Id, instance) is null)
            {
                // Is it this image, or the whole archive? The latter throws here, and the job waits for it.
                await client.ReadSystem(token);
                LogNotDelivered(e, item.OrthancId, attempt);
                if (attempt == AttemptsAnImage)
                {
                    await store.RecordFailed(job, item, $"The image archive does not deliver this image. {e.Message}", token);
                    return;
                }

                await Task.Delay(options.Value.RetryPause, time, token);
            }
        }
    }

    private async Task SettleOpenRecords(string job, CancellationToken token)
    {
        foreach (var record in journal.OpenRecords(job).ToList())
        {
            await replacement.Settle(record, token);
        }
    }

    /// <summary>Gives up the instances that were never written to. Those with an open record stay: only Orthanc can tell what became of them.</summary>
    private async Task FailUntouched(MaskJob job, string reason, CancellationToken token)
    {
        foreach (var item in await store.ListWaiting(job.Id, token))
        {
            if (journal.FindRecord(job.Id, new OrthancId(item.OrthancId)) is null)
            {
                await store.RecordFailed(job, item, reason, token);
            }
        }

        signal.Pulse();
    }

    private async Task SweepJournal(CancellationToken token)
    {
        var open = (await store.ListOpen(token)).Select(j => j.Id).ToHashSet();
        foreach (var job in journal.Jobs())
        {
            try
            {
                journal.SweepUnopened(job);
                if (!open.Contains(job))
                {
                    // Only after somebody put the database back to an earlier state: the images are settled all the same.
                    await SettleOpenRecords(job, token);
                    await replacement.Finish(job, token);
                }
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // One folder that cannot be read must not keep all other jobs from running; sidecar doctor names it.
                LogLeftInJournal(e, job);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Mask job {Job} is finished ({Instances} instances in this run)")]
    private partial void LogFinished(string job, int instances);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal of job {Job} could not be settled now; this is tried again at the next start")]
    private partial void LogLeftInJournal(Exception e, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orthanc does not deliver instance {Instance} (attempt {Attempt})")]
    private partial void LogNotDelivered(Exception e, string instance, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "Mask jobs cannot be read; trying again")]
    private partial void LogCannotRead(Exception e);

    [LoggerMessage(Level = LogLevel.Error, Message = "Mask job {Job} is refused: Orthanc's settings are unsafe")]
    private partial void LogUnsafe(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mask job {Job} is interrupted and will be tried again")]
    private partial void LogTryAgain(Exception e, string job);
}
