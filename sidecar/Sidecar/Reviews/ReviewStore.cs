using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>What people do with the review of a study: take it, finalize it, open it again. Null is success.</summary>
internal sealed class ReviewStore(Database database, AuditLog audit, ReviewRefresh refresh, OrthancClient orthanc, StudyReader studies, TimeProvider time)
{
    private const int Requests = 4;

    private sealed record ImageRow
    {
        public string OrthancId { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";

        public string Md5 { get; init; } = "";
    }

    /// <summary>The caller works on the study from now on.</summary>
    public Task<ProblemHttpResult?> Take(string study, string subject, string name, CancellationToken token) =>
        Change(
            study,
            async (t, row) =>
            {
                if (row.FinalizedAt is not null)
                {
                    return Finalized(row);
                }

                if (row.OpenedBySubject != subject)
                {
                    await ReviewRefresh.Store(t, row with { State = "inReview", OpenedAt = Now, OpenedBySubject = subject, OpenedByName = name });
                    await audit.Append(t, new AuditEvent("reviewOpened", subject, name) { StudyInstanceUid = study, Details = new() { ["takenFrom"] = row.OpenedByName } });
                }

                return null;
            },
            token);

    /// <summary>The caller says that the study is done. Refused while anything is undecided, or while an image is not as it was scanned.</summary>
    public async Task<ProblemHttpResult?> FinalizeStudy(string study, string? reason, string subject, string name, CancellationToken token)
    {
        var found = await studies.FindStudies(study, token);
        if (found.Count != 1)
        {
            return found.Count == 0
                ? Problems.Of(409, "study-unknown", "Study not found", "This study is not in the image archive (any more).")
                : Problems.Of(409, "study-ambiguous", "Study not unique", "The image archive holds this study under several patient IDs. Ask the administrator to correct that first.");
        }

        // In this order: what comes after LastUpdate was read opens the review again.
        var lastUpdate = (await orthanc.ReadResource(OrthancLevel.Studies, found[0], token)).LastUpdate;
        var stored = await ReadImages(found[0], token);
        return await Change(
            study,
            async (t, row) =>
            {
                if (row.FinalizedAt is not null)
                {
                    return Finalized(row);
                }

                if (row.Open > 0)
                {
                    return Problems.Of(409, "findings-open", "Not everything is decided", Describe(row));
                }

                var connection = t.Connection!;
                if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM mask_jobs WHERE study_instance_uid = @study AND state IN ('awaitingconfirmation', 'queued', 'running')", new { study }, t) > 0)
                {
                    return Problems.Of(409, "mask-job-running", "Masking under way", "Images of this study are being masked, or a masking waits for a second person. Wait for the end of the job and for the scan of the masked images.");
                }

                var ledger = (await connection.QueryAsync<ImageRow>("SELECT orthanc_id, series_instance_uid, sop_instance_uid, md5 FROM scanned_instances WHERE study_instance_uid = @study", new { study }, t))
                    .ToDictionary(i => i.OrthancId);
                var unknown = stored.Count(i => ledger.GetValueOrDefault(i.Key)?.Md5 != i.Value);
                if (unknown > 0)
                {
                    return Problems.Of(409, "scan-pending", "Not everything is scanned",
                        $"{unknown} of {stored.Count} images were not scanned as they are now (just arrived, sent again or masked). Wait for the scan; a masked image is looked at once more.");
                }

                await ReviewRefresh.Store(t, row with { State = "finalized", FinalizedAt = Now, FinalizedBySubject = subject, FinalizedByName = name, LastUpdate = lastUpdate });
                await connection.ExecuteAsync("DELETE FROM finalized_images WHERE study_instance_uid = @study", new { study }, t);
                await connection.ExecuteAsync(
                    """
                    INSERT INTO finalized_images (study_instance_uid, orthanc_id, series_instance_uid, sop_instance_uid, md5)
                    SELECT study_instance_uid, orthanc_id, series_instance_uid, sop_instance_uid, md5 FROM scanned_instances WHERE study_instance_uid = @study
                    """,
                    new { study },
                    t);
                await audit.Append(t, new AuditEvent("reviewFinalized", subject, name)
                {
                    StudyInstanceUid = study,
                    Details = new()
                    {
                        ["reason"] = reason,
                        ["images"] = stored.Count,
                        ["findings"] = row.Findings,
                        ["isWeak"] = row.IsWeak != 0,
                        ["imagesVersion"] = VersionOf(ledger.Values),
                    },
                });
                return null;
            },
            token);
    }

    public Task<ProblemHttpResult?> Reopen(string study, string reason, string subject, string name, CancellationToken token) =>
        Change(
            study,
            async (t, row) =>
            {
                if (row.FinalizedAt is null)
                {
                    return Problems.Of(409, "review-open", "Not finalized", "This study is not finalized (any more).");
                }

                await ReviewRefresh.Store(t, ReviewRefresh.Opened(row) with { State = "findings" });
                await refresh.Run(t, study);
                await refresh.Reopen(t, row, "person", subject, name, reason);
                return null;
            },
            token);

    private string Now => Instant.ToText(time.GetUtcNow());

    private async Task<ProblemHttpResult?> Change(string study, Func<DbTransaction, ReviewRow, Task<ProblemHttpResult?>> change, CancellationToken token)
    {
        // By itself first: what it may have to write into the audit must be stored although the change is refused.
        await database.Write(t => refresh.Run(t, study), token);
        return await database.Write(
            async t =>
            {
                await t.Lock($"findings {study}"); // against scans that record at the same time
                return await ReviewRefresh.Find(t, study) is { } row ? await change(t, row) : Problems.NotFound("Nothing is known of this study: it was not scanned yet.");
            },
            token);
    }

    /// <summary>MD5 of each image in Orthanc, by its id there.</summary>
    private async Task<IReadOnlyDictionary<string, string>> ReadImages(OrthancId study, CancellationToken token)
    {
        var found = new ConcurrentDictionary<string, string>();
        foreach (var series in await studies.ReadSeries(study, token))
        {
            await Parallel.ForEachAsync(
                await orthanc.ReadInstancesOf(series.Value, token),
                new ParallelOptions { MaxDegreeOfParallelism = Requests, CancellationToken = token },
                async (instance, t) =>
                {
                    if (await orthanc.FindFileInfo(new OrthancId(instance.Id), t) is { } info)
                    {
                        found[instance.Id] = info.UncompressedMd5;
                    }
                });
        }

        return found;
    }

    private static string VersionOf(IEnumerable<ImageRow> images) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
            System.Text.Encoding.ASCII.GetBytes(string.Join('\n', images.Select(i => $"{i.SopInstanceUid} {i.Md5}").Order(StringComparer.Ordinal)))));

    private static ProblemHttpResult Finalized(ReviewRow row) =>
        Problems.Of(409, "review-finalized", "Review finalized", $"{row.FinalizedByName} has finalized this study. Reopen it first.");

    private static string Describe(ReviewRow row)
    {
        List<string> parts = [];
        Add(row.Undecided, row.UndecidedGroups is { } groups && groups < row.Undecided ? $"undecided, in {groups} {(groups == 1 ? "group" : "groups")}" : "undecided");
        Add(row.NotApplied, "accepted and not masked yet");
        Add(row.Unscannable, "images that could not be scanned and are not acknowledged");
        Add(row.Missed, "images in which a person saw text that no finding marks: mask them");
        return $"Still open: {string.Join("; ", parts)}.";

        void Add(long count, string what)
        {
            if (count > 0)
            {
                parts.Add($"{count} {what}");
            }
        }
    }
}
