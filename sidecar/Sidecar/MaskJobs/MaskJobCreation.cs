using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Sidecar.Http;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

internal abstract record CreateResult
{
    private CreateResult()
    {
    }

    public sealed record Created(MaskJobView Job) : CreateResult;

    public sealed record Refused(ProblemHttpResult Problem) : CreateResult;
}

/// <summary>Turns a request into a stored job, once for each idempotency key, and wakes the runner.</summary>
internal sealed class MaskJobCreation(MaskJobPlanner planner, AcceptedFindings accepted, MaskJobStore store, MaskJobReader reader, MaskJobSignal signal, SafetyProbe probe, IOptions<MaskJobOptions> options, TimeProvider time)
{
    public async Task<CreateResult> Create(MaskJobRequest request, string key, string subject, string name, CancellationToken token)
    {
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, MaskJobJson.Default.MaskJobRequest)));
        if (await store.FindByKey(subject, key, token) is { } earlier)
        {
            return await Answer(earlier, fingerprint, token);
        }

        var planned = await planner.Plan(request, token);
        if (planned is PlanResult.Refused refused)
        {
            return new CreateResult.Refused(refused.Problem);
        }

        var plan = ((PlanResult.Planned)planned).Plan;
        if (request.ImagesVersion is { } seen && seen != plan.ImagesVersion)
        {
            return Refuse(409, "images-changed", "Images changed",
                "Since you looked, images of your choice were added, removed, sent again or masked. Nothing was changed by this request. Look at the images again, and approve again.");
        }

        if (plan.Instances.Count == 0)
        {
            return Refuse(400, "nothing-to-mask", "Nothing to mask", $"None of the chosen images can be masked. {(plan.LeftOut.Count > 0 ? plan.LeftOut[0].Message : "")}".TrimEnd());
        }

        var job = new MaskJob
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            StudyInstanceUid = request.StudyInstanceUid,
            StudyOrthancId = plan.Study.Value,
            State = FirstState,
            Scope = request.Scope,
            Priority = request.Priority,
            Source = request.Source,
            Regions = plan.Regions,
            LeftOut = plan.LeftOut,
            Reason = string.IsNullOrWhiteSpace(request.Reason) ? null : request.Reason,
            CreatedAt = time.GetUtcNow(),
            CreatedBySubject = subject,
            CreatedByName = name,
            ImagesVersion = plan.ImagesVersion,
        };
        var items = plan.Instances.Select((instance, ordinal) => new MaskJobItem
        {
            Ordinal = ordinal,
            OrthancId = instance.Id.Value,
            SeriesInstanceUid = instance.SeriesInstanceUid,
            SopInstanceUid = instance.SopInstanceUid,
            InstanceNumber = instance.InstanceNumber,
            Frames = instance.NumberOfFrames,
        });
        return await Store(job, [.. items], key, fingerprint, token);
    }

    /// <summary>One job over all accepted findings of a study that are not masked yet, each image with masks of its own.</summary>
    public async Task<CreateResult> CreateFromFindings(ApplyFindingsRequest request, string key, string subject, string name, CancellationToken token)
    {
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, MaskJobJson.Default.ApplyFindingsRequest)));
        if (await store.FindByKey(subject, key, token) is { } earlier)
        {
            return await Answer(earlier, fingerprint, token);
        }

        switch (await accepted.Plan(request, token))
        {
            case AcceptedResult.Refused refused:
                return new CreateResult.Refused(refused.Problem);
            case AcceptedResult.Planned planned:
                var job = new MaskJob
                {
                    Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
                    StudyInstanceUid = request.Study,
                    StudyOrthancId = planned.Study.Value,
                    State = FirstState,
                    Scope = MaskScope.Images,
                    Source = new SourceImage(planned.Items[0].SeriesInstanceUid, planned.Items[0].SopInstanceUid),
                    Regions = [],
                    LeftOut = [],
                    Reason = string.IsNullOrWhiteSpace(request.Reason) ? null : request.Reason,
                    CreatedAt = time.GetUtcNow(),
                    CreatedBySubject = subject,
                    CreatedByName = name,
                };
                return await Store(job, planned.Items, key, fingerprint, token);
            default:
                throw new InvalidOperationException("A plan is made or refused.");
        }
    }

    // A job that the service makes itself masks again what people approved before; it is never asked for here.
    private MaskJobState FirstState => options.Value.TwoPersonApproval ? MaskJobState.AwaitingConfirmation : MaskJobState.Queued;

    private async Task<CreateResult> Store(MaskJob job, IReadOnlyList<MaskJobItem> items, string key, string fingerprint, CancellationToken token)
    {
        try
        {
            await probe.EnsureSafe(token);
        }
        catch (UnsafeOrthancException e)
        {
            return Refuse(503, "orthanc-unsafe", "The image archive is not set up for masking", e.Message);
        }

        if (await store.Create(job, items, key, fingerprint, token) is not { } stored)
        {
            return Refuse(409, "findings-changed", "Findings changed", "While this was asked for, somebody decided otherwise about a finding, or another job took it. Nothing was changed by this request. Look again.");
        }

        signal.PulseWaiting();
        return await Answer(stored, fingerprint, token);
    }

    private async Task<CreateResult> Answer(IdempotencyRow stored, string fingerprint, CancellationToken token) =>
        stored.RequestSha256 == fingerprint
            ? new CreateResult.Created((await reader.ReadView(stored.JobId, token))!)
            : Refuse(422, "idempotency-key-reused", "Idempotency-Key used before", "This Idempotency-Key was used for another request. Choose a new one for each masking.");

    private static CreateResult.Refused Refuse(int status, string name, string title, string detail) => new(Problems.Of(status, name, title, detail));
}
