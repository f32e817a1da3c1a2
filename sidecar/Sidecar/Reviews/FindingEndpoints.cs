using System.ComponentModel;
using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.Reviews;

/// <summary>Findings over HTTP: those who mask and those who review read them; those who review decide.</summary>
internal static partial class FindingEndpoints
{
    public static void MapFindings(this WebApplication app)
    {
        var findings = app.MapGroup("/api/scan-findings").WithTags("ScanFindings").ProducesProblem(401).ProducesProblem(403);
        findings.MapGet("/", Read).WithName("getScanFindings").RequireAuthorization(PermissionOptions.MaskOrReviewPolicy).ProducesProblem(400)
            .WithSummary("What was found in a study, in groups of like images, with what was decided. Never the text itself.");
        findings.MapPost("/decisions", Decide).WithName("decideScanFindings").RequireAuthorization(PermissionOptions.ReviewPermission)
            .WithSummary("Accepts, dismisses or reopens findings, one by one or by cluster: all of the request or nothing.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Results<Ok<StudyFindings>, ProblemHttpResult>> Read([Description("Study Instance UID.")] string study, FindingReader reader, CancellationToken token) =>
        DicomUid().IsMatch(study) ? TypedResults.Ok(await reader.Read(study, token)) : NoStudy();

    private static async Task<Results<Ok<StudyFindings>, ProblemHttpResult>> Decide(DecisionRequest request, ClaimsPrincipal user, FindingDecisions decisions, CancellationToken token)
    {
        if (!DicomUid().IsMatch(request.Study))
        {
            return NoStudy();
        }

        var (findings, problem) = await decisions.Decide(request, user.Subject(), user.DisplayName(), token);
        return problem is null ? TypedResults.Ok(findings) : problem;
    }

    public static ProblemHttpResult NoStudy() => Problems.Of(400, "invalid-request", "Invalid request", "study must be a Study Instance UID.");

    /// <summary>PS3.5 9.1, without its rule on leading zeros, which real systems break.</summary>
    [GeneratedRegex(@"^[0-9][0-9.]{0,63}\z")]
    public static partial Regex DicomUid();
}
