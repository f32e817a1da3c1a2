using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>
/// Random images in which nothing was found, put before people. Strata (modality and device) get samples in proportion to their images, so that the pooled
/// share of misses stands for the archive; within a stratum any image may come. Each file is asked about once.
/// </summary>
internal sealed class SampleStore(Database database, AuditLog audit, ReviewRefresh refresh, TimeProvider time)
{
    private sealed record StratumRow
    {
        public string? Modality { get; init; }

        public string? Manufacturer { get; init; }

        public string? Model { get; init; }

        public long Images { get; init; }

        public long Asked { get; init; }
    }

    private sealed record ImageRow
    {
        public string OrthancId { get; init; } = "";

        public string Md5 { get; init; } = "";

        public string StudyInstanceUid { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";
    }

    private sealed record SampleRow
    {
        public string Id { get; init; } = "";

        public string StudyInstanceUid { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";

        public string? AnsweredAt { get; init; }

        public long? HasText { get; init; }

        public Sample ToView() => new(Id, StudyInstanceUid, SeriesInstanceUid, SopInstanceUid);
    }

    /// <summary>The image that the caller was asked about and did not answer, else another one. Null where there is none left.</summary>
    public Task<Sample?> Next(string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Lock("samples");
                var connection = t.Connection!;
                // An image that changed since it was asked about is not the one that was meant.
                await connection.ExecuteAsync(
                    "DELETE FROM samples WHERE answered_at IS NULL AND NOT EXISTS (SELECT 1 FROM scanned_instances s WHERE s.orthanc_id = samples.orthanc_id AND s.md5 = samples.md5)", transaction: t);
                if (await connection.QueryFirstOrDefaultAsync<SampleRow>("SELECT * FROM samples WHERE asked_subject = @subject AND answered_at IS NULL ORDER BY asked_at", new { subject }, t) is { } open)
                {
                    return open.ToView();
                }

                foreach (var stratum in await ListStrata(t))
                {
                    if (await FindImage(t, stratum) is { } image)
                    {
                        var sample = new SampleRow { Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(), StudyInstanceUid = image.StudyInstanceUid, SeriesInstanceUid = image.SeriesInstanceUid, SopInstanceUid = image.SopInstanceUid };
                        await connection.ExecuteAsync(
                            """
                            INSERT INTO samples (id, orthanc_id, md5, study_instance_uid, series_instance_uid, sop_instance_uid, modality, manufacturer, model, asked_at, asked_subject, asked_name)
                            VALUES (@Id, @OrthancId, @Md5, @StudyInstanceUid, @SeriesInstanceUid, @SopInstanceUid, @Modality, @Manufacturer, @Model, @at, @subject, @name)
                            """,
                            new
                            {
                                sample.Id,
                                image.OrthancId,
                                image.Md5,
                                image.StudyInstanceUid,
                                image.SeriesInstanceUid,
                                image.SopInstanceUid,
                                Modality = stratum.Modality ?? "",
                                Manufacturer = stratum.Manufacturer ?? "",
                                Model = stratum.Model ?? "",
                                at = Instant.ToText(time.GetUtcNow()),
                                subject,
                                name,
                            },
                            t);
                        return sample.ToView();
                    }
                }

                return null;
            },
            token);

    /// <summary>Null is success. A miss keeps the study from being finalized until the image is masked, and opens it again where it is.</summary>
    public Task<ProblemHttpResult?> Answer(string id, bool hasText, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Lock("samples");
                var connection = t.Connection!;
                if (await connection.QuerySingleOrDefaultAsync<SampleRow>("SELECT * FROM samples WHERE id = @id AND asked_subject = @subject", new { id, subject }, t) is not { } sample)
                {
                    return Problems.NotFound("You were not asked about an image with this id, or it has changed since.");
                }

                if (sample.AnsweredAt is not null)
                {
                    return Problems.Of(409, "sample-answered", "Answered already", "You have answered this question. Ask for the next image.");
                }

                await connection.ExecuteAsync("UPDATE samples SET answered_at = @at WHERE id = @id", new { id, at = Instant.ToText(time.GetUtcNow()) }, t);
                await Record(t, sample, hasText, new AuditEvent("sampleReviewed", subject, name));
                return null;
            },
            token);

