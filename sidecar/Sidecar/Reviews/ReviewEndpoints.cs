using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.Reviews;

/// <summary>The filters of the work list, from the query.</summary>
internal sealed record ReviewQuery
{
    [FromQuery, Description("new, clean, findings, inReview or finalized.")]
    public string? State { get; init; }

    [FromQuery, Description("Modality of at least one image, for example US.")]
    public string? Modality { get; init; }

    [FromQuery, Description("StationName of at least one image.")]
    public string? Station { get; init; }

    [FromQuery, Description("Arrived from this time on, ISO 8601.")]
    public DateTimeOffset? From { get; init; }

    [FromQuery, Description("Arrived before this time.")]
    public DateTimeOffset? To { get; init; }

    [FromQuery, Description("oldest (without it), newest or risk.")]
    public string? Sort { get; init; }

    [FromQuery]
    public int? Offset { get; init; }

    [FromQuery, Description("1 to 200; 50 without it.")]
    public int? Limit { get; init; }
}

/// <summary>The work list over HTTP, for those who review.</summary>
internal static class ReviewEndpoints
{
    private const int LongestReason = 500;
    private const int MostListed = 200;

    public static void MapReviews(this WebApplication app)
    {
        var reviews = app.MapGroup("/api/reviews").WithTags("Reviews").RequireAuthorization(PermissionOptions.ReviewPermission)
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403);
        reviews.MapGet("/", List).WithName("listReviews").WithSummary("Studies to be reviewed, with counts of all states.");
        reviews.MapGet("/{study}", Read).WithName("getReview").ProducesProblem(404);
        reviews.MapPut("/{study}", Take).WithName("takeReview").WithSummary("The caller takes the study, also from somebody else.").AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
        reviews.MapPost("/{study}/finalize", FinalizeStudy).WithName("finalizeReview")
            .WithSummary("The caller says that the study is done. Every finding must be masked or dismissed, every image that could not be scanned acknowledged, and every image scanned as it is now.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
        reviews.MapPost("/{study}/reopen", Reopen).WithName("reopenReview").AddEndpointFilter<RefusalAudit>().ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Results<Ok<ReviewList>, ProblemHttpResult>> List([AsParameters] ReviewQuery query, ReviewReader reader, CancellationToken token)
    {
        var (offset, limit) = (query.Offset ?? 0, query.Limit ?? 50);
        if (offset < 0 || limit is < 1 or > MostListed)
        {
            return Invalid($"offset must be 0 or more, limit 1 to {MostListed}.");
        }

        var (state, sort) = ((ReviewState?)null, ReviewSort.Oldest);
        if (!string.IsNullOrEmpty(query.State))
        {
            if (Enum.GetValues<ReviewState>().Where(s => ReviewReader.Word(s) == query.State).Cast<ReviewState?>().FirstOrDefault() is not { } known)
            {
                return Invalid("state must be new, clean, findings, inReview or finalized.");
            }

            state = known;
        }

        if (!string.IsNullOrEmpty(query.Sort) && (query.Sort.Any(c => !char.IsAsciiLetterLower(c)) || !Enum.TryParse(query.Sort, ignoreCase: true, out sort)))
        {
            return Invalid("sort must be oldest, newest or risk.");
        }

        var filter = new ReviewFilter { State = state, Modality = Text(query.Modality), Station = Text(query.Station), From = query.From, To = query.To, Sort = sort };
        return TypedResults.Ok(await reader.List(filter, offset, limit, token));
    }

    private static async Task<Results<Ok<ReviewView>, ProblemHttpResult>> Read(string study, ReviewReader reader, CancellationToken token) =>
        await reader.Read(study, token) is { } view ? TypedResults.Ok(view) : Problems.NotFound("Nothing is known of this study: it was not scanned yet.");

    private static Task<Results<Ok<ReviewView>, ProblemHttpResult>> Take(string study, ReviewTake request, ClaimsPrincipal user, ReviewStore store, ReviewReader reader, CancellationToken token) =>
        request.State == ReviewState.InReview
            ? Answer(study, reader, store.Take(study, user.Subject(), user.DisplayName(), token), token)
            : Task.FromResult<Results<Ok<ReviewView>, ProblemHttpResult>>(Invalid("state must be inReview; the other states follow from what is done."));

    private static Task<Results<Ok<ReviewView>, ProblemHttpResult>> FinalizeStudy(string study, ReviewReason request, ClaimsPrincipal user, ReviewStore store, ReviewReader reader, CancellationToken token) =>
        request.Reason is { Length: > LongestReason }
            ? Task.FromResult<Results<Ok<ReviewView>, ProblemHttpResult>>(Invalid($"reason must not be longer than {LongestReason} characters."))
            : Answer(study, reader, store.FinalizeStudy(study, Text(request.Reason), user.Subject(), user.DisplayName(), token), token);

    private static Task<Results<Ok<ReviewView>, ProblemHttpResult>> Reopen(string study, ReviewReason request, ClaimsPrincipal user, ReviewStore store, ReviewReader reader, CancellationToken token) =>
        Text(request.Reason) is not { Length: <= LongestReason } reason
            ? Task.FromResult<Results<Ok<ReviewView>, ProblemHttpResult>>(Invalid($"Say why the study is opened again (reason, at most {LongestReason} characters)."))
            : Answer(study, reader, store.Reopen(study, reason, user.Subject(), user.DisplayName(), token), token);

    private static async Task<Results<Ok<ReviewView>, ProblemHttpResult>> Answer(string study, ReviewReader reader, Task<ProblemHttpResult?> change, CancellationToken token) =>
        await change is { } problem ? problem : TypedResults.Ok((await reader.Read(study, token))!);

    private static ProblemHttpResult Invalid(string detail) => Problems.Of(400, "invalid-request", "Invalid request", detail);

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
