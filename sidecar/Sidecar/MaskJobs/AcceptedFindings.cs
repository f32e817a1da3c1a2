using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Http;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

internal abstract record AcceptedResult
{
    private AcceptedResult()
    {
    }

    public sealed record Planned(OrthancId Study, IReadOnlyList<MaskJobItem> Items) : AcceptedResult;

    public sealed record Refused(ProblemHttpResult Problem) : AcceptedResult;
}

/// <summary>Reads which findings people accepted, and makes of them the items of a job. Changes nothing.</summary>
internal sealed class AcceptedFindings(Database database, StudyReader studies, OrthancClient orthanc)
{
    private const int Requests = 4;
    private const int LongestReason = 500;

    // Neither burned nor about to be: what a job has failed on or left out may be tried again.
    // The job that asks, where it is stored already (@ownJob), does not stand in its own way.
    private const string ToBeMasked =
        """
        f.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM mask_job_findings b JOIN mask_job_items i ON i.job_id = b.job_id AND i.orthanc_id = b.orthanc_id
                                             WHERE b.finding_id = f.id AND b.job_id <> @ownJob AND (i.state = 'waiting' OR (i.state = 'masked' AND i.md5 = f.md5)))
        """;

    private sealed record FindingRow
    {
        public string Id { get; init; } = "";

        public string OrthancId { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";

        public string Md5 { get; init; } = "";

        public string? Frames { get; init; }

        public long X { get; init; }

        public long Y { get; init; }

        public long Width { get; init; }

        public long Height { get; init; }

        public long? InstanceNumber { get; init; }

        public long? ImageFrames { get; init; }
    }

    public async Task<AcceptedResult> Plan(ApplyFindingsRequest request, CancellationToken token)
    {
        if (!MaskJobEndpoints.DicomUid().IsMatch(request.Study) || request.Reason is { Length: > LongestReason })
        {
            return Refuse(400, "invalid-request", "Invalid request", $"study must be a Study Instance UID, and reason not longer than {LongestReason} characters.");
        }

        var findings = await database.Read(
            async c => (await c.QueryAsync<FindingRow>(
                $"""
                SELECT f.id, f.orthanc_id, f.series_instance_uid, f.sop_instance_uid, f.md5, f.frames, COALESCE(f.decided_x, f.x) AS x, COALESCE(f.decided_y, f.y) AS y,
                       COALESCE(f.decided_width, f.width) AS width, COALESCE(f.decided_height, f.height) AS height, s.instance_number, s.frames AS image_frames
                FROM scan_findings f LEFT JOIN scanned_instances s ON s.orthanc_id = f.orthanc_id
                WHERE f.study_instance_uid = @Study AND {ToBeMasked}
                ORDER BY f.series_instance_uid, s.instance_number, f.sop_instance_uid, f.y, f.x, f.id
                """,
                new { request.Study, ownJob = "" })).AsList(),
            token);
        if (findings.Count == 0)
        {
            return Refuse(400, "nothing-to-mask", "Nothing to mask", "No finding of this study is accepted and not masked yet.");
        }

        var found = await studies.FindStudies(request.Study, token);
        if (found.Count != 1)
        {
            return found.Count == 0
                ? Refuse(409, "study-unknown", "Study not found", "This study is not in the image archive (any more). Reload the study list.")
                : Refuse(409, "study-ambiguous", "Study not unique", "The image archive holds this study under several patient IDs, so it is not certain which images are meant. Ask the administrator to correct that first.");
        }

        var images = findings.GroupBy(f => f.OrthancId).ToList();
        var changed = await CountChanged([.. findings.Select(f => (f.OrthancId, f.Md5)).Distinct()], token);
        if (changed > 0)
        {
            return Refuse(409, "images-changed", "Images changed",
                $"{changed} of {images.Count} images are not as they were scanned: removed, sent again or masked. Nothing was changed by this request. They are scanned again; decide about what is found then.");
        }

        return new AcceptedResult.Planned(found[0], [.. images.Select((image, ordinal) => new MaskJobItem
        {
            Ordinal = ordinal,
            OrthancId = image.Key,
            SeriesInstanceUid = image.First().SeriesInstanceUid,
            SopInstanceUid = image.First().SopInstanceUid,
            InstanceNumber = (int?)image.First().InstanceNumber,
            Frames = image.First().ImageFrames ?? 1,
            Masks = [.. image.Select(f => new StoredMask((int)f.X, (int)f.Y, (int)f.Width, (int)f.Height, f.Frames)).Distinct()],
            Md5 = image.First().Md5,
            Findings = [.. image.Select(f => f.Id)],
        })]);
    }

    /// <summary>The findings that <paramref name="ownJob"/> covers are all accepted, of the same file, and no other job's. Within the transaction that stores the job.</summary>
    public static async Task<bool> AreStill(DbTransaction t, IEnumerable<string> findings, string ownJob)
    {
        foreach (var chunk in findings.Chunk(500))
        {
            var there = await t.Connection!.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM scan_findings f WHERE {t.Connection!.IsOneOf("f.id", "@chunk")} AND {ToBeMasked}", new { chunk, ownJob }, t);
            if (there < chunk.Length)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How many of <paramref name="images"/> (by Orthanc's id) are another file by now than the one that was looked at, or gone.</summary>
    public async Task<int> CountChanged(IReadOnlyList<(string OrthancId, string Md5)> images, CancellationToken token)
    {
        var changed = new ConcurrentDictionary<string, bool>();
        await Parallel.ForEachAsync(
            images,
            new ParallelOptions { MaxDegreeOfParallelism = Requests, CancellationToken = token },
            async (image, t) =>
            {
                var stored = await orthanc.FindFileInfo(new OrthancId(image.OrthancId), t);
                if (image.Md5 != stored?.UncompressedMd5)
                {
                    changed[image.OrthancId] = true;
                }
            });
        return changed.Count;
    }

    private static AcceptedResult.Refused Refuse(int status, string name, string title, string detail) => new(Problems.Of(status, name, title, detail));
}
