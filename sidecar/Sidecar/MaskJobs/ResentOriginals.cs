using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>
/// Notices that somebody stored another file over a masked image (a modality sends its unmasked original again), and masks it again with every
/// mask that was ever approved for that image. This service's own file is told by its MD5; while a job works on the study nothing is judged.
/// </summary>
internal sealed partial class ResentOriginals(
    Database database, OrthancClient orthanc, MaskJobStore store, MaskJobSignal signal, AuditLog audit, IOptions<MaskJobOptions> options, TimeProvider time, ILogger<ResentOriginals> logger) : IStudyWatcher
{
    private const string Reason = "This image was masked before and then sent again without the masks. The regions that were approved are masked again.";

    public async Task<bool> Look(StudyContents study, bool isBacklog, CancellationToken token)
    {
        if (options.Value.ResentOriginals == ResentOriginalsPolicy.Ignore)
        {
            return true;
        }

        var files = study.Series.SelectMany(s => s.Files.Select(f => (Series: s, File: f))).ToList();
        var masked = await ReadMasked(study, [.. files.Select(f => f.File.Id.Value)], token);
        var others = files.Where(f => masked.Images.TryGetValue(f.File.Id.Value, out var image) && image.Uuid != f.File.Uuid).ToList();
        if (others.Count == 0)
        {
            return true;
        }

        // Between two reads of what this service knows, Orthanc is asked. Where both say the same and no job was there, what Orthanc said is nobody's work in progress.
        List<ResentImage> resent = [];
        foreach (var (series, file) in others)
        {
            if (await orthanc.FindFileInfo(file.Id, token) is { } now && masked.Images[file.Id.Value] is var image && now.UncompressedMd5 != image.Md5)
            {
                resent.Add(new ResentImage(series, file, now.Uuid, image));
            }
        }

        var still = await ReadMasked(study, [.. others.Select(o => o.File.Id.Value)], token);
        if (masked.HasOpenJob || still.HasOpenJob || others.Any(o => still.Images.GetValueOrDefault(o.File.Id.Value)?.Uuid != masked.Images[o.File.Id.Value].Uuid))
        {
            return false;
        }

        var fresh = await LeaveOutKnown(resent, token);
        if (fresh.Count == 0)
        {
            return true;
        }

        if (options.Value.ResentOriginals == ResentOriginalsPolicy.Mask)
        {
            await CreateJob(study, [.. fresh.Where(r => r.Masked.Masks.Count > 0)], token);
            signal.PulseWaiting();
        }

        await WriteDown(study, fresh, token);
        LogResent(study.Id.Value, fresh.Count);
        return true;
    }

    public Task Forget(OrthancId study, CancellationToken token) => Task.CompletedTask; // it may come again

    private Task<Known> ReadMasked(StudyContents study, IReadOnlyCollection<string> ids, CancellationToken token) =>
        database.Read(
            async c => new Known(
                await MaskedImages.Read(c, ids),
                await c.ExecuteScalarAsync<string?>("SELECT id FROM mask_jobs WHERE study_instance_uid = @StudyInstanceUid AND state IN ('queued', 'running') LIMIT 1", new { study.StudyInstanceUid }) is not null),
            token);

    private Task<List<ResentImage>> LeaveOutKnown(IReadOnlyList<ResentImage> resent, CancellationToken token) =>
        database.Read(
            async c =>
            {
                var told = (await c.QueryAsync<string>($"SELECT uuid FROM resent_originals WHERE {c.IsOneOf("uuid", "@uuids")}", new { uuids = resent.Select(r => r.Uuid).ToArray() })).ToHashSet();
                return resent.Where(r => !told.Contains(r.Uuid)).ToList();
            },
            token);

    // The key makes it one job, whichever node and however often it is asked.
    private async Task CreateJob(StudyContents study, IReadOnlyList<ResentImage> images, CancellationToken token)
    {
        if (images.Count == 0)
        {
            return;
        }

        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', images.Select(i => i.Uuid).Order(StringComparer.Ordinal)))));
        var first = images[0];
        var job = new MaskJob
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            StudyInstanceUid = study.StudyInstanceUid,
            StudyOrthancId = study.Id.Value,
            State = MaskJobState.Queued,
            Scope = MaskScope.Images,
            Source = new SourceImage(first.Series.SeriesInstanceUid, first.File.SopInstanceUid),
            Regions = [],
            LeftOut = [],
            Reason = Reason,
            CreatedAt = time.GetUtcNow(),
            CreatedBySubject = ServiceAudit.Service,
            CreatedByName = ServiceAudit.Service,
        };
        var items = images.Select((image, ordinal) => new MaskJobItem
        {
            Ordinal = ordinal,
            OrthancId = image.File.Id.Value,
            SeriesInstanceUid = image.Series.SeriesInstanceUid,
            SopInstanceUid = image.File.SopInstanceUid,
            InstanceNumber = image.File.Number,
            Frames = image.Masked.Frames,
            Masks = [.. image.Masked.Masks.Select(m => new StoredMask(m.X, m.Y, m.Width, m.Height, m.Frames))],
        });
        await store.Create(job, [.. items], $"resent {key}", key, token);
    }

    private Task<int> WriteDown(StudyContents study, IReadOnlyList<ResentImage> images, CancellationToken token) =>
        database.Write(
            async t =>
            {
                List<ResentImage> told = [];
                foreach (var image in images)
                {
                    if (await t.Connection!.ExecuteAsync(
                            "INSERT INTO resent_originals (orthanc_id, uuid, noticed_at) VALUES (@id, @Uuid, @at) ON CONFLICT (orthanc_id, uuid) DO NOTHING",
                            new { id = image.File.Id.Value, image.Uuid, at = Instant.ToText(time.GetUtcNow()) },
                            t) > 0)
                    {
                        told.Add(image);
                    }
                }

                foreach (var series in told.GroupBy(i => i.Series.SeriesInstanceUid))
                {
                    await audit.Append(t, new AuditEvent("originalsResent", ServiceAudit.Service, ServiceAudit.Service)
                    {
                        StudyInstanceUid = study.StudyInstanceUid,
                        SeriesInstanceUid = series.Key,
                        Details = new() { ["policy"] = options.Value.ResentOriginals.ToString().ToLowerInvariant(), ["sopInstanceUids"] = new JsonArray([.. series.Select(i => (JsonNode?)i.File.SopInstanceUid)]) },
                    });
                }

                return told.Count;
            },
            token);

    private sealed record Known(IReadOnlyDictionary<string, MaskedImage> Images, bool HasOpenJob);

    private sealed record ResentImage(SeriesContents Series, StoredFile File, string Uuid, MaskedImage Masked);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Study {Study}: {Images} masked images were stored again by somebody else without their masks")]
    private partial void LogResent(string study, int images);
}
