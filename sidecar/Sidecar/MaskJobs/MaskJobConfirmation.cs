using System.Data.Common;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>
/// The second person's word on a masking that waits for it. Confirmed, it is queued like any other; declined, it has ended and every image is as it was.
/// </summary>
internal sealed class MaskJobConfirmation(
    Database database, MaskJobStore store, MaskJobPlanner planner, AcceptedFindings accepted, AuditLog audit, MaskJobSignal signal, SafetyProbe probe, TimeProvider time)
{
    private const int LongestReason = 500;

    /// <summary>Queues the job, if its images and findings are still those that were approved. Null where that was done, else why not.</summary>
    public async Task<ProblemHttpResult?> Confirm(string id, string subject, string name, string? reason, CancellationToken token)
    {
        if (reason is { Length: > LongestReason })
        {
            return TooLong();
        }

        if (await Find(id, token) is not { } job)
        {
            return Problems.NotFound("There is no mask job with this id.");
        }

        if ((FaultOf(job, subject) ?? await FindChange(job, token)) is { } refused)
        {
            return refused;
        }

        try
        {
            await probe.EnsureSafe(token);
        }
        catch (UnsafeOrthancException e)
        {
            return Problems.Of(503, "orthanc-unsafe", "The image archive is not set up for masking", e.Message);
        }

        var problem = await database.Write(
            async t =>
            {
                await t.Lock($"findings {job.StudyInstanceUid}"); // against decisions and scans
                if (FaultOf((await MaskJobStore.Take(t, id))!, subject) is { } late)
                {
                    return late;
                }

                var findings = await t.Connection!.QueryAsync<string>("SELECT finding_id FROM mask_job_findings WHERE job_id = @id", new { id }, t);
                if (!await AcceptedFindings.AreStill(t, findings, id))
                {
                    return Problems.Of(409, "findings-changed", "Findings changed",
                        "Since this was approved, what was found on these images is judged otherwise or is there no more. Nothing was changed by this request. Decline it; what is accepted now can be approved again.");
                }

                var turn = await MaskJobStore.TurnOf(t, job);
                await Decide(t, job, MaskJobEvent.Confirm, subject, name, reason);
                await t.Connection!.ExecuteAsync("UPDATE mask_jobs SET turn_start = @turn, turn_end = @turn + frames WHERE id = @id", new { id, turn }, t);
                return null;
            },
            token);
        if (problem is null)
        {
            signal.PulseWaiting();
        }

        return problem;
    }

    /// <summary>Ends the job; nothing was changed. Null where that was done, else why not.</summary>
    public async Task<ProblemHttpResult?> Decline(string id, string subject, string name, string? reason, CancellationToken token)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return Problems.Of(400, "reason-missing", "Reason missing", "Say why this masking is declined; the person who approved it reads that.");
        }

        if (reason.Length > LongestReason)
        {
            return TooLong();
        }

        var problem = await database.Write(
            async t =>
            {
                if (await MaskJobStore.Take(t, id) is not { } job)
                {
                    return Problems.NotFound("There is no mask job with this id.");
                }

                if (FaultOf(job, subject) is { } refused)
                {
                    return refused;
                }

                await Decide(t, job, MaskJobEvent.Decline, subject, name, reason);
                await store.EndUntouched(t, job, MaskJobEvent.Decline);
                return null;
            },
            token);
        if (problem is null)
        {
            signal.Pulse();
        }

        return problem;
    }

    private Task<MaskJob?> Find(string id, CancellationToken token) =>
        database.Read(async c => (await c.QuerySingleOrDefaultAsync<JobRow>($"SELECT {JobRow.Columns} FROM mask_jobs WHERE id = @id", new { id }))?.ToJob(), token);

    private static ProblemHttpResult? FaultOf(MaskJob job, string subject) => job switch
    {
        _ when job.CreatedBySubject == subject => Problems.Of(403, "own-approval", "Approved by yourself",
            "You approved this masking yourself, so another person must confirm or decline it. You can cancel it."),
        { State: MaskJobState.AwaitingConfirmation } => null,
        { State: MaskJobState.Declined, Decision: { } declined } => Problems.Of(409, "job-decided", "Declined already", $"{declined.Name} has declined this masking already. Nothing was changed by this request."),
        { Decision: { } confirmed } => Problems.Of(409, "job-decided", "Confirmed already", $"{confirmed.Name} has confirmed this masking already. Nothing was changed by this request."),
        { State: MaskJobState.Cancelled } => Problems.Of(409, "job-cancelled", "Cancelled", $"{job.CancelledByName} has cancelled this masking. Nothing was changed by this request."),
        _ => Problems.Of(409, "job-not-awaiting", "Not waiting for a second person", "This masking was started without a second person; there is nothing to confirm or decline."),
    };

    // The images in scope, left out or not, are to be the very files of which the first person saw some. What was approved of findings knows the file of each image.
    private async Task<ProblemHttpResult?> FindChange(MaskJob job, CancellationToken token)
    {
        if (job.Scope == MaskScope.Images)
        {
            var items = await store.ListWaiting(job.Id, token);
            return await accepted.CountChanged([.. items.Select(i => (i.OrthancId, i.Md5 ?? ""))], token) > 0 ? ImagesChanged() : null;
        }

        var series = job.Scope == MaskScope.Study ? (await store.ListSeries(job.Id, token)).Union(job.LeftOut.Select(l => l.SeriesInstanceUid)).ToList() : null;
        return await planner.Plan(new MaskJobRequest(job.StudyInstanceUid, job.Source, job.Regions, job.Scope, series), token) switch
        {
            PlanResult.Planned planned => planned.Plan.ImagesVersion == job.ImagesVersion ? null : ImagesChanged(),
            PlanResult.Refused refused => refused.Problem,
            _ => throw new InvalidOperationException("A plan is made or refused."),
        };
    }

    // A declined job keeps its state here; ending it is the next statement of the same transaction.
    private async Task Decide(DbTransaction t, MaskJob job, MaskJobEvent said, string subject, string name, string? reason)
    {
        var why = string.IsNullOrWhiteSpace(reason) ? null : reason;
        var confirmed = said == MaskJobEvent.Confirm;
        await t.Connection!.ExecuteAsync(
            "UPDATE mask_jobs SET state = @state, decided_at = @at, decided_by_subject = @subject, decided_by_name = @name, decision_reason = CAST(@why AS TEXT) WHERE id = @Id",
            new { job.Id, state = MaskJobStore.Word(confirmed ? MaskJobStore.After(job.State, said) : job.State), at = Instant.ToText(time.GetUtcNow()), subject, name, why },
            t);
        await audit.Append(t, new AuditEvent(confirmed ? "maskJobConfirmed" : "maskJobDeclined", subject, name)
        {
            JobId = job.Id,
            StudyInstanceUid = job.StudyInstanceUid,
            Details = new() { ["reason"] = why, ["approvedBySubject"] = job.CreatedBySubject, ["approvedByName"] = job.CreatedByName },
        });
    }

    private static ProblemHttpResult ImagesChanged() => Problems.Of(409, "images-changed", "Images changed",
        "Since this was approved, images of it were added, removed, sent again or masked. Nothing was changed by this request. Decline it; it has to be approved again on the images as they are now.");

    private static ProblemHttpResult TooLong() => Problems.Of(400, "invalid-request", "Invalid request", $"reason must not be longer than {LongestReason} characters.");
}
