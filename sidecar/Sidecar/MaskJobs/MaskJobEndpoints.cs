using System.ComponentModel;
using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.MaskJobs;

/// <summary>Masking over HTTP: look first (preview), ask (create), follow (read, list, events).</summary>
internal static partial class MaskJobEndpoints
{
    private const int LongestKey = 128;

    public static void MapMaskJobs(this WebApplication app)
    {
        var all = app.MapGroup("/api/mask-jobs").WithTags("MaskJobs").ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden);
        var jobs = all.MapGroup("").RequireAuthorization(PermissionOptions.MaskPermission);
        var known = all.MapGroup("").RequireAuthorization(PermissionOptions.JobsPolicy);
        var second = all.MapGroup("").RequireAuthorization(PermissionOptions.ConfirmPermission);
        jobs.MapPost("/preview", Preview).WithName("previewMaskJob").WithSummary("Says what a job would change and what it would leave out.")
            .ProducesProblem(400).ProducesProblem(409).ProducesProblem(503);
        jobs.MapPost("/", Create).WithName("createMaskJob").WithSummary("Starts a job. It overwrites the originals and cannot be undone. Where the service asks for a second person (MaskJobs:TwoPersonApproval), it waits until that one confirms it.")
            .AddEndpointFilter<RefusalAudit>()
            .ProducesProblem(400).ProducesProblem(409).ProducesProblem(422).ProducesProblem(503);
        known.MapGet("/{id}", Read).WithName("getMaskJob").ProducesProblem(404);
        known.MapGet("/", List).WithName("listMaskJobs").ProducesProblem(400);
        jobs.MapPost("/{id}/cancel", Cancel).WithName("cancelMaskJob")
            .WithSummary("Starts no further image of a job. Images already begun are brought to their end; those already masked stay masked.").AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
        known.MapGet("/{id}/events", Events).WithName("streamMaskJob")
            .WithSummary("Server-sent events named progress, each with a MaskJobView; the last one has a final state.")
            .Produces<MaskJobView>(200, "text/event-stream").ProducesProblem(404);
        second.MapGet("/awaiting-confirmation", ListAwaiting).WithName("listAwaitingMaskJobs").WithSummary("The jobs of all studies that wait for a second person.").ProducesProblem(400);
        second.MapPost("/{id}/confirm", Confirm).WithName("confirmMaskJob")
            .WithSummary("Lets a job begin that another person approved. Refused (403, own-approval) for whoever approved it, and (409, images-changed) when its images are others by now.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
        second.MapPost("/{id}/decline", Decline).WithName("declineMaskJob").WithSummary("Ends a job that another person approved, with a reason; nothing is changed.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        all.MapPost("/{id}/restore", Restore).WithName("restoreMaskJob").RequireAuthorization(PermissionOptions.RestorePermission)
            .WithSummary("Starts a job that puts the originals of a finished mask job back, where they are still kept (MaskJobs:UndoDays). Only over exactly the images that were stored then; the reason is in the audit.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        app.MapPost("/api/scan-findings/apply", Apply).WithName("applyScanFindings").WithTags("ScanFindings").RequireAuthorization(PermissionOptions.MaskPermission)
            .WithSummary("Starts one job over all accepted findings of a study that are not masked yet, each image with masks of its own. Refused (409, images-changed) when an image is another one than was scanned.")
            .AddEndpointFilter<RefusalAudit>()
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(409).ProducesProblem(422).ProducesProblem(503);
    }

    private static async Task<Results<Ok<MaskJobPreview>, ProblemHttpResult>> Preview(MaskJobRequest request, MaskJobPlanner planner, CancellationToken token) =>
        await planner.Plan(request, token) switch
        {
            PlanResult.Planned planned => TypedResults.Ok(planned.Plan.ToPreview()),
            PlanResult.Refused refused => refused.Problem,
            _ => throw new InvalidOperationException("A plan is made or refused."),
        };

    private static async Task<Results<Accepted<MaskJobView>, ProblemHttpResult>> Create(
        MaskJobRequest request,
        [FromHeader(Name = "Idempotency-Key"), Description("Chosen by the caller, at most 128 characters. The same key with the same request gives the same job.")] string? idempotencyKey,
        ClaimsPrincipal user,
        MaskJobCreation creation,
        CancellationToken token) =>
        await Submit(idempotencyKey, key => creation.Create(request, key, user.Subject(), user.DisplayName(), token));

    private static async Task<Results<Accepted<MaskJobView>, ProblemHttpResult>> Apply(
        ApplyFindingsRequest request,
        [FromHeader(Name = "Idempotency-Key"), Description("Chosen by the caller, at most 128 characters. The same key with the same request gives the same job.")] string? idempotencyKey,
        ClaimsPrincipal user,
        MaskJobCreation creation,
        CancellationToken token) =>
        await Submit(idempotencyKey, key => creation.CreateFromFindings(request, key, user.Subject(), user.DisplayName(), token));

    private static async Task<Results<Accepted<MaskJobView>, ProblemHttpResult>> Submit(string? idempotencyKey, Func<string, Task<CreateResult>> create)
    {
        if (string.IsNullOrWhiteSpace(idempotencyKey) || idempotencyKey.Length > LongestKey)
        {
            return Problems.Of(400, "idempotency-key", "Idempotency-Key missing", $"Send a header Idempotency-Key of 1 to {LongestKey} characters, new for each masking.");
        }

        return await create(idempotencyKey) switch
        {
            CreateResult.Created created => TypedResults.Accepted($"/api/mask-jobs/{created.Job.Id}", created.Job),
            CreateResult.Refused refused => refused.Problem,
            _ => throw new InvalidOperationException("A job is created or refused."),
        };
    }

    private static async Task<Results<Ok<MaskJobView>, ProblemHttpResult>> Read(string id, MaskJobReader reader, CancellationToken token) =>
        await reader.ReadView(id, token) is { } view ? TypedResults.Ok(view) : NoSuchJob();

    private static async Task<Results<Ok<MaskJobList>, ProblemHttpResult>> List(
        string study, MaskJobReader reader, CancellationToken token, [FromQuery, Description("Older jobs than this one: next of the list before.")] string? before = null) =>
        !DicomUid().IsMatch(study) ? Problems.Of(400, "invalid-request", "Invalid request", "study must be a Study Instance UID.")
        : await reader.ListOfStudy(study, before, token) is { } list ? TypedResults.Ok(list)
        : Problems.Of(400, "invalid-request", "Invalid request", "before must be next of a list of the same study.");

    private static async Task<Results<Ok<MaskJobView>, ProblemHttpResult>> Cancel(
        string id, ClaimsPrincipal user, MaskJobStore store, MaskJobReader reader, MaskJobsAtWork atWork, MaskJobSignal signal, CancellationToken token)
    {
        switch (await store.Cancel(id, user.Subject(), user.DisplayName(), token))
        {
            case null:
                return NoSuchJob();
            case false:
                return Problems.Of(409, "job-finished", "Job finished", "This masking has ended already; there is nothing left to cancel.");
        }

        atWork.RequestCancel(id);
        signal.Pulse();
        return TypedResults.Ok((await reader.ReadView(id, token))!);
    }

    private static async Task<Results<Ok<MaskJobList>, ProblemHttpResult>> ListAwaiting(
        MaskJobReader reader, CancellationToken token, [FromQuery, Description("Jobs that wait for less long than this one: next of the list before.")] string? after = null) =>
        await reader.ListAwaiting(after, token) is { } list ? TypedResults.Ok(list) : Problems.Of(400, "invalid-request", "Invalid request", "after must be next of a list of jobs that wait.");

    private static async Task<Results<Ok<MaskJobView>, ProblemHttpResult>> Confirm(
        string id, MaskJobDecision decision, ClaimsPrincipal user, MaskJobConfirmation confirmation, MaskJobReader reader, CancellationToken token) =>
        await confirmation.Confirm(id, user.Subject(), user.DisplayName(), decision.Reason, token) is { } refused ? refused : TypedResults.Ok((await reader.ReadView(id, token))!);

    private static async Task<Results<Ok<MaskJobView>, ProblemHttpResult>> Decline(
        string id, MaskJobDecision decision, ClaimsPrincipal user, MaskJobConfirmation confirmation, MaskJobReader reader, CancellationToken token) =>
        await confirmation.Decline(id, user.Subject(), user.DisplayName(), decision.Reason, token) is { } refused ? refused : TypedResults.Ok((await reader.ReadView(id, token))!);

    private static async Task<Results<Accepted<MaskJobView>, ProblemHttpResult>> Restore(
        string id,
        RestoreRequest request,
        [FromHeader(Name = "Idempotency-Key"), Description("Chosen by the caller, at most 128 characters. The same key with the same request gives the same job.")] string? idempotencyKey,
        ClaimsPrincipal user,
        MaskJobRestoration restoration,
        CancellationToken token) =>
        await Submit(idempotencyKey, key => restoration.Create(id, request.Reason, key, user.Subject(), user.DisplayName(), token));

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> Events(string id, HttpContext context, MaskJobEvents events, CancellationToken token) =>
        await events.Stream(id, context.Response, token) ? TypedResults.Empty : NoSuchJob();

    private static ProblemHttpResult NoSuchJob() => Problems.NotFound("There is no mask job with this id.");

    /// <summary>PS3.5 9.1, without its rule on leading zeros, which real systems break.</summary>
    [GeneratedRegex(@"^[0-9][0-9.]{0,63}\z")]
    public static partial Regex DicomUid();
}
