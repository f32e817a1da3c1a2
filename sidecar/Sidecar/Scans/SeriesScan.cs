using Microsoft.Extensions.Options;
using Sidecar.Dicom.Text;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>Scans one claimed series: those of its images that its run wants, in batches that are recorded as they are done.</summary>
internal sealed partial class SeriesScan(OrthancClient orthanc, ScanLedger ledger, Database database, ISeriesScanner scanner, IOptions<ScanOptions> options, IOptions<StorageOptions> storage, TimeProvider time, ILogger<SeriesScan> logger)
{
    private const int AttemptsAnImage = 3;

    private string SpoolFolder => Path.Combine(storage.Value.Directory, "scanning");

    /// <exception cref="OrthancException">Orthanc is away: try again later.</exception>
    public async Task Run(ScanClaim claim, ScanRun run, ManualResetEventSlim pause, CancellationToken token)
    {
        var series = new OrthancId(claim.Work.SeriesOrthancId);
        var files = await orthanc.FindResource(OrthancLevel.Series, series, token) is null ? [] : (await orthanc.ReadInstancesOf(series, token)).Select(StoredFile.Of).ToList();
        var known = await ledger.ReadSeries(series, token);
        if (known.Keys.Except(files.Select(f => f.Id.Value)).ToList() is { Count: > 0 } gone)
        {
            await database.Write(
                async t =>
                {
                    await ScanLedger.Forget(t, gone);
                    return 0;
                },
                token);
        }

        List<StoredFile> wanted = [];
        foreach (var file in files.OrderBy(f => f.Number ?? int.MaxValue).ThenBy(f => f.SopInstanceUid, StringComparer.Ordinal))
        {
            if (await Wants(run, file, known.GetValueOrDefault(file.Id.Value), token))
            {
                wanted.Add(file);
            }
        }

        foreach (var batch in wanted.Chunk(options.Value.InstancesAtOnce))
        {
            var scanned = await Scan(batch, pause, token);
            await ledger.Record(claim, scanner.Engine, scanner.IsWeak, scanned, token);
            LogScanned(claim.Work.SeriesOrthancId, scanned.Count);
        }
    }

    /// <summary>Gives up on a series: each image that its run wants counts as not scanned, for this reason.</summary>
    public async Task GiveUp(ScanClaim claim, ScanRun run, Unscannable reason, CancellationToken token)
    {
        var series = new OrthancId(claim.Work.SeriesOrthancId);
        var known = await ledger.ReadSeries(series, token);
        List<ScannedImage> images = [];
        foreach (var file in (await orthanc.ReadInstancesOf(series, token)).Select(StoredFile.Of))
        {
            if (await Wants(run, file, known.GetValueOrDefault(file.Id.Value), token) && await NotScanned(file, reason, token) is { } image)
            {
                images.Add(image);
            }
        }

        await ledger.Record(claim, scanner.Engine, scanner.IsWeak, images, token);
    }

    private async Task<bool> Wants(ScanRun run, StoredFile file, LedgerRow? row, CancellationToken token)
    {
        if (row is not null && row.Uuid != file.Uuid)
        {
            if ((await orthanc.FindFileInfo(file.Id, token))?.UncompressedMd5 == row.Md5)
            {
                await ledger.MarkSame(file.Id.Value, row.Md5, file.Uuid, token); // sent once more as it was
            }
            else
            {
                row = null;
            }
        }

        // What the neural detector found is not replaced by what the weaker way finds.
        return run.Query.TakesImageWith(row, scanner.Engine, run.CreatedAt) && !(row is { IsWeak: 0 } && scanner.IsWeak);
    }

    private async Task<IReadOnlyList<ScannedImage>> Scan(StoredFile[] batch, ManualResetEventSlim pause, CancellationToken token)
    {
        var left = batch.ToList();
        var failures = new Dictionary<string, int>();
        List<ScannedImage> given = [];
        while (left.Count > 0)
        {
            var sources = left.Select(f => new OrthancScanSource(orthanc, f, SpoolFolder, pause, token)).ToList();
            try
            {
                var scans = await Task.Factory.StartNew(() => scanner.Scan(sources, token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                foreach (var (source, scan) in sources.Zip(scans).Where(p => !p.First.IsMixed))
                {
                    if (await ToImage(source, scan, token) is { } image)
                    {
                        given.Add(image);
                    }
                }

                break;
            }
            catch (Exception e) when (e is IOException or AggregateException && sources.FirstOrDefault(s => s.Failure is not null) is { } failed && !token.IsCancellationRequested)
            {
                // Is it this image, or the whole archive? The latter throws here.
                await orthanc.ReadSystem(token);
                LogNotDelivered(e, failed.Name);
                if (await orthanc.FindFileInfo(failed.File.Id, token) is null)
                {
                    left.Remove(failed.File); // deleted meanwhile
                }
                else if ((failures[failed.Name] = failures.GetValueOrDefault(failed.Name) + 1) < AttemptsAnImage)
                {
                    await Task.Delay(options.Value.RetryPause, time, token);
                }
                else
                {
                    left.Remove(failed.File);
                    if (await NotScanned(failed.File, new Unscannable(UnscannableCause.Archive, "The image archive does not deliver this image."), token) is { } image)
                    {
                        given.Add(image);
                    }
                }
            }
        }

        return given;
    }

    private async Task<ScannedImage?> ToImage(OrthancScanSource source, InstanceScan scan, CancellationToken token)
    {
        if (source.Md5 is not { } md5)
        {
            return await NotScanned(source.File, Unscannable.Of(scan) ?? new Unscannable(UnscannableCause.Software, "The image was not looked at."), token);
        }

        return new ScannedImage
        {
            OrthancId = source.Name,
            SopInstanceUid = source.File.SopInstanceUid,
            Md5 = md5,
            Uuid = source.File.Uuid,
            InstanceNumber = source.File.Number,
            Header = source.Header,
            Frames = scan.Frames,
            Unscannable = source.Header is { HoldsNoImage: true } ? null : Unscannable.Of(scan),
            Findings = scan.Findings,
        };
    }

    private async Task<ScannedImage?> NotScanned(StoredFile file, Unscannable why, CancellationToken token) =>
        await orthanc.FindFileInfo(file.Id, token) is { } info
            ? new ScannedImage { OrthancId = file.Id.Value, SopInstanceUid = file.SopInstanceUid, Md5 = info.UncompressedMd5, Uuid = info.Uuid, InstanceNumber = file.Number, Unscannable = why }
            : null;

    [LoggerMessage(Level = LogLevel.Information, Message = "Series {Series}: {Instances} images scanned")]
    private partial void LogScanned(string series, int instances);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orthanc does not deliver instance {Instance} for its scan")]
    private partial void LogNotDelivered(Exception e, string instance);
}
