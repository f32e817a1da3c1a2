using System.Security.Cryptography;
using System.Text;
using Dapper;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>Makes the job that puts the kept originals of a finished mask job back. Needs no second person: it is for emergencies, and the permission is nobody's by default.</summary>
internal sealed class MaskJobRestoration(Database database, MaskJobStore store, MaskJobReader reader, MaskJobSignal signal, TimeProvider time)
{
    private const int LongestReason = 500;

    public async Task<CreateResult> Create(string id, string? reason, string key, string subject, string name, CancellationToken token)
    {
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > LongestReason)
        {
            return Refuse(400, "reason-missing", "Reason missing", $"Say in at most {LongestReason} characters why the originals are needed back; it is kept in the audit.");
        }

        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"restore {id} {reason}")));
        if (await store.FindByKey(subject, key, token) is { } earlier)
        {
            return await Answer(earlier, fingerprint, token);
        }

        var (row, items, isUnderWay) = await database.Read(
            async c => (
                await c.QuerySingleOrDefaultAsync<JobRow>($"SELECT {JobRow.Columns} FROM mask_jobs WHERE id = @id", new { id }),
                (await c.QueryAsync<ItemRow>(
                    """
                    SELECT i.* FROM mask_job_items i JOIN sealed_originals s ON s.job_id = i.job_id AND s.orthanc_id = i.orthanc_id
                    WHERE i.job_id = @id AND s.state = 'sealed' AND s.restorable_until > @now ORDER BY i.ordinal
                    """,
                    new { id, now = Instant.ToText(time.GetUtcNow()) })).AsList(),
                await c.ExecuteScalarAsync<string?>("SELECT id FROM mask_jobs WHERE restores_job_id = @id AND state IN ('queued', 'running') LIMIT 1", new { id }) is not null),
            token);
        if (row?.ToJob() is not { } masking)
        {
            return new CreateResult.Refused(Problems.NotFound("There is no mask job with this id."));
        }

        if (masking.FinishedAt is null || isUnderWay)
        {
            return Refuse(409, "job-running", "Not finished", "This masking, or an earlier restoring of it, is still under way. Wait for its end.");
        }

        if (items.Count == 0)
        {
            return Refuse(409, "nothing-to-restore", "Nothing to restore", "No original of this masking is kept: they were never kept, are restored already, or their time is over.");
        }

        var job = new MaskJob
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            RestoresJobId = id,
            StudyInstanceUid = masking.StudyInstanceUid,
            StudyOrthancId = masking.StudyOrthancId,
            State = MaskJobState.Queued,
            Scope = MaskScope.Images,
            Source = masking.Source,
            Regions = [],
            LeftOut = [],
            Reason = reason,
            CreatedAt = time.GetUtcNow(),
            CreatedBySubject = subject,
            CreatedByName = name,
        };
        var stored = await store.Create(job, [.. items.Select((item, ordinal) => item.ToItem() with { Ordinal = ordinal, Masks = null, Md5 = null, State = MaskJobItemState.Waiting, Reason = null })], key, fingerprint, token);
        signal.PulseWaiting();
        return await Answer(stored!, fingerprint, token);
    }

    private async Task<CreateResult> Answer(IdempotencyRow stored, string fingerprint, CancellationToken token) =>
        stored.RequestSha256 == fingerprint
            ? new CreateResult.Created((await reader.ReadView(stored.JobId, token))!)
            : Refuse(422, "idempotency-key-reused", "Idempotency-Key used before", "This Idempotency-Key was used for another request. Choose a new one for each restoring.");

    private static CreateResult.Refused Refuse(int status, string name, string title, string detail) => new(Problems.Of(status, name, title, detail));
}
