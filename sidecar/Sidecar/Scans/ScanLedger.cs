using System.Data;
using System.Data.Common;
using Dapper;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>What was looked at, and what was found. Rows of an image are replaced when it is looked at again; decisions of people survive as <see cref="FindingMerge"/> says.</summary>
internal sealed class ScanLedger(Database database, TimeProvider time)
{
    /// <summary>A finding this near to a mask is at its edge. Pixels.</summary>
    private const int Edge = 4;

    private const int RowsAtOnce = 10; // more gain little on PostgreSQL, and cost SQLite more than they save: it looks for each parameter by its name

    /// <summary>The rows of a series, by Orthanc's id of the image.</summary>
    public Task<IReadOnlyDictionary<string, LedgerRow>> ReadSeries(OrthancId series, CancellationToken token) =>
        database.Read<IReadOnlyDictionary<string, LedgerRow>>(
            async c => (await c.QueryAsync<LedgerRow>($"SELECT {LedgerRow.Columns} FROM scanned_instances WHERE series_orthanc_id = @series", new { series = series.Value })).ToDictionary(r => r.OrthancId),
            token);

    /// <summary>The rows of a study, by Orthanc's id of the image.</summary>
    public Task<IReadOnlyDictionary<string, LedgerRow>> ReadStudy(OrthancId study, CancellationToken token) =>
        database.Read<IReadOnlyDictionary<string, LedgerRow>>(
            async c => (await c.QueryAsync<LedgerRow>($"SELECT {LedgerRow.Columns} FROM scanned_instances WHERE study_orthanc_id = @study", new { study = study.Value })).ToDictionary(r => r.OrthancId),
            token);

    /// <summary>The same file is there under another uuid: it was sent once more as it was.</summary>
    public Task MarkSame(string orthancId, string md5, string uuid, CancellationToken token) =>
        database.Write(t => t.Connection!.ExecuteAsync("UPDATE scanned_instances SET uuid = @uuid WHERE orthanc_id = @orthancId AND md5 = @md5", new { orthancId, md5, uuid }, t), token);

    /// <summary>Images that are not in the archive any more: nothing is found in them.</summary>
    public static async Task Forget(DbTransaction t, IReadOnlyCollection<string> orthancIds)
    {
        foreach (var chunk in orthancIds.Chunk(500))
        {
            await t.Connection!.ExecuteAsync($"DELETE FROM scanned_instances WHERE {t.Connection!.IsOneOf("orthanc_id", "@chunk")}", new { chunk }, t);
            await t.Connection!.ExecuteAsync($"UPDATE scan_findings SET state = 'gone' WHERE {t.Connection!.IsOneOf("orthanc_id", "@chunk")} AND state IN ('open', 'accepted', 'dismissed')", new { chunk }, t);
        }
    }

