using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Telemetry;

namespace Sidecar.MaskJobs;

/// <summary>A key that was used, the fingerprint of the request it was used for, and the job it made.</summary>
internal sealed record IdempotencyRow
{
    public required string JobId { get; init; }

    public required string RequestSha256 { get; init; }
}

/// <summary>Jobs and their items in the database. Every change carries its audit event in the same transaction.</summary>
internal sealed class MaskJobStore(Database database, AuditLog audit, TimeProvider time)
{
    // The databases look names of parameters up one by one: many in one statement take longer than several statements.
    private const int RowsAtOnce = 25;

    public Task<IdempotencyRow?> FindByKey(string subject, string key, CancellationToken token) =>
        database.Read(connection => FindByKey(connection, null, subject, key), token);

    /// <summary>
    /// Stores a job, queued or waiting for a second person, with its items; where the key was used in the meantime, nothing, and the answer is what that made. Null, and nothing is stored, where a finding
    /// that an item covers is not accepted any more as it was, or is another job's.
    /// </summary>
    public Task<IdempotencyRow?> Create(MaskJob job, IReadOnlyList<MaskJobItem> items, string key, string fingerprint, CancellationToken token) =>
        database.Write<IdempotencyRow?>(
            async t =>
            {
                await t.Lock($"key {job.CreatedBySubject} {key}");
                if (await FindByKey(t.Connection!, t, job.CreatedBySubject, key) is { } earlier)
                {
                    return earlier;
                }

                if (items.Any(i => i.Findings.Count > 0))
                {
                    await t.Lock($"findings {job.StudyInstanceUid}"); // against decisions and scans
                    if (!await AcceptedFindings.AreStill(t, items.SelectMany(i => i.Findings), job.Id))
                    {
                        return null;
                    }
                }

                var frames = items.Sum(i => i.Frames);
                var turn = job.State == MaskJobState.Queued ? await TurnOf(t, job) : 0; // else when it is queued
                await t.Connection!.ExecuteAsync(
                    """
                    INSERT INTO mask_jobs (id, study_instance_uid, study_orthanc_id, state, scope, priority, source_series_instance_uid, source_sop_instance_uid, regions, left_out, reason,
                                           instances, frames, created_at, created_by_subject, created_by_name, turn_start, turn_end, claims, images_version, restores_job_id)
                    VALUES (@Id, @StudyInstanceUid, @StudyOrthancId, @state, @scope, @priority, @series, @sop, @regions, @leftOut, @Reason,
                            @instances, @frames, @createdAt, @CreatedBySubject, @CreatedByName, @turn, @turn + @frames, 0, CAST(@ImagesVersion AS TEXT), CAST(@RestoresJobId AS TEXT))
                    """,
                    new
                    {
                        job.Id,
                        job.StudyInstanceUid,
                        job.StudyOrthancId,
                        state = Word(job.State),
                        scope = Word(job.Scope),
                        priority = Word(job.Priority),
                        series = job.Source.SeriesInstanceUid,
                        sop = job.Source.SopInstanceUid,
                        regions = JsonSerializer.Serialize(job.Regions, StoreJson.Default.IReadOnlyListRegion),
                        leftOut = JsonSerializer.Serialize(job.LeftOut, StoreJson.Default.IReadOnlyListLeftOut),
                        job.Reason,
                        instances = (long)items.Count,
                        frames,
                        createdAt = Instant.ToText(job.CreatedAt),
                        job.CreatedBySubject,
                        job.CreatedByName,
                        turn,
                        job.ImagesVersion,
                        job.RestoresJobId,
                    },
                    t);
                foreach (var chunk in items.Chunk(RowsAtOnce))
                {
                    await Insert(t, job.Id, chunk);
                }

                foreach (var chunk in items.SelectMany(i => i.Findings.Select(f => (f, i.OrthancId))).Chunk(RowsAtOnce))
                {
                    await InsertFindings(t, job.Id, chunk);
                }

                await t.Connection!.ExecuteAsync(
                    "INSERT INTO idempotency_keys (subject, key, request_sha256, job_id, created_at) VALUES (@subject, @key, @fingerprint, @id, @at)",
                    new { subject = job.CreatedBySubject, key, fingerprint, id = job.Id, at = Instant.ToText(job.CreatedAt) },
                    t);
                if (job.RestoresJobId is { } restored)
                {
                    // In the audit of both jobs: whoever looks at the masking finds that it was undone.
                    foreach (var (id, action) in ((string, string)[])[(job.Id, "restoreCreated"), (restored, "restoreRequested")])
                    {
                        await audit.Append(t, About(job, action) with { JobId = id, Details = new() { ["maskJob"] = restored, ["restoreJob"] = job.Id, ["instances"] = items.Count, ["reason"] = job.Reason } });
                    }

                    return new IdempotencyRow { JobId = job.Id, RequestSha256 = fingerprint };
                }

                await audit.Append(t, About(job, "maskJobCreated") with
                {
                    Details = new()
                    {
                        ["scope"] = Word(job.Scope),
                        ["sourceSopInstanceUid"] = job.Source.SopInstanceUid,
                        ["regions"] = JsonSerializer.SerializeToNode(job.Regions, StoreJson.Default.IReadOnlyListRegion),
                        ["masks"] = OwnMasks(items),
                        ["instances"] = items.Count,
                        ["frames"] = items.Sum(i => i.Frames),
                        ["leftOut"] = job.LeftOut.Sum(l => l.Instances),
                        ["reason"] = job.Reason,
                        ["needsConfirmation"] = job.State == MaskJobState.AwaitingConfirmation,
                    },
                });
                return new IdempotencyRow { JobId = job.Id, RequestSha256 = fingerprint };
            },
            token);

