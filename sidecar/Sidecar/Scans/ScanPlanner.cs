using System.Data.Common;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Text;
using Sidecar.Orthanc;

namespace Sidecar.Scans;

/// <summary>Sorts the studies of runs into work, a few at a time, and ends the runs that have nothing left. Where it stopped, it goes on.</summary>
internal sealed partial class ScanPlanner(
    ScanRunStore runs,
    ScanLedger ledger,
    DiscoveryStore turns,
    OrthancClient orthanc,
    StudyReader studies,
    SeriesSorter sorter,
    ScanSignal signal,
    ISeriesScanner scanner,
    IOptions<ScanOptions> options,
    TimeProvider time,
    ILogger<ScanPlanner> logger) : BackgroundService
{
    private const int StudiesAtOnce = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (options.Value.Enabled && !stoppingToken.IsCancellationRequested)
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
                LogTryAgain(e); // Orthanc or the database is away
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.WhenAny(wake, Task.Delay(options.Value.LookPause, time, stoppingToken));
        }
    }

    /// <returns>True where there is more to do at once.</returns>
    internal async Task<bool> Work(CancellationToken token)
    {
        var open = (await runs.ListOpen(token)).Where(r => !r.IsStanding && r.State == ScanRunState.Running).ToList();
        if (open.Count == 0 || await turns.TakeTurn(token) is null)
        {
            return false;
        }

        var sorted = 0;
        foreach (var run in open.Where(r => r.MayWork(time.GetUtcNow())))
        {
            if (!run.IsListed)
            {
                await runs.ListStudies(run.Id, run.StudyInstanceUid is { } uid ? [.. (await studies.FindStudies(uid, token)).Select(s => s.Value)] : await orthanc.ListStudies(token), token);
            }

            foreach (var study in await runs.NextStudies(run.Id, StudiesAtOnce, token))
            {
                await runs.AddWork(run.Id, new OrthancId(study), await Sort(run, new OrthancId(study), token), token);
                sorted++;
            }

            if (sorted > 0)
            {
                signal.Pulse();
                break; // the most urgent first
            }
        }

        return await runs.FinishDone(token) > 0 || sorted > 0;
    }

    private async Task<IReadOnlyList<ScanWork>> Sort(ScanRun run, OrthancId id, CancellationToken token)
    {
        try
        {
            if (await orthanc.FindResource(OrthancLevel.Studies, id, token) is not { } study || !run.Query.TakesStudyOf(study.MainDicomTags?.GetValueOrDefault("StudyDate")))
            {
                return [];
            }

            var contents = await studies.ReadContents(study, token);
            var known = await ledger.ReadStudy(id, token);
            return await sorter.Sort(
                contents,
                contents.Series.Where(s => run.Query.TakesSeriesOf(s.Modality, s.Station)
                    && s.Files.Any(f => run.Query.TakesImageWith(known.GetValueOrDefault(f.Id.Value) is { } row && row.Uuid == f.Uuid ? row : null, scanner.Engine, run.CreatedAt))),
                token);
        }
        catch (OrthancException e)
        {
            // Is it this study, or the whole archive? The latter throws here. The study is noticed again by the reconciliation.
            await orthanc.ReadSystem(token);
            LogLeftOut(e, id.Value, run.Id);
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Runs cannot be sorted into work now; trying again")]
    private partial void LogTryAgain(Exception e);

    [LoggerMessage(Level = LogLevel.Error, Message = "Study {Study} is left out of run {Run}: Orthanc does not deliver it")]
    private partial void LogLeftOut(Exception e, string study, string run);
}