    /// <summary>Records what a scan made of images of one series, all or nothing, and counts it for the run.</summary>
    /// <exception cref="ScanClaimLostException">The claim is not this node's any more; nothing was recorded.</exception>
    public Task Record(ScanClaim claim, string engine, bool isWeak, IReadOnlyList<ScannedImage> images, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await ScanWorkQueue.EnsureHeld(t, claim);
                await t.Lock($"findings {claim.Work.StudyInstanceUid}"); // against decisions that are made at the same time
                var at = Instant.ToText(time.GetUtcNow());
                var ids = images.Select(i => i.OrthancId).ToArray();
                var masked = await MaskedImages.Read(t.Connection!, ids, t);
                var earlier = (await t.Connection!.QueryAsync<StoredFinding>(
                    $"SELECT {StoredFinding.Columns} FROM scan_findings WHERE {t.Connection!.IsOneOf("orthanc_id", "@ids")} AND state IN ('open', 'accepted', 'dismissed')", new { ids }, t)).ToLookup(f => f.OrthancId);
                await Upsert(t, claim.Work, images, engine, isWeak, at);
                foreach (var image in images)
                {
                    await Merge(t, claim.Work, image, [.. earlier[image.OrthancId]], masked.GetValueOrDefault(image.OrthancId), at);
                }

                var unscannable = images.Count(i => i.Unscannable is not null);
                return await t.Connection!.ExecuteAsync(
                    "UPDATE scan_runs SET scanned = scanned + @scanned, unscannable = unscannable + @unscannable, findings = findings + @findings, budget = budget - @all WHERE id = @RunId",
                    new { claim.Work.RunId, scanned = (long)images.Count - unscannable, unscannable = (long)unscannable, findings = images.Sum(i => (long)i.Findings.Count), all = (long)images.Count },
                    t);
            },
            token);

    // Many rows a statement: one by one, each waits for the database's answer, and that wait was most of what an image costs.
    private static async Task Upsert(DbTransaction t, ScanWork work, IEnumerable<ScannedImage> images, string engine, bool isWeak, string at)
    {
        foreach (var chunk in images.Chunk(RowsAtOnce))
        {
            var parameters = new DynamicParameters(new { work.StudyInstanceUid, work.SeriesInstanceUid, work.StudyOrthancId, work.SeriesOrthancId, engine, weak = isWeak ? 1L : 0L, at });
            for (var i = 0; i < chunk.Length; i++)
            {
                var (image, header) = (chunk[i], chunk[i].Header);
                parameters.Add($"id{i}", image.OrthancId, DbType.String);
                parameters.Add($"sop{i}", image.SopInstanceUid, DbType.String);
                parameters.Add($"number{i}", (long?)image.InstanceNumber, DbType.Int64);
                parameters.Add($"md5{i}", image.Md5, DbType.String);
                parameters.Add($"uuid{i}", image.Uuid, DbType.String);
                parameters.Add($"state{i}", image.Unscannable is null ? "scanned" : "unscannable", DbType.String);
                parameters.Add($"reason{i}", image.Unscannable?.Reason, DbType.String);
                parameters.Add($"cause{i}", image.Unscannable?.CauseWord, DbType.String);
                parameters.Add($"frames{i}", (long)image.Frames, DbType.Int64);
                parameters.Add($"rows{i}", (long?)header?.Rows, DbType.Int64);
                parameters.Add($"columns{i}", (long?)header?.Columns, DbType.Int64);
                parameters.Add($"modality{i}", header?.Modality, DbType.String);
                parameters.Add($"manufacturer{i}", header?.Manufacturer, DbType.String);
                parameters.Add($"model{i}", header?.Model, DbType.String);
                parameters.Add($"station{i}", header?.Station, DbType.String);
                parameters.Add($"photometric{i}", header?.Photometric, DbType.String);
                parameters.Add($"class{i}", header?.SopClass, DbType.String);
            }

            var rows = Enumerable.Range(0, chunk.Length).Select(i =>
                $"(@id{i}, @StudyInstanceUid, @SeriesInstanceUid, @sop{i}, @StudyOrthancId, @SeriesOrthancId, @number{i}, @md5{i}, @uuid{i}, @state{i}, @reason{i}, @cause{i}, @engine, @weak, "
                + $"@frames{i}, @rows{i}, @columns{i}, @modality{i}, @manufacturer{i}, @model{i}, @station{i}, @photometric{i}, @class{i}, @at)");
            await t.Connection!.ExecuteAsync(
                $"""
                INSERT INTO scanned_instances (orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, study_orthanc_id, series_orthanc_id, instance_number, md5, uuid, state, reason, cause, engine, is_weak,
                                               frames, rows, columns, modality, manufacturer, model, station, photometric, sop_class, scanned_at)
                VALUES {string.Join(',', rows)}
                ON CONFLICT (orthanc_id) DO UPDATE SET
                    study_instance_uid = excluded.study_instance_uid, series_instance_uid = excluded.series_instance_uid, sop_instance_uid = excluded.sop_instance_uid, instance_number = excluded.instance_number,
                    md5 = excluded.md5, uuid = excluded.uuid, state = excluded.state, reason = excluded.reason, cause = excluded.cause, engine = excluded.engine, is_weak = excluded.is_weak, frames = excluded.frames, rows = excluded.rows,
                    columns = excluded.columns, modality = excluded.modality, manufacturer = excluded.manufacturer, model = excluded.model, station = excluded.station, photometric = excluded.photometric,
                    sop_class = excluded.sop_class, scanned_at = excluded.scanned_at
                """,
                parameters,
                t);
        }
    }

    private async Task Merge(DbTransaction t, ScanWork work, ScannedImage image, IReadOnlyList<StoredFinding> earlier, MaskedImage? masked, string at)
    {
        if (image.Unscannable is not null && earlier.All(e => e.Md5 == image.Md5))
        {
            return; // the same file could be looked at before: what was found in it is still there
        }

        var isOurMask = masked?.Md5 == image.Md5;
        var merge = FindingMerge.Merge(earlier, masked is null || isOurMask ? image.Findings : [.. image.Findings, .. ApprovedBefore(image, masked)], image.Md5, isOurMask);
        foreach (var (row, state) in merge.Closed)
        {
            await t.Connection!.ExecuteAsync("UPDATE scan_findings SET state = @state WHERE id = @Id", new { row.Id, state }, t);
        }

        foreach (var (row, found) in merge.Kept)
        {
            await t.Connection!.ExecuteAsync(
                """
                UPDATE scan_findings SET md5 = @Md5, confidence = @confidence, kind = @kind, matched_attribute = @MatchedAttribute, after_masking = @after,
                    frames = CASE WHEN state = 'open' THEN @frames ELSE frames END,
                    x = CASE WHEN state = 'open' THEN @X ELSE x END, y = CASE WHEN state = 'open' THEN @Y ELSE y END,
                    width = CASE WHEN state = 'open' THEN @Width ELSE width END, height = CASE WHEN state = 'open' THEN @Height ELSE height END
                WHERE id = @Id
                """,
                new { row.Id, image.Md5, confidence = PerMille(found), kind = ScanWords.Of(found.Kind), found.MatchedAttribute, after = IsAtMask(found, masked, isOurMask), frames = FramesOf(found), X = (long)found.Region.X, Y = (long)found.Region.Y, Width = (long)found.Region.Width, Height = (long)found.Region.Height },
                t);
        }

        foreach (var found in merge.New)
        {
            await t.Connection!.ExecuteAsync(
                """
                INSERT INTO scan_findings (id, orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, md5, frames, x, y, width, height, confidence, kind, matched_attribute, after_masking, state, found_at)
                VALUES (@id, @OrthancId, @StudyInstanceUid, @SeriesInstanceUid, @SopInstanceUid, @Md5, @frames, @X, @Y, @Width, @Height, @confidence, @kind, @MatchedAttribute, @after, 'open', @at)
                """,
                new
                {
                    id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
                    image.OrthancId,
                    work.StudyInstanceUid,
                    work.SeriesInstanceUid,
                    image.SopInstanceUid,
                    image.Md5,
                    frames = FramesOf(found),
                    X = (long)found.Region.X,
                    Y = (long)found.Region.Y,
                    Width = (long)found.Region.Width,
                    Height = (long)found.Region.Height,
                    confidence = PerMille(found),
                    kind = ScanWords.Of(found.Kind),
                    found.MatchedAttribute,
                    after = IsAtMask(found, masked, isOurMask),
                    at,
                },
                t);
        }
    }

    // The masks are not in this file (somebody sent the original again): what a person approved once is proposed again, seen by the detector or not.
    private static IEnumerable<ScanFinding> ApprovedBefore(ScannedImage image, MaskedImage masked) =>
        from mask in masked.Masks
        let region = image.Header is { Columns: { } columns, Rows: { } rows } ? mask.Region.ClipTo(columns, rows) : mask.Region
        where region is not null && image.Unscannable is null && image.Findings.All(f => FindingMerge.Overlap(f.Region, region) < 0.5)
        select new ScanFinding { Region = region, Frames = mask.Frames is null ? null : FrameNumbers.Parse(mask.Frames), Confidence = 1 };

    // Text that is readable where it was thought to be covered.
    private static long IsAtMask(ScanFinding found, MaskedImage? masked, bool isOurMask) =>
        isOurMask && masked!.Masks.Select(m => m.Region).Any(mask => Grown(found.Region) is var near && near.X < mask.Right && mask.X < near.Right && near.Y < mask.Bottom && mask.Y < near.Bottom) ? 1 : 0;

    private static Region Grown(Region region)
    {
        var (x, y) = (Math.Max(0, region.X - Edge), Math.Max(0, region.Y - Edge));
        return new Region(x, y, region.Right + Edge - x, region.Bottom + Edge - y);
    }

    private static long PerMille(ScanFinding found) => (long)Math.Round(Math.Clamp(found.Confidence, 0, 1) * 1000);

    private static string? FramesOf(ScanFinding found) => found.Frames is { } frames ? FrameNumbers.ToText(frames) : null;
}
