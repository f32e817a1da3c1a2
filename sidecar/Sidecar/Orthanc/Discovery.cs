using System.Data.Common;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>Wakes discovery before its pause is over: somebody knows that there is something to see.</summary>
internal sealed class DiscoverySignal
{
    private TaskCompletionSource _next = New();

    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Notices what changes in Orthanc and shows each study that came to rest to the watchers. Polls the list of changes; compares all studies at the
/// start, after Orthanc's database was replaced, and every few hours. Whether there is anything new in a study the watchers decide, by what they
/// remember of its files: so this service's own writes, which look like anybody's, do not trigger themselves.
/// </summary>
internal sealed partial class Discovery(
    DiscoveryStore store,
    ChangeFeed feed,
    OrthancClient orthanc,
    StudyReader studies,
    IEnumerable<IStudyWatcher> watchers,
    DiscoverySignal signal,
    IOptions<DiscoveryOptions> options,
    TimeProvider time,
    ILogger<Discovery> logger) : BackgroundService
{
    private const int StudiesAtOnce = 500;
    private const int LooksAtOnce = 50;
    private bool _reconciled;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // the start of the service does not wait for Orthanc
        if (!options.Value.Enabled)
        {
            return;
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            var wake = signal.Next;
            try
            {
                if (await Work(stoppingToken))
                {
                    continue;
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested && e is IOException or DbException or TimeoutException or InvalidOperationException)
            {
                LogTryAgain(e); // Orthanc or the database is away; /health/ready says so
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }

            await Task.WhenAny(wake, Task.Delay(options.Value.PollPause, time, stoppingToken));
        }

        try
        {
            await store.GiveUpTurn(CancellationToken.None);
        }
        catch (Exception e) when (e is DbException or IOException or InvalidOperationException)
        {
            LogTryAgain(e); // it runs out
        }
    }

    /// <summary>One turn: changes, reconciliation where it is due, and some of the studies that changed.</summary>
    /// <returns>True where there is more to do at once.</returns>
    internal async Task<bool> Work(CancellationToken token)
    {
        if (await store.TakeTurn(token) is not { } turn)
        {
            return false;
        }

        var page = turn.IsBegun ? await feed.Read(turn.Cursor, token) : null;
        if (page is null)
        {
            // The end first: what changes during the reconciliation comes behind it.
            LogNewArchive();
            await store.Begin(await feed.ReadEnd(token), token);
            return true;
        }

        if (page.Next != turn.Cursor)
        {
            await store.Advance(page, token);
        }

        if (!_reconciled || turn.SinceReconciled is null || turn.SinceReconciled > options.Value.ReconcileEvery)
        {
            await Reconcile(isBacklog: turn.SinceReconciled is null, token);
            _reconciled = true;
        }

        var changed = await store.Next(LooksAtOnce, token);
        foreach (var study in changed)
        {
            await LookAt(study, token);
        }

        return !page.IsLast || changed.Count == LooksAtOnce;
    }

    private async Task Reconcile(bool isBacklog, CancellationToken token)
    {
        var seen = new HashSet<string>();
        for (var since = 0L; ; since += StudiesAtOnce)
        {
            var page = await orthanc.ReadStudies(since, StudiesAtOnce, token);
            await store.MarkUnknown(page, isBacklog, token);
            seen.UnionWith(page.Select(s => s.Id));
            if (await store.TakeTurn(token) is null)
            {
                return; // took too long between two pages; whoever has the turn now does it
            }

            if (page.Count < StudiesAtOnce)
            {
                break;
            }
        }

        foreach (var id in (await store.ListKnown(token)).Where(k => !seen.Contains(k)).Select(k => new OrthancId(k)))
        {
            if (await orthanc.FindResource(OrthancLevel.Studies, id, token) is null)
            {
                await Forget(id, token);
            }
        }

        await store.SetReconciled(token);
        LogReconciled(seen.Count);
    }

    private async Task LookAt(ChangedStudy changed, CancellationToken token)
    {
        try
        {
            if (await orthanc.FindResource(OrthancLevel.Studies, changed.Id, token) is not { } study)
            {
                await Forget(changed.Id, token);
                return;
            }

            var isSettled = study.IsStable;
            if (isSettled)
            {
                var contents = await studies.ReadContents(study, token);
                foreach (var watcher in watchers)
                {
                    isSettled &= await watcher.Look(contents, changed.IsBacklog != 0, token);
                }

                if (isSettled)
                {
                    await store.Settle(changed, contents.StudyInstanceUid, study.LastUpdate ?? "", token);
                    return;
                }
            }
        }
        catch (OrthancException e)
        {
            // Is it this study, or the whole archive? The latter throws here.
            await orthanc.ReadSystem(token);
            LogCannotLook(e, changed.StudyOrthancId);
        }

        await store.Postpone(changed, options.Value.RetryPause, token);
    }

    private async Task Forget(OrthancId study, CancellationToken token)
    {
        foreach (var watcher in watchers)
        {
            await watcher.Forget(study, token);
        }

        await store.Forget(study, token);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Orthanc's archive is seen for the first time, or its database was replaced: all studies will be looked at")]
    private partial void LogNewArchive();

    [LoggerMessage(Level = LogLevel.Information, Message = "{Studies} studies of the archive are compared with what is known of them")]
    private partial void LogReconciled(int studies);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Study {Study} cannot be looked at now; trying again")]
    private partial void LogCannotLook(Exception e, string study);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Changes in Orthanc cannot be read now; trying again")]
    private partial void LogTryAgain(Exception e);
}
