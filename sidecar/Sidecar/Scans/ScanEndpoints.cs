using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.Orthanc;

namespace Sidecar.Scans;

/// <summary>Scan runs over HTTP: ask for one, see how far they are, stop and go on.</summary>
internal static partial class ScanEndpoints
{
    private const int MostRuns = 100;

    public static void MapScans(this WebApplication app)
    {
        var scans = app.MapGroup("/api/scans").WithTags("Scans")
            .RequireAuthorization(p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.ReviewPermission, PermissionOptions.AdministerPermission))
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden);
        scans.MapPost("/", Create).WithName("createScan").WithSummary("Scans one study again (permission review), or what a query says of the whole archive (permission administer).")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(503);
        scans.MapGet("/", List).WithName("listScans");
        scans.MapGet("/{id}", Read).WithName("getScan").ProducesProblem(404);

        var steering = app.MapGroup("/api/scans/{id}").WithTags("Scans").RequireAuthorization(p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.AdministerPermission))
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(404).ProducesProblem(409);
        steering.MapPost("/pause", (string id, ClaimsPrincipal user, ScanRunStore runs, ScanSignal signal, TimeProvider time, CancellationToken token) => Apply(id, ScanRunEvent.Pause, user, runs, signal, time, token))
            .WithName("pauseScan").WithSummary("Begins no further series of the run. The series under way is brought to its end.");
        steering.MapPost("/resume", (string id, ClaimsPrincipal user, ScanRunStore runs, ScanSignal signal, TimeProvider time, CancellationToken token) => Apply(id, ScanRunEvent.Resume, user, runs, signal, time, token))
            .WithName("resumeScan").WithSummary("Goes on where the run was.");
        steering.MapPost("/cancel", (string id, ClaimsPrincipal user, ScanRunStore runs, ScanSignal signal, TimeProvider time, CancellationToken token) => Apply(id, ScanRunEvent.Cancel, user, runs, signal, time, token))
            .WithName("cancelScan").WithSummary("Ends the run. What it found stays.");
    }

    private static async Task<Results<Accepted<ScanRunView>, ProblemHttpResult>> Create(
        ScanRequest request, ClaimsPrincipal user, ScanRunStore runs, StudyReader studies, ScanSignal signal, TimeProvider time, CancellationToken token)
    {
        if (request.Study is null == request.Query is null)
        {
            return Invalid("Give study or query, one of the two.");
        }

        if (request.Study is { } uid && !DicomUid().IsMatch(uid))
        {
            return Invalid("study must be a Study Instance UID.");
        }

        if (request.Query?.Fault() is { } fault)
        {
            return Invalid(fault);
        }

        if (request.Priority is { } wanted && (!Enum.IsDefined(wanted) || (request.Query is not null && wanted != ScanRequestPriority.Bulk)))
        {
            return Invalid("priority must be person or bulk; a query is always bulk.");
        }

        var needed = request.Study is null ? PermissionOptions.AdministerPermission : PermissionOptions.ReviewPermission;
        if (!user.HasClaim(BearerTokens.PermissionClaim, needed) && !user.HasClaim(BearerTokens.PermissionClaim, PermissionOptions.AdministerPermission))
        {
            return Problems.Forbidden();
        }

        if (request.Study is not null && (await studies.FindStudies(request.Study, token)).Count == 0)
        {
            return Problems.NotFound("This study is not in the image archive (any more).");
        }

        var run = new ScanRun
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            Kind = request.Study is null ? ScanRunKind.Bulk : ScanRunKind.Study,
            State = ScanRunState.Running,
            Priority = request.Study is null || request.Priority == ScanRequestPriority.Bulk ? ScanPriority.Bulk : ScanPriority.Person,
            StudyInstanceUid = request.Study,
            Query = request.Query ?? new ScanQuery(),
            CreatedAt = time.GetUtcNow(),
            CreatedBySubject = user.Subject(),
            CreatedByName = user.DisplayName(),
        };
        await runs.Create(run, token);
        signal.Pulse();
        return TypedResults.Accepted($"/api/scans/{run.Id}", await ViewOf(run, runs, time, token));
    }

    private static async Task<Ok<ScanRunList>> List(ScanRunStore runs, TimeProvider time, CancellationToken token)
    {
        var found = await runs.ListNewest(MostRuns, token);
        var left = await runs.ReadBacklogs([.. found.Select(r => r.Id)], token);
        return TypedResults.Ok(new ScanRunList([.. found.Select(r => ScanRunView.Of(r, left.GetValueOrDefault(r.Id), time.GetUtcNow()))]));
    }

    private static async Task<Results<Ok<ScanRunView>, ProblemHttpResult>> Read(string id, ScanRunStore runs, TimeProvider time, CancellationToken token) =>
        await runs.Find(id, token) is { } run ? TypedResults.Ok(await ViewOf(run, runs, time, token)) : NoSuchRun();

    private static async Task<Results<Ok<ScanRunView>, ProblemHttpResult>> Apply(string id, ScanRunEvent happened, ClaimsPrincipal user, ScanRunStore runs, ScanSignal signal, TimeProvider time, CancellationToken token)
    {
        if (await runs.Find(id, token) is null)
        {
            return NoSuchRun();
        }

        if (await runs.Apply(id, happened, user.Subject(), user.DisplayName(), token) is not { } run)
        {
            return Problems.Of(409, "scan-ended", "Not possible any more", "This run has ended, or it is one of the two that never end and can only be paused.");
        }

        signal.Pulse();
        return TypedResults.Ok(await ViewOf(run, runs, time, token));
    }

    private static async Task<ScanRunView> ViewOf(ScanRun run, ScanRunStore runs, TimeProvider time, CancellationToken token) =>
        ScanRunView.Of(run, (await runs.ReadBacklogs([run.Id], token)).GetValueOrDefault(run.Id), time.GetUtcNow());

    private static ProblemHttpResult Invalid(string detail) => Problems.Of(400, "invalid-request", "Invalid request", detail);

    private static ProblemHttpResult NoSuchRun() => Problems.NotFound("There is no scan with this id.");

    /// <summary>PS3.5 9.1, without its rule on leading zeros, which real systems break.</summary>
    [GeneratedRegex(@"^[0-9][0-9.]{0,63}\z")]
    private static partial Regex DicomUid();
}
