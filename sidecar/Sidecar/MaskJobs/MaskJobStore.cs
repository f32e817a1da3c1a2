using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>A key that was used, the fingerprint of the request it was used for, and the job it made.</summary>
internal sealed record IdempotencyRow
{
    public required string JobId { get; init; }

    public required string RequestSha256 { get; init; }
}

/// <summary>Jobs and their items in the database. Every change carries its audit event in the same transaction.</summary>
internal sealed class MaskJobStore(Database database, AuditLog audit, MaskJobPace pace, TimeProvider time)
{
    private const int MostListed = 50;
    private const string JobColumns =
        "id, study_instance_uid, study_orthanc_id, state, scope, source_series_instance_uid, source_sop_instance_uid, regions, left_out, reason, created_at, created_by_subject, created_by_name, started_at, finished_at";

    public Task<IdempotencyRow?> FindByKey(string subject, string key, CancellationToken token) =>
        database.Read(connection => FindByKey(connection, null, subject, key), token);

    /// <summary>Stores a queued job with its items; where the key was used in the meantime, nothing, and the answer is what that made.</summary>
    public Task<IdempotencyRow> Create(MaskJob job, IReadOnlyList<MaskJobItem> items, string key, string fingerprint, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await t.Lock($"key {job.CreatedBySubject} {key}");
                if (await FindByKey(t.Connection!, t, job.CreatedBySubject, key) is { } earlier)
                {
                    return earlier;
                }

                await t.Connection!.ExecuteAsync(
                    $"""
                    INSERT INTO mask_jobs ({JobColumns})
                    VALUES (@Id, @StudyInstanceUid, @StudyOrthancId, @state, @scope, @series, @sop, @regions, @leftOut, @Reason, @createdAt, @CreatedBySubject, @CreatedByName, NULL, NULL)
                    """,
                    new
                    {
                        job.Id,
                        job.StudyInstanceUid,
                        job.StudyOrthancId,
                        state = Word(job.State),
                        scope = Word(job.Scope),
                        series = job.Source.SeriesInstanceUid,
                        sop = job.Source.SopInstanceUid,
                        regions = JsonSerializer.Serialize(job.Regions, StoreJson.Default.IReadOnlyListRegion),
                        leftOut = JsonSerializer.Serialize(job.LeftOut, StoreJson.Default.IReadOnlyListLeftOut),
                        job.Reason,
                        createdAt = Instant.ToText(job.CreatedAt),
                        job.CreatedBySubject,
                        job.CreatedByName,
                    },
                    t);
                foreach (var item in items)
                {
                    await t.Connection!.ExecuteAsync(
                        """
                        INSERT INTO mask_job_items (job_id, ordinal, orthanc_id, series_instance_uid, sop_instance_uid, instance_number, frames, state)
                        VALUES (@job, @Ordinal, @OrthancId, @SeriesInstanceUid, @SopInstanceUid, @InstanceNumber, @Frames, 'waiting')
                        """,
                        new { job = job.Id, item.Ordinal, item.OrthancId, item.SeriesInstanceUid, item.SopInstanceUid, item.InstanceNumber, item.Frames },
                        t);
                }

                await t.Connection!.ExecuteAsync(
                    "INSERT INTO idempotency_keys (subject, key, request_sha256, job_id, created_at) VALUES (@subject, @key, @fingerprint, @id, @at)",
                    new { subject = job.CreatedBySubject, key, fingerprint, id = job.Id, at = Instant.ToText(job.CreatedAt) },
                    t);
                await audit.Append(t, About(job, "maskJobCreated") with
                {
                    Details = new()
                    {
                        ["scope"] = Word(job.Scope),
                        ["sourceSopInstanceUid"] = job.Source.SopInstanceUid,
                        ["regions"] = JsonSerializer.SerializeToNode(job.Regions, StoreJson.Default.IReadOnlyListRegion),
                        ["instances"] = items.Count,
                        ["frames"] = items.Sum(i => i.Frames),
                        ["leftOut"] = job.LeftOut.Sum(l => l.Instances),
                        ["reason"] = job.Reason,
                    },
                });
                return new IdempotencyRow { JobId = job.Id, RequestSha256 = fingerprint };
            },
            token);

    /// <summary>Jobs that are not finished, oldest first.</summary>
    public Task<IReadOnlyList<MaskJob>> ListOpen(CancellationToken token) =>
        database.Read<IReadOnlyList<MaskJob>>(
            async connection => [.. (await connection.QueryAsync<JobRow>($"SELECT {JobColumns} FROM mask_jobs WHERE state IN ('queued', 'running') ORDER BY created_at, id")).Select(r => r.ToJob())],
            token);

    /// <summary>Items of a job that have no outcome yet.</summary>
    public Task<IReadOnlyList<MaskJobItem>> ListWaiting(string job, CancellationToken token) =>
        database.Read<IReadOnlyList<MaskJobItem>>(
            async connection => [.. (await connection.QueryAsync<ItemRow>("SELECT * FROM mask_job_items WHERE job_id = @job AND state = 'waiting' ORDER BY ordinal", new { job })).Select(r => r.ToItem())],
            token);

    public Task<IReadOnlyList<string>> ListSeries(string job, CancellationToken token) =>
        database.Read<IReadOnlyList<string>>(
            async connection => [.. await connection.QueryAsync<string>("SELECT DISTINCT series_instance_uid FROM mask_job_items WHERE job_id = @job", new { job })],
            token);

    public Task Start(MaskJob job, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync(
                "UPDATE mask_jobs SET state = @state, started_at = COALESCE(started_at, @at) WHERE id = @Id AND state = @before",
                new { job.Id, state = Word(After(job.State, MaskJobEvent.Start)), before = Word(job.State), at = Instant.ToText(time.GetUtcNow()) },
                t),
            token);

    /// <summary>The instance is masked and verified. Doing it twice changes nothing the second time.</summary>
    public Task RecordMasked(MaskJob job, string orthancId, ReplacementOutcome.Replaced replaced, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var at = Instant.ToText(time.GetUtcNow());
                var (series, sop) = await t.Connection!.QuerySingleAsync<(string, string)>("SELECT series_instance_uid, sop_instance_uid FROM mask_job_items WHERE job_id = @Id AND orthanc_id = @orthancId", new { job.Id, orthancId }, t);
                var changed = await t.Connection!.ExecuteAsync(
                    "UPDATE mask_job_items SET state = 'masked', finished_at = @at WHERE job_id = @Id AND orthanc_id = @orthancId AND state = 'waiting'",
                    new { job.Id, orthancId, at },
                    t);
                if (changed == 0)
                {
                    return 0;
                }

                var record = replaced.Record;
                await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO masked_instances (orthanc_id, sop_instance_uid, md5, uuid, job_id, masked_at) VALUES (@orthancId, @sop, @MaskedMd5, @Uuid, @Id, @at)
                    ON CONFLICT (orthanc_id) DO UPDATE SET md5 = excluded.md5, uuid = excluded.uuid, job_id = excluded.job_id, masked_at = excluded.masked_at
                    """,
                    new { orthancId, sop, record.MaskedMd5, replaced.Uuid, job.Id, at },
                    t);
                await audit.Append(t, About(job, "instanceMasked") with
                {
                    SeriesInstanceUid = series,
                    SopInstanceUid = sop,
                    Details = new()
                    {
                        ["regions"] = new JsonArray([.. record.Proof.Regions.Select(r => JsonSerializer.SerializeToNode(new Region(r.X, r.Y, r.Width, r.Height), MaskJobJson.Default.Region))]),
                        ["frames"] = record.Proof.Frames,
                        ["transferSyntax"] = record.Proof.TransferSyntaxUid,
                        ["outputTransferSyntax"] = record.Proof.OutputTransferSyntaxUid,
                        ["changedOutside"] = record.Proof.ChangedOutside,
                        ["sha256"] = record.Proof.Sha256,
                        ["outputSha256"] = record.Proof.OutputSha256,
                        ["frameXxh64"] = new JsonArray([.. record.Proof.FrameXxh64.Select(f => (JsonNode?)f)]),
                        ["md5"] = record.Md5,
                        ["outputMd5"] = record.MaskedMd5,
                        // Orthanc resets these at each store and lets nobody write them back.
                        ["orthancMetadataBefore"] = new JsonObject(record.Instance.SystemMetadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value))),
                    },
                });
                return changed;
            },
            token);

    public Task RecordFailed(MaskJob job, MaskJobItem item, string reason, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var changed = await t.Connection!.ExecuteAsync(
                    "UPDATE mask_job_items SET state = 'failed', reason = @reason, finished_at = @at WHERE job_id = @Id AND ordinal = @Ordinal AND state = 'waiting'",
                    new { job.Id, item.Ordinal, reason, at = Instant.ToText(time.GetUtcNow()) },
                    t);
                if (changed > 0)
                {
                    await audit.Append(t, About(job, "instanceFailed") with { SeriesInstanceUid = item.SeriesInstanceUid, SopInstanceUid = item.SopInstanceUid, Details = new() { ["reason"] = reason } });
                }

                return changed;
            },
            token);

    /// <summary>Closes a job whose items all have an outcome.</summary>
    public Task Finish(MaskJob job, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var counts = await t.Connection!.QuerySingleAsync<CountRow>(CountSql, new { job = job.Id }, t);
                if (counts.Done + counts.Failed != counts.Total)
                {
                    throw new InvalidOperationException($"Job {job.Id} has instances without an outcome.");
                }

                var state = After(MaskJobState.Running, counts.Failed == 0 ? MaskJobEvent.FinishAllMasked : MaskJobEvent.FinishWithFailures);
                var changed = await t.Connection!.ExecuteAsync(
                    "UPDATE mask_jobs SET state = @state, finished_at = @at WHERE id = @Id AND state = 'running'",
                    new { job.Id, state = Word(state), at = Instant.ToText(time.GetUtcNow()) },
                    t);
                if (changed > 0)
                {
                    await audit.Append(t, About(job, "maskJobFinished") with { Details = new() { ["state"] = Word(state), ["masked"] = counts.Done, ["failed"] = counts.Failed } });
                }

                return changed;
            },
            token);

    public Task<MaskJobView?> ReadView(string id, CancellationToken token) =>
        database.Read(
            async connection => await connection.QuerySingleOrDefaultAsync<JobRow>($"SELECT {JobColumns} FROM mask_jobs WHERE id = @id", new { id }) is { } row ? await ToView(connection, row.ToJob()) : null,
            token);

    public Task<IReadOnlyList<MaskJobView>> ListViews(string study, CancellationToken token) =>
        database.Read<IReadOnlyList<MaskJobView>>(
            async connection =>
            {
                var rows = await connection.QueryAsync<JobRow>(
                    $"SELECT {JobColumns} FROM mask_jobs WHERE study_instance_uid = @study ORDER BY created_at DESC, id DESC LIMIT {MostListed}",
                    new { study });
                List<MaskJobView> views = [];
                foreach (var row in rows)
                {
                    views.Add(await ToView(connection, row.ToJob()));
                }

                return views;
            },
            token);

    private const string CountSql =
        """
        SELECT COUNT(*) AS total, CAST(COALESCE(SUM(frames), 0) AS BIGINT) AS frames,
               COUNT(CASE WHEN state = 'masked' THEN 1 END) AS done,
               COUNT(CASE WHEN state = 'failed' THEN 1 END) AS failed
        FROM mask_job_items WHERE job_id = @job
        """;

    private async Task<MaskJobView> ToView(DbConnection connection, MaskJob job)
    {
        var counts = await connection.QuerySingleAsync<CountRow>(CountSql, new { job = job.Id });
        var masked = await connection.QueryAsync<string>("SELECT sop_instance_uid FROM mask_job_items WHERE job_id = @Id AND state = 'masked' ORDER BY ordinal", new { job.Id });
        var failed = await connection.QueryAsync<ItemRow>("SELECT * FROM mask_job_items WHERE job_id = @Id AND state = 'failed' ORDER BY ordinal", new { job.Id });
        return new MaskJobView(
            job.Id,
            job.StudyInstanceUid,
            job.State,
            job.CreatedAt,
            job.CreatedByName,
            job.Scope,
            job.Source,
            job.Regions,
            (int)counts.Total,
            (int)counts.Done,
            (int)counts.Failed,
            counts.Frames,
            [.. masked],
            [.. failed.Select(r => r.ToItem()).Select(i => new MaskFailure(i.SeriesInstanceUid, i.SopInstanceUid, i.Reason ?? "", i.InstanceNumber))],
            job.LeftOut,
            job.StartedAt,
            job.FinishedAt,
            job.Reason,
            job.State == MaskJobState.Running ? pace.SecondsLeft(job.Id, counts.Total - counts.Done - counts.Failed) : null);
    }

    private static Task<IdempotencyRow?> FindByKey(DbConnection connection, DbTransaction? transaction, string subject, string key) =>
        connection.QuerySingleOrDefaultAsync<IdempotencyRow>("SELECT job_id, request_sha256 FROM idempotency_keys WHERE subject = @subject AND key = @key", new { subject, key }, transaction);

    private static AuditEvent About(MaskJob job, string action) =>
        new(action, job.CreatedBySubject, job.CreatedByName) { JobId = job.Id, StudyInstanceUid = job.StudyInstanceUid };

    private static MaskJobState After(MaskJobState state, MaskJobEvent happened) =>
        state.Next(happened) ?? throw new InvalidOperationException($"A job that is {state} cannot {happened}.");

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private sealed record CountRow
    {
        public long Total { get; init; }

        public long Frames { get; init; }

        public long Done { get; init; }

        public long Failed { get; init; }
    }

    private sealed record JobRow
    {
        public string Id { get; init; } = "";

        public string StudyInstanceUid { get; init; } = "";

        public string StudyOrthancId { get; init; } = "";

        public string State { get; init; } = "";

        public string Scope { get; init; } = "";

        public string SourceSeriesInstanceUid { get; init; } = "";

        public string SourceSopInstanceUid { get; init; } = "";

        public string Regions { get; init; } = "";

        public string LeftOut { get; init; } = "";

        public string? Reason { get; init; }

        public string CreatedAt { get; init; } = "";

        public string CreatedBySubject { get; init; } = "";

        public string CreatedByName { get; init; } = "";

        public string? StartedAt { get; init; }

        public string? FinishedAt { get; init; }

        public MaskJob ToJob() => new()
        {
            Id = Id,
            StudyInstanceUid = StudyInstanceUid,
            StudyOrthancId = StudyOrthancId,
            State = Enum.Parse<MaskJobState>(State, ignoreCase: true),
            Scope = Enum.Parse<MaskScope>(Scope, ignoreCase: true),
            Source = new SourceImage(SourceSeriesInstanceUid, SourceSopInstanceUid),
            Regions = JsonSerializer.Deserialize(Regions, StoreJson.Default.IReadOnlyListRegion)!,
            LeftOut = JsonSerializer.Deserialize(LeftOut, StoreJson.Default.IReadOnlyListLeftOut)!,
            Reason = Reason,
            CreatedAt = Instant.FromText(CreatedAt),
            CreatedBySubject = CreatedBySubject,
            CreatedByName = CreatedByName,
            StartedAt = StartedAt is null ? null : Instant.FromText(StartedAt),
            FinishedAt = FinishedAt is null ? null : Instant.FromText(FinishedAt),
        };
    }

    private sealed record ItemRow
    {
        public long Ordinal { get; init; }

        public string OrthancId { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";

        public long? InstanceNumber { get; init; }

        public long Frames { get; init; }

        public string State { get; init; } = "";

        public string? Reason { get; init; }

        public MaskJobItem ToItem() => new()
        {
            Ordinal = (int)Ordinal,
            OrthancId = OrthancId,
            SeriesInstanceUid = SeriesInstanceUid,
            SopInstanceUid = SopInstanceUid,
            InstanceNumber = (int?)InstanceNumber,
            Frames = Frames,
            State = Enum.Parse<MaskJobItemState>(State, ignoreCase: true),
            Reason = Reason,
        };
    }
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<Region>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<LeftOut>))]
internal sealed partial class StoreJson : System.Text.Json.Serialization.JsonSerializerContext;
