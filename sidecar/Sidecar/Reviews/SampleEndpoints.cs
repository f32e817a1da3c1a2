using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.Reviews;

/// <summary>Blind samples for those who review, and the figures for all who answer for them.</summary>
internal static class SampleEndpoints
{
    private const int MostDays = 366;

    public static void MapSamples(this WebApplication app)
    {
        var samples = app.MapGroup("/api/samples").WithTags("Samples").RequireAuthorization(PermissionOptions.ReviewPermission).ProducesProblem(401).ProducesProblem(403);
        samples.MapGet("/next", Next).WithName("getNextSample").WithSummary("A random image for the caller to look at; the same one until it is answered. 204 where there is none.");
        samples.MapPost("/{id}", Answer).WithName("answerSample").WithSummary("Where there is text, the study cannot be finalized until the image is masked, and is opened again where it was.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
        samples.MapPut("/{id}", Correct).WithName("correctSample")
            .WithSummary("Takes back the caller's own answer and gives the other one. Refused (409, images-changed) when the image is another one by now.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
        app.MapGet("/api/dashboard", ReadDashboard).WithName("getDashboard").WithTags("Dashboard").RequireAuthorization(PermissionOptions.DashboardPolicy)
            .WithSummary("How much was found where, how much may have been missed, and how far scans and reviews are.").ProducesProblem(400).ProducesProblem(401).ProducesProblem(403);
    }

    private static async Task<Results<Ok<Sample>, NoContent>> Next(ClaimsPrincipal user, SampleStore store, CancellationToken token) =>
        await store.Next(user.Subject(), user.DisplayName(), token) is { } sample ? TypedResults.Ok(sample) : TypedResults.NoContent();

    private static async Task<Results<NoContent, ProblemHttpResult>> Answer(string id, SampleAnswer answer, ClaimsPrincipal user, SampleStore store, CancellationToken token) =>
        await store.Answer(id, answer.HasText, user.Subject(), user.DisplayName(), token) is { } problem ? problem : TypedResults.NoContent();

    private static async Task<Results<NoContent, ProblemHttpResult>> Correct(string id, SampleAnswer answer, ClaimsPrincipal user, SampleStore store, CancellationToken token) =>
        await store.Correct(id, answer.HasText, user.Subject(), user.DisplayName(), token) is { } problem ? problem : TypedResults.NoContent();

    private static async Task<Results<Ok<Dashboard>, ProblemHttpResult>> ReadDashboard(
        [FromQuery, Description("Findings and throughput over so many days, 1 to 366; 30 without it.")] int? days, DashboardReader reader, CancellationToken token) =>
        days is null or (>= 1 and <= MostDays)
            ? TypedResults.Ok(await reader.Read(days ?? 30, token))
            : Problems.Of(400, "invalid-request", "Invalid request", $"days must be 1 to {MostDays}.");
}