    /// <summary>Those of <paramref name="jobs"/> that are to be run or run now. A job that waits for a second person has touched nothing.</summary>
    public Task<IReadOnlySet<string>> FindOpen(IReadOnlyList<string> jobs, CancellationToken token) =>
        database.Read<IReadOnlySet<string>>(
            async connection => (await connection.QueryAsync<string>($"SELECT id FROM mask_jobs WHERE {connection.IsOneOf("id", "@jobs")} AND state IN ('queued', 'running')", new { jobs = jobs.ToArray() })).ToHashSet(),
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

    /// <summary>These instances are masked and verified. Doing it twice changes nothing the second time.</summary>
    public Task RecordMasked(JobClaim claim, IReadOnlyList<ReplacementOutcome.Replaced> images, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await MaskJobQueue.EnsureHeld(t, claim);
                List<AuditEvent> told = [];
                foreach (var replaced in images)
                {
                    if (await SetMasked(t, claim.Job, replaced) is { } happened)
                    {
                        told.Add(happened);
                    }
                }

                await audit.Append(t, told);
                return told.Count;
            },
            token);

    // Null: it is on record already.
    private async Task<AuditEvent?> SetMasked(DbTransaction t, MaskJob job, ReplacementOutcome.Replaced replaced)
    {
        var (record, proof) = (replaced.Record, replaced.Record.Proof!);
        var parameters = new { job.Id, orthancId = record.Id.Value, at = Instant.ToText(time.GetUtcNow()), record.Md5, record.MaskedMd5, replaced.Uuid };
        var item = await t.Connection!.QuerySingleOrDefaultAsync<MaskedItemRow>(
            """
            UPDATE mask_job_items SET state = 'masked', finished_at = @at WHERE job_id = @Id AND orthanc_id = @orthancId AND state = 'waiting'
            RETURNING series_instance_uid, sop_instance_uid, masks
            """,
            parameters,
            t);
        if (item is null)
        {
            return null;
        }

        if (replaced.RestorableUntil is { } until)
        {
            await t.Connection!.ExecuteAsync(
                """
                INSERT INTO sealed_originals (job_id, orthanc_id, masked_md5, previous_job_id, sealed_at, restorable_until, state)
                VALUES (@Id, @orthancId, @MaskedMd5, (SELECT job_id FROM masked_instances WHERE orthanc_id = @orthancId AND md5 = @Md5), @at, @until, 'sealed')
                """,
                new { parameters.Id, parameters.orthancId, parameters.MaskedMd5, parameters.Md5, parameters.at, until = Instant.ToText(until) },
                t);
        }

        await t.Connection!.ExecuteAsync(
            """
            INSERT INTO masked_instances (orthanc_id, sop_instance_uid, md5, uuid, job_id, masked_at) VALUES (@orthancId, @sop, @MaskedMd5, @Uuid, @Id, @at)
            ON CONFLICT (orthanc_id) DO UPDATE SET md5 = excluded.md5, uuid = excluded.uuid, job_id = excluded.job_id, masked_at = excluded.masked_at
            """,
            new { parameters.orthancId, sop = item.SopInstanceUid, parameters.MaskedMd5, parameters.Uuid, parameters.Id, parameters.at },
            t);
        return About(job, "instanceMasked") with
        {
            SeriesInstanceUid = item.SeriesInstanceUid,
            SopInstanceUid = item.SopInstanceUid,
            Details = new()
            {
                ["regions"] = new JsonArray([.. proof.Regions.Select(r => JsonSerializer.SerializeToNode(new Region(r.X, r.Y, r.Width, r.Height), MaskJobJson.Default.Region))]),
                ["frames"] = proof.Frames,
                // As approved, with the frames each is for; what was burned is in regions.
                ["masks"] = item.Masks is null ? null : JsonNode.Parse(item.Masks),
                ["transferSyntax"] = proof.TransferSyntaxUid,
                ["outputTransferSyntax"] = proof.OutputTransferSyntaxUid,
                ["changedOutside"] = proof.ChangedOutside,
                ["sha256"] = proof.Sha256,
                ["outputSha256"] = proof.OutputSha256,
                ["frameXxh64"] = new JsonArray([.. proof.FrameXxh64.Select(f => (JsonNode?)f)]),
                ["md5"] = record.Md5,
                ["outputMd5"] = record.MaskedMd5,
                ["restorableUntil"] = replaced.RestorableUntil is { } kept ? Instant.ToText(kept) : null,
                // Orthanc resets these at each store and lets nobody write them back.
                ["orthancMetadataBefore"] = new JsonObject(record.Instance.SystemMetadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value))),
            },
        };
    }

    /// <summary>The original is back and verified. The masks that were undone count as never burned: what was found in the image is open again, and it is not taken for an original that somebody sent again.</summary>
    public Task RecordRestored(JobClaim claim, string orthancId, ReplacementOutcome.Replaced replaced, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await MaskJobQueue.EnsureHeld(t, claim);
                var (job, record, connection) = (claim.Job, replaced.Record, t.Connection!);
                var parameters = new { job.Id, job.RestoresJobId, orthancId, at = Instant.ToText(time.GetUtcNow()), record.MaskedMd5, replaced.Uuid };
                if (await connection.ExecuteAsync("UPDATE mask_job_items SET state = 'restored', finished_at = @at WHERE job_id = @Id AND orthanc_id = @orthancId AND state = 'waiting'", parameters, t) == 0)
                {
                    return 0;
                }

                await connection.ExecuteAsync("UPDATE mask_job_items SET state = 'restored' WHERE job_id = @RestoresJobId AND orthanc_id = @orthancId AND state = 'masked'", parameters, t);
                await connection.ExecuteAsync("UPDATE sealed_originals SET state = 'restored' WHERE job_id = @RestoresJobId AND orthanc_id = @orthancId", parameters, t);

                // The original may be the output of an earlier job; then it is that one's again.
                var changed = await connection.ExecuteAsync(
                    """
                    UPDATE masked_instances SET md5 = @MaskedMd5, uuid = @Uuid, job_id = (SELECT previous_job_id FROM sealed_originals WHERE job_id = @RestoresJobId AND orthanc_id = @orthancId)
                    WHERE orthanc_id = @orthancId AND EXISTS (SELECT 1 FROM sealed_originals WHERE job_id = @RestoresJobId AND orthanc_id = @orthancId AND previous_job_id IS NOT NULL)
                    """,
                    parameters,
                    t);
                if (changed == 0)
                {
                    await connection.ExecuteAsync("DELETE FROM masked_instances WHERE orthanc_id = @orthancId", parameters, t);
                }

                var (series, sop) = await connection.QuerySingleAsync<(string, string)>("SELECT series_instance_uid, sop_instance_uid FROM mask_job_items WHERE job_id = @Id AND orthanc_id = @orthancId", parameters, t);
                foreach (var id in (string[])[job.Id, job.RestoresJobId!])
                {
                    await audit.Append(t, About(job, "instanceRestored") with
                    {
                        JobId = id,
                        SeriesInstanceUid = series,
                        SopInstanceUid = sop,
                        Details = new() { ["maskJob"] = job.RestoresJobId, ["restoreJob"] = job.Id, ["md5"] = record.Md5, ["outputMd5"] = record.MaskedMd5, ["reason"] = job.Reason },
                    });
                }

                return 1;
            },
            token);

    public Task RecordFailed(JobClaim claim, MaskJobItem item, RefusalCause cause, string reason, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await MaskJobQueue.EnsureHeld(t, claim);
                var job = claim.Job;
                var changed = await t.Connection!.ExecuteAsync(
                    "UPDATE mask_job_items SET state = 'failed', cause = @cause, reason = @reason, finished_at = @at WHERE job_id = @Id AND ordinal = @Ordinal AND state = 'waiting'",
                    new { job.Id, item.Ordinal, cause = Word(cause), reason, at = Instant.ToText(time.GetUtcNow()) },
                    t);
                if (changed > 0)
                {
                    await audit.Append(t, About(job, job.RestoresJobId is null ? "instanceFailed" : "instanceNotRestored") with { SeriesInstanceUid = item.SeriesInstanceUid, SopInstanceUid = item.SopInstanceUid, Details = new() { ["reason"] = reason } });
                }

                return changed;
            },
            token);

    /// <summary>Leaves the waiting instances of a cancelled job as they are, but for those that were begun (<paramref name="begun"/>, by Orthanc's id).</summary>
    public Task CancelWaiting(JobClaim claim, IReadOnlyCollection<string> begun, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await MaskJobQueue.EnsureHeld(t, claim);
                return await CancelWaiting(t, claim.Job.Id, begun);
            },
            token);

    /// <summary>Closes a job whose items all have an outcome.</summary>
    public Task Finish(JobClaim claim, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await MaskJobQueue.EnsureHeld(t, claim);
                return await Finish(t, claim.Job, MaskJobState.Running);
            },
            token);

    /// <summary>
    /// Asks that no further instance of a job be started. A job that nobody has begun is finished with it.
    /// Null where there is no such job; false where it is finished already.
    /// </summary>
    public Task<bool?> Cancel(string id, string subject, string name, CancellationToken token) =>
        database.Write<bool?>(
            async t =>
            {
                if (await Take(t, id) is not { } job)
                {
                    return null;
                }

                if (job.State is not (MaskJobState.AwaitingConfirmation or MaskJobState.Queued or MaskJobState.Running))
                {
                    return false;
                }

                if (job.CancelledAt is null)
                {
                    await t.Connection!.ExecuteAsync("UPDATE mask_jobs SET cancelled_at = @at, cancelled_by_name = @name WHERE id = @id", new { id, name, at = Instant.ToText(time.GetUtcNow()) }, t);
                    await audit.Append(t, new AuditEvent("maskJobCancelled", subject, name) { JobId = id, StudyInstanceUid = job.StudyInstanceUid });
                }

                if (job.State != MaskJobState.Running)
                {
                    await EndUntouched(t, job, MaskJobEvent.FinishCancelled);
                }

                return true;
            },
            token);

    /// <summary>The job as it is; until the end of the transaction no node begins it and nobody else decides about it. Null where there is none.</summary>
    public static async Task<MaskJob?> Take(DbTransaction t, string id)
    {
        await t.Connection!.ExecuteAsync("UPDATE mask_jobs SET claims = claims WHERE id = @id", new { id }, t);
        return (await t.Connection!.QuerySingleOrDefaultAsync<JobRow>($"SELECT {JobRow.Columns} FROM mask_jobs WHERE id = @id", new { id }, t))?.ToJob();
    }

    /// <summary>Ends a job that nobody has begun; every image of it stays as it is.</summary>
    public async Task EndUntouched(DbTransaction t, MaskJob job, MaskJobEvent how)
    {
        await CancelWaiting(t, job.Id, []);
        await Finish(t, job, job.State, how);
    }

    private Task<int> CancelWaiting(DbTransaction t, string job, IReadOnlyCollection<string> begun) =>
        t.Connection!.ExecuteAsync(
            $"UPDATE mask_job_items SET state = 'cancelled', finished_at = @at WHERE job_id = @job AND state = 'waiting' AND NOT ({t.Connection!.IsOneOf("orthanc_id", "@begun")})",
            new { job, begun = begun.ToArray(), at = Instant.ToText(time.GetUtcNow()) },
            t);

    private async Task<int> Finish(DbTransaction t, MaskJob job, MaskJobState from, MaskJobEvent? how = null)
    {
        var counts = (await t.Connection!.QueryAsync<CountRow>("SELECT job_id, state, COUNT(*) AS items FROM mask_job_items WHERE job_id = @Id GROUP BY job_id, state", new { job.Id }, t))
            .ToDictionary(c => c.State, c => c.Items);
        if (counts.ContainsKey("waiting"))
        {
            throw new InvalidOperationException($"Job {job.Id} has instances without an outcome.");
        }

        var (masked, failed, cancelled) = (counts.GetValueOrDefault("masked"), counts.GetValueOrDefault("failed"), counts.GetValueOrDefault("cancelled"));
        var state = After(from, how ?? (cancelled > 0 ? MaskJobEvent.FinishCancelled : failed > 0 ? MaskJobEvent.FinishWithFailures : MaskJobEvent.FinishAllMasked));
        var changed = await t.Connection!.ExecuteAsync(
            "UPDATE mask_jobs SET state = @state, finished_at = @at, node = NULL, lease_until = NULL WHERE id = @Id AND state = @before",
            new { job.Id, state = Word(state), before = Word(from), at = Instant.ToText(time.GetUtcNow()) },
            t);
        if (changed > 0)
        {
            await audit.Append(t, job.RestoresJobId is { } undone
                ? About(job, "restoreFinished") with { Details = new() { ["state"] = Word(state), ["maskJob"] = undone, ["restored"] = counts.GetValueOrDefault("restored"), ["failed"] = failed, ["cancelled"] = cancelled } }
                : About(job, "maskJobFinished") with { Details = new() { ["state"] = Word(state), ["masked"] = masked, ["failed"] = failed, ["cancelled"] = cancelled } });
            ServiceMeter.CountJob(Word(state));
        }

        return changed;
    }

    // Start-time fair queueing: a user's jobs follow each other on the user's own count of frames; one who has none waiting starts where the queue is.
    public static async Task<long> TurnOf(DbTransaction t, MaskJob job)
    {
        var of = new { priority = Word(job.Priority), job.CreatedBySubject };
        var own = await t.Connection!.ExecuteScalarAsync<long?>(
            "SELECT MAX(turn_end) FROM mask_jobs WHERE created_by_subject = @CreatedBySubject AND priority = @priority AND state IN ('queued', 'running')", of, t);
        var queue = await t.Connection!.ExecuteScalarAsync<long?>("SELECT MIN(turn_start) FROM mask_jobs WHERE state = 'queued' AND priority = @priority", of, t)
            ?? await t.Connection!.ExecuteScalarAsync<long?>("SELECT MAX(turn_start) FROM mask_jobs WHERE state = 'running' AND priority = @priority", of, t);
        return Math.Max(own ?? 0, queue ?? 0);
    }

    private static Task<int> Insert(DbTransaction t, string job, MaskJobItem[] items)
    {
        var parameters = new DynamicParameters(new { job });
        for (var i = 0; i < items.Length; i++)
        {
            parameters.AddDynamicParams(new Dictionary<string, object?>
            {
                [$"ordinal{i}"] = (long)items[i].Ordinal,
                [$"orthanc{i}"] = items[i].OrthancId,
                [$"series{i}"] = items[i].SeriesInstanceUid,
                [$"sop{i}"] = items[i].SopInstanceUid,
                [$"number{i}"] = (long?)items[i].InstanceNumber,
                [$"frames{i}"] = items[i].Frames,
                [$"masks{i}"] = items[i].Masks is { } masks ? JsonSerializer.Serialize(masks, StoreJson.Default.IReadOnlyListStoredMask) : null,
                [$"md5{i}"] = items[i].Md5,
            });
        }

        var rows = Enumerable.Range(0, items.Length).Select(i => $"(@job, @ordinal{i}, @orthanc{i}, @series{i}, @sop{i}, CAST(@number{i} AS BIGINT), @frames{i}, CAST(@masks{i} AS TEXT), CAST(@md5{i} AS TEXT), 'waiting')");
        return t.Connection!.ExecuteAsync(
            $"INSERT INTO mask_job_items (job_id, ordinal, orthanc_id, series_instance_uid, sop_instance_uid, instance_number, frames, masks, md5, state) VALUES {string.Join(',', rows)}",
            parameters,
            t);
    }

    private static Task<int> InsertFindings(DbTransaction t, string job, (string Finding, string OrthancId)[] findings)
    {
        var parameters = new DynamicParameters(new { job });
        for (var i = 0; i < findings.Length; i++)
        {
            parameters.AddDynamicParams(new Dictionary<string, object?> { [$"finding{i}"] = findings[i].Finding, [$"orthanc{i}"] = findings[i].OrthancId });
        }

        var rows = Enumerable.Range(0, findings.Length).Select(i => $"(@job, @finding{i}, @orthanc{i})");
        return t.Connection!.ExecuteAsync($"INSERT INTO mask_job_findings (job_id, finding_id, orthanc_id) VALUES {string.Join(',', rows)}", parameters, t);
    }

    // Images with the same masks are told together: a banner on 500 slices is one entry.
    private static JsonArray? OwnMasks(IReadOnlyList<MaskJobItem> items) =>
        items.All(i => i.Masks is null)
            ? null
            : new JsonArray([.. items.GroupBy(i => JsonSerializer.Serialize(i.Masks!, StoreJson.Default.IReadOnlyListStoredMask))
                .Select(g => new JsonObject { ["masks"] = JsonNode.Parse(g.Key), ["instances"] = g.Count() })]);

    private static Task<IdempotencyRow?> FindByKey(DbConnection connection, DbTransaction? transaction, string subject, string key) =>
        connection.QuerySingleOrDefaultAsync<IdempotencyRow>("SELECT job_id, request_sha256 FROM idempotency_keys WHERE subject = @subject AND key = @key", new { subject, key }, transaction);

    private static AuditEvent About(MaskJob job, string action) =>
        new(action, job.CreatedBySubject, job.CreatedByName) { JobId = job.Id, StudyInstanceUid = job.StudyInstanceUid };

    public static MaskJobState After(MaskJobState state, MaskJobEvent happened) =>
        state.Next(happened) ?? throw new InvalidOperationException($"A job that is {state} cannot {happened}.");

    public static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
