using System.ComponentModel;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.Scans;

[Description("When a query is run again and again. While its run is under way, a further time only renews its budget.")]
internal sealed record ScanScheduleRequest(
    string Name,
    [property: Description("Five fields as in crontab (minute, hour, day, month, day of week), or six or seven as Quartz has them.")] string Cron,
    [property: Description("A name of the IANA time zone database, e.g. Europe/Berlin.")] string TimeZone,
    ScanQuery Query,
    [property: Description("Time of day (22:00) from which its run may work; with windowEnd.")] string? WindowStart = null,
    [property: Description("Time of day at which its run rests until the next start of the window; before windowStart: on the next day.")] string? WindowEnd = null,
    [property: Description("Images that it may scan each time; absent: no limit.")] long? MaxInstances = null,
    bool Enabled = true);

internal sealed record ScanScheduleView(
    string Id, string Name, string Cron, string TimeZone, ScanQuery Query, bool Enabled, string? WindowStart = null, string? WindowEnd = null, long? MaxInstances = null, DateTimeOffset? NextAt = null)
{
    public static ScanScheduleView Of(ScanSchedule s, DateTimeOffset now) =>
        new(s.Id, s.Name, s.Cron, s.TimeZone, ScanQuery.FromJson(s.Query), s.IsEnabled != 0, s.WindowStart, s.WindowEnd, s.MaxInstances, s.NextAfter(now));
}

internal sealed record ScanScheduleList(IReadOnlyList<ScanScheduleView> Schedules);

/// <summary>Schedules over HTTP.</summary>
internal static class ScanScheduleEndpoints
{
    private const int LongestName = 100;

    public static void MapScanSchedules(this WebApplication app)
    {
        var schedules = app.MapGroup("/api/scan-schedules").WithTags("Scans").RequireAuthorization(p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.AdministerPermission))
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden);
        schedules.MapGet("/", List).WithName("listScanSchedules");
        schedules.MapPost("/", Create).WithName("createScanSchedule").AddEndpointFilter<RefusalAudit>().ProducesProblem(400);
        schedules.MapPut("/{id}", Change).WithName("changeScanSchedule").WithSummary("Replaces the schedule. A run that is under way goes on as it was begun.").AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404);
        schedules.MapDelete("/{id}", Delete).WithName("deleteScanSchedule").WithSummary("Removes the schedule. A run that is under way goes on; it can be cancelled.").AddEndpointFilter<RefusalAudit>().ProducesProblem(404);
    }

    private static async Task<Ok<ScanScheduleList>> List(ScanScheduleStore store, TimeProvider time, CancellationToken token) =>
        TypedResults.Ok(new ScanScheduleList([.. (await store.List(token)).Select(s => ScanScheduleView.Of(s, time.GetUtcNow()))]));

    private static async Task<Results<Created<ScanScheduleView>, ProblemHttpResult>> Create(ScanScheduleRequest request, ClaimsPrincipal user, ScanScheduleStore store, TimeProvider time, CancellationToken token)
    {
        if (FaultOf(request) is { } fault)
        {
            return Invalid(fault);
        }

        var schedule = ToSchedule(request, Guid.CreateVersion7(time.GetUtcNow()).ToString());
        await store.Create(schedule, user.Subject(), user.DisplayName(), token);
        return TypedResults.Created($"/api/scan-schedules/{schedule.Id}", ScanScheduleView.Of(schedule, time.GetUtcNow()));
    }

    private static async Task<Results<Ok<ScanScheduleView>, ProblemHttpResult>> Change(string id, ScanScheduleRequest request, ClaimsPrincipal user, ScanScheduleStore store, TimeProvider time, CancellationToken token)
    {
        if (FaultOf(request) is { } fault)
        {
            return Invalid(fault);
        }

        var schedule = ToSchedule(request, id);
        return await store.Change(schedule, user.Subject(), user.DisplayName(), token) ? TypedResults.Ok(ScanScheduleView.Of(schedule, time.GetUtcNow())) : NoSuchSchedule();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(string id, ClaimsPrincipal user, ScanScheduleStore store, CancellationToken token) =>
        await store.Find(id, token) is { } schedule && await store.Delete(schedule, user.Subject(), user.DisplayName(), token) ? TypedResults.NoContent() : NoSuchSchedule();

    private static string? FaultOf(ScanScheduleRequest request)
    {
        if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > LongestName)
        {
            return $"name must have 1 to {LongestName} characters.";
        }

        if (ScanSchedule.ParseCron(request.Cron) is null)
        {
            return "cron is not understood. Write minute, hour, day of month, month and day of week, e.g. \"0 22 * * *\" for every day at 22:00.";
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(request.TimeZone, out _))
        {
            return "timeZone is not known. Write a name as Europe/Berlin.";
        }

        if (request.WindowStart is null != request.WindowEnd is null || !IsTime(request.WindowStart) || !IsTime(request.WindowEnd) || (request.WindowStart is not null && request.WindowStart == request.WindowEnd))
        {
            return "windowStart and windowEnd are two different times of day as 22:00, or both absent.";
        }

        return request.MaxInstances is <= 0 ? "maxInstances must be positive." : request.Query.Fault();
    }

    private static bool IsTime(string? text) => text is null || TimeOnly.TryParseExact(text, "HH:mm", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.None, out _);

    private static ScanSchedule ToSchedule(ScanScheduleRequest request, string id) => new()
    {
        Id = id,
        Name = request.Name.Trim(),
        Cron = request.Cron,
        TimeZone = request.TimeZone,
        Query = request.Query.ToJson(),
        WindowStart = request.WindowStart,
        WindowEnd = request.WindowEnd,
        MaxInstances = request.MaxInstances,
        IsEnabled = request.Enabled ? 1 : 0,
    };

    private static ProblemHttpResult Invalid(string detail) => Problems.Of(400, "invalid-request", "Invalid request", detail);

    private static ProblemHttpResult NoSuchSchedule() => Problems.NotFound("There is no schedule with this id.");
}
