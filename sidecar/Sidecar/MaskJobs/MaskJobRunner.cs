using System.Data.Common;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Telemetry;

namespace Sidecar.MaskJobs;

/// <summary>
/// Claims stored jobs and runs them, one a study at a time. What a stopped node had begun is finished first; every step may run twice.
/// </summary>
internal sealed partial class MaskJobRunner(
    MaskJobQueue queue,
    MaskJobStore store,
    MaskJobsAtWork atWork,
    MaskJobTurns turns,
    MaskJobSignal signal,
    MaskJobPace pace,
    SafeReplacement replacement,
    SafetyProbe probe,
    ReplacementJournal journal,
    SealedOriginals originals,
    OrthancClient client,
    IOptions<MaskJobOptions> options,
    IOptions<OrthancOptions> orthanc,
    IOptions<StorageOptions> storage,
    TimeProvider time,
    ILogger<MaskJobRunner> logger) : BackgroundService
{
    private const int AttemptsAnImage = 3;

    // Beside those in work: images that are being put on record, and those that take their places at once.
    private const int ImagesAPlace = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // the start of the service does not wait for Orthanc
        var running = new List<(MaskJobPriority Priority, Task Task)>();
        var begun = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!begun)
                {
                    await queue.Begin(stoppingToken);
                    await SettleLeftovers(stoppingToken);
                    begun = true;
                }

                var waiting = signal.NextWaiting;
                running.RemoveAll(r => r.Task.IsCompleted);
                await ClaimJobs(running, stoppingToken);
                await Task.WhenAny([waiting, Task.Delay(options.Value.LookPause, time, stoppingToken), .. running.Select(r => r.Task)]);
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

        await Task.WhenAll(running.Select(r => r.Task)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ClaimJobs(List<(MaskJobPriority Priority, Task Task)> running, CancellationToken token)
    {
        var most = options.Value.ConcurrentJobs;
        while (running.Count(r => r.Priority == MaskJobPriority.Interactive) < most && await queue.Claim(alsoBulk: running.Count < most, token) is { } claim)
        {
            running.Add((claim.Job.Priority, Task.Run(() => RunToTheEnd(claim, token), CancellationToken.None)));
            if (storage.Value.UsesPostgres)
            {
                return; // the next one after a pause, in which an idle node may take it
            }
        }
    }

    private async Task RunToTheEnd(JobClaim claim, CancellationToken stopping)
    {
        var job = claim.Job;
        await using var lease = new MaskJobLease(claim, queue, options, time, logger, stopping);
        atWork.Add(lease);
        try
        {
            var unreachableSince = (long?)null;
            while (!lease.Token.IsCancellationRequested)
            {
                try
                {
                    await Run(lease, () => unreachableSince = null);
                    return;
                }
                catch (Exception) when (lease.Token.IsCancellationRequested)
                {
                    break; // resumed at the next start, or by another node
                }
                catch (ClaimLostException e)
                {
                    LogTryAgain(e, job.Id);
                    break;
                }
                catch (UnsafeOrthancException e)
                {
                    LogUnsafe(job.Id);
                    await FailUntouched(lease, RefusalCause.Archive, e.Message);
                }
                catch (Exception e) when (e is (InvalidOperationException and not ObjectDisposedException) or ArgumentException)
                {
                    // Our own bug. What was not written to is given up at once; what was, stays open until it can be settled.
                    LogTryAgain(e, job.Id);
                    await FailUntouched(lease, RefusalCause.Software, GivenUp.OwnFault(job));
                    await Pause(lease.Token);
                }
                catch (Exception e)
                {
                    // Orthanc, the database or a disk is away: nothing may be given up that is half done.
                    LogTryAgain(e, job.Id);
                    unreachableSince ??= time.GetTimestamp();
                    if (time.GetElapsedTime(unreachableSince.Value) > options.Value.OrthancPatience)
                    {
                        await FailUntouched(lease, GivenUp.IsOwnDisk(e) ? RefusalCause.Storage : RefusalCause.Archive, GivenUp.AwayTooLong(job, e));
                    }

                    await Pause(lease.Token);
                }
            }
        }
        catch (Exception e) when (e is DbException or IOException or ClaimLostException or TimeoutException or OperationCanceledException)
        {
            LogTryAgain(e, job.Id); // giving up needs the database and the journal, too
            await Pause(stopping);
        }
        finally
        {
            atWork.Remove(lease);
            pace.End(job.Id);
            await Release(claim);
        }
    }

    // Of a finished job there is nothing to release.
    private async Task Release(JobClaim claim)
    {
        try
        {
            await queue.Release(claim, CancellationToken.None);
        }
        catch (Exception e) when (e is DbException or IOException or InvalidOperationException or TimeoutException)
        {
            LogNotReleased(e, claim.Job.Id);
        }
    }

    private async Task Pause(CancellationToken token) => await Task.Delay(options.Value.RetryPause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task Run(MaskJobLease lease, Action progress)
    {
        var (job, token) = (lease.Claim.Job, lease.Token);
        signal.Pulse();
        pace.Begin(job.Id);
        if (journal.Jobs().Contains(job.Id))
        {
            journal.SweepUnopened(job.Id);
        }

        if (lease.CancelRequested)
        {
            await CancelUntouched(lease);
        }

        var waiting = await store.ListWaiting(job.Id, token);
        if (waiting.Count > 0)
        {
            if (waiting.Any(i => !IsBegun(job, i)))
            {
                await probe.EnsureSafe(token);
            }

            if (!await replacement.Begin(job.Id, new OrthancId(job.StudyOrthancId), (await store.ListSeries(job.Id, token)).ToHashSet(), token))
            {
                await FailUntouched(lease, RefusalCause.Deleted, GivenUp.StudyDeleted(job));
                waiting = [];
            }
        }

        using var outcomes = new MaskedOutcomes(store, lease.Claim);
        await Parallel.ForEachAsync(
            waiting,
            new ParallelOptions { MaxDegreeOfParallelism = ImagesAPlace * orthanc.Value.Connections, CancellationToken = token },
            async (item, t) =>
            {
                using var place = await turns.Enter(job, item.Frames, t);
                if (lease.CancelRequested && !IsBegun(job, item))
                {
                    return;
                }

                await MaskOne(lease.Claim, item, place, outcomes, t);
                progress();
                pace.CountOne(job.Id);
                signal.Pulse();
            });

        // Stopped between the database and the journal: the outcome was verified and is on record, only the files are left.
        foreach (var left in journal.OpenRecords(job.Id).ToList())
        {
            replacement.Close(left);
        }

        if (lease.CancelRequested)
        {
            await CancelUntouched(lease);
        }

        await replacement.Finish(job.Id, token);
        await store.Finish(lease.Claim, token);
        pace.End(job.Id);
        signal.PulseWaiting(); // the study is free for its next job
        LogFinished(job.Id, waiting.Count);
    }

    private async Task MaskOne(JobClaim claim, MaskJobItem item, IDisposable place, MaskedOutcomes outcomes, CancellationToken token)
    {
        var (job, instance) = (claim.Job, new OrthancId(item.OrthancId));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var outcome = job.RestoresJobId is { } masking
                    ? await replacement.PutBack(job.Id, instance, masking, token)
                    : await replacement.Replace(job.Id, instance, job.MasksOf(item), item.Md5, token);
                place.Dispose(); // Orthanc is not needed any more, and the disk may be waited for
                switch (outcome)
                {
                    case ReplacementOutcome.Replaced restored when job.RestoresJobId is not null:
                        await store.RecordRestored(claim, item.OrthancId, restored, token);
                        replacement.Close(restored.Record);
                        originals.Erase(job.RestoresJobId, item.OrthancId);
                        ServiceMeter.CountItems("restored");
                        break;
                    case ReplacementOutcome.Replaced replaced:
                        using (ServiceMeter.Time(ServiceMeter.Record))
                        {
                            await outcomes.Record(Keep(replaced), token);
                            replacement.Close(replaced.Record);
                        }

                        ServiceMeter.CountItems("masked");
                        break;
                    case ReplacementOutcome.Refused refused:
                        await store.RecordFailed(claim, item, refused.Cause, GivenUp.Refused(job, refused), token);
                        ServiceMeter.CountItems("failed", MaskJobStore.Word(refused.Cause));
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
                    await store.RecordFailed(claim, item, RefusalCause.Archive, GivenUp.NotDelivered(job, e.Message), token);
                    ServiceMeter.CountItems("failed", MaskJobStore.Word(RefusalCause.Archive));
                    return;
                }

                await Task.Delay(options.Value.RetryPause, time, token);
            }
        }
    }

    // Before the image counts as masked: where its original cannot be kept, it waits as it does for a journal without room.
    private ReplacementOutcome.Replaced Keep(ReplacementOutcome.Replaced replaced)
    {
        if (options.Value.UndoDays == 0 || replaced.Record.MaskedMd5 == replaced.Record.Md5)
        {
            return replaced; // nothing is to be kept, or nothing was changed
        }

        originals.Keep(replaced.Record);
        return replaced with { RestorableUntil = time.GetUtcNow().AddDays(options.Value.UndoDays) };
    }

    // Its record is open: Orthanc may have been written to.
    private bool IsBegun(MaskJob job, MaskJobItem item) => journal.FindRecord(job.Id, new OrthancId(item.OrthancId)) is not null;

    /// <summary>Gives up the instances that were never written to. Those with an open record stay: only Orthanc can tell what became of them.</summary>
    private async Task FailUntouched(MaskJobLease lease, RefusalCause cause, string reason)
    {
        if (lease.CancelRequested)
        {
            await CancelUntouched(lease);
        }

        foreach (var item in await store.ListWaiting(lease.Claim.Job.Id, lease.Token))
        {
            if (!IsBegun(lease.Claim.Job, item))
            {
                await store.RecordFailed(lease.Claim, item, cause, reason, lease.Token);
                ServiceMeter.CountItems("failed", MaskJobStore.Word(cause));
            }
        }

        signal.Pulse();
    }

    private Task CancelUntouched(MaskJobLease lease) =>
        store.CancelWaiting(lease.Claim, [.. journal.OpenRecords(lease.Claim.Job.Id).Select(r => r.Id.Value)], lease.Token);

    /// <summary>Only after somebody put the database back to an earlier state is there a journal without an open job: its images are settled all the same.</summary>
    private async Task SettleLeftovers(CancellationToken token)
    {
        // In this order: the journal of a job is removed before the job is finished.
        var found = journal.Jobs();
        var open = await store.FindOpen(found, token);
        foreach (var job in found.Where(j => !open.Contains(j)))
        {
            try
            {
                journal.SweepUnopened(job);
                foreach (var record in journal.OpenRecords(job).ToList())
                {
                    await replacement.Settle(record, token);
                }

                await replacement.Finish(job, token);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mask job {Job} could not be given back; another sidecar may take it when its lease has run out")]
    private partial void LogNotReleased(Exception e, string job);

    [LoggerMessage(Level = LogLevel.Error, Message = "Mask job {Job} is refused: Orthanc's settings are unsafe")]
    private partial void LogUnsafe(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mask job {Job} is interrupted and will be tried again")]
    private partial void LogTryAgain(Exception e, string job);
}