    /// <summary>
    /// Whoever answered answers otherwise, as long as the image is the one that was looked at. Null is success. A miss that is taken back stood in the way of
    /// finalizing until now, so no finalized study rests on it; one that is seen only now opens the study again, as at the first answer.
    /// </summary>
    public Task<ProblemHttpResult?> Correct(string id, bool hasText, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Lock("samples");
                var connection = t.Connection!;
                if (await connection.QuerySingleOrDefaultAsync<SampleRow>("SELECT * FROM samples WHERE id = @id AND asked_subject = @subject AND answered_at IS NOT NULL", new { id, subject }, t) is not { } sample)
                {
                    return Problems.NotFound("You have answered no question with this id. Only who answered can correct it.");
                }

                if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM samples p JOIN scanned_instances s ON s.orthanc_id = p.orthanc_id AND s.md5 = p.md5 WHERE p.id = @id", new { id }, t) == 0)
                {
                    return Problems.Of(409, "images-changed", "Image changed", "The image has been masked, sent again or removed since you answered, so your answer stays: it is about the image as it was.");
                }

                if (sample.HasText == 1 != hasText)
                {
                    await Record(t, sample, hasText, new AuditEvent("sampleCorrected", subject, name));
                }

                return null;
            },
            token);

    private async Task Record(DbTransaction t, SampleRow sample, bool hasText, AuditEvent said)
    {
        await t.Connection!.ExecuteAsync("UPDATE samples SET has_text = @text WHERE id = @Id", new { sample.Id, text = hasText ? 1L : 0L }, t);
        await refresh.Run(t, sample.StudyInstanceUid);
        await audit.Append(t, said with
        {
            StudyInstanceUid = sample.StudyInstanceUid,
            SeriesInstanceUid = sample.SeriesInstanceUid,
            SopInstanceUid = sample.SopInstanceUid,
            Details = new() { ["hasText"] = hasText },
        });
    }

    // Those first that are furthest behind their share.
    private static async Task<IEnumerable<StratumRow>> ListStrata(DbTransaction t)
    {
        var strata = (await t.Connection!.QueryAsync<StratumRow>(
            """
            SELECT s.modality, s.manufacturer, s.model, s.images, COALESCE(p.asked, 0) AS asked FROM
                (SELECT modality, manufacturer, model, COUNT(*) AS images FROM scanned_instances GROUP BY modality, manufacturer, model) s
                LEFT JOIN (SELECT modality, manufacturer, model, COUNT(*) AS asked FROM samples GROUP BY modality, manufacturer, model) p
                ON p.modality = COALESCE(s.modality, '') AND p.manufacturer = COALESCE(s.manufacturer, '') AND p.model = COALESCE(s.model, '')
            """,
            transaction: t)).AsList();
        var (images, asked) = (strata.Sum(s => s.Images), strata.Sum(s => s.Asked) + 1);
        return strata.OrderByDescending(s => ((double)s.Images / images * asked) - s.Asked).ThenBy(s => (s.Modality, s.Manufacturer, s.Model)).ToList();
    }

    // Orthanc's ids are hashes: the first one after a random place is a random image, found by the index of devices.
    private static async Task<ImageRow?> FindImage(DbTransaction t, StratumRow stratum)
    {
        var start = RandomNumberGenerator.GetInt32(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        foreach (var place in (string[])[">= @start", "< @start"])
        {
            var image = await t.Connection!.QueryFirstOrDefaultAsync<ImageRow>(
                $"""
                SELECT s.orthanc_id, s.md5, s.study_instance_uid, s.series_instance_uid, s.sop_instance_uid FROM scanned_instances s
                WHERE {Is("modality", stratum.Modality)} AND {Is("manufacturer", stratum.Manufacturer)} AND {Is("model", stratum.Model)} AND s.orthanc_id {place} AND s.state = 'scanned'
                  AND NOT EXISTS (SELECT 1 FROM scan_findings f WHERE f.orthanc_id = s.orthanc_id AND f.state IN ('open', 'accepted', 'dismissed'))
                  AND NOT EXISTS (SELECT 1 FROM samples p WHERE p.orthanc_id = s.orthanc_id AND p.md5 = s.md5)
                ORDER BY s.orthanc_id LIMIT 1
                """,
                new { start, modality = stratum.Modality, manufacturer = stratum.Manufacturer, model = stratum.Model },
                t);
            if (image is not null)
            {
                return image;
            }
        }

        return null;

        static string Is(string column, string? value) => value is null ? $"s.{column} IS NULL" : $"s.{column} = @{column}";
    }
}
