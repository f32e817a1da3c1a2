using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>
/// Queues the series of a study whose files are not those of the ledger: new ones, changed ones, sent again, masked. A series that was scanned as
/// it is gives nothing to do, however often its study is shown.
/// </summary>
internal sealed class ArrivalWatcher(Database database, ScanLedger ledger, ScanRunStore runs, SeriesSorter sorter, ScanSignal signal, TimeProvider time) : IStudyWatcher
{
    private bool _hasRuns;

    public async Task<bool> Look(StudyContents study, bool isBacklog, CancellationToken token)
    {
        if (!_hasRuns)
        {
            await runs.EnsureStanding(token);
            _hasRuns = true;
        }

        var known = await ledger.ReadStudy(study.Id, token);
        var changed = study.Series.Where(s => s.Files.Any(f => known.GetValueOrDefault(f.Id.Value)?.Uuid != f.Uuid)).ToList();
        var gone = known.Keys.Except(study.Files.Select(f => f.Id.Value)).ToList();
        if (changed.Count == 0 && gone.Count == 0)
        {
            return true;
        }

        var works = await sorter.Sort(study, changed, token);
        await database.Write(
            async t =>
            {
                await ScanLedger.Forget(t, gone);
                await ScanWorkQueue.Add(t, isBacklog ? ScanRun.BacklogId : ScanRun.ArrivalsId, works, time);
                return 0;
            },
            token);
        signal.Pulse();
        return true;
    }

    public async Task Forget(OrthancId study, CancellationToken token)
    {
        var gone = (await ledger.ReadStudy(study, token)).Keys.ToList();
        if (gone.Count > 0)
        {
            await database.Write(
                async t =>
                {
                    await ScanLedger.Forget(t, gone);
                    return 0;
                },
                token);
        }
    }
}
