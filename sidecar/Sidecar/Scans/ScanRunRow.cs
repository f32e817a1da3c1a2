using System.Globalization;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>A row of <c>scan_runs</c> as it is read. Words and texts become types here.</summary>
internal sealed record ScanRunRow
{
    public const string Columns =
        "id, kind, state, priority, study_instance_uid, query, schedule_id, window_start, window_end, time_zone, budget, is_listed, created_at, created_by_subject, created_by_name, finished_at, scanned, unscannable, findings";

    public string Id { get; init; } = "";

    public string Kind { get; init; } = "";

    public string State { get; init; } = "";

    public long Priority { get; init; }

    public string? StudyInstanceUid { get; init; }

    public string Query { get; init; } = "";

    public string? ScheduleId { get; init; }

    public string? WindowStart { get; init; }

    public string? WindowEnd { get; init; }

    public string? TimeZone { get; init; }

    public long? Budget { get; init; }

    public long IsListed { get; init; }

    public string CreatedAt { get; init; } = "";

    public string CreatedBySubject { get; init; } = "";

    public string CreatedByName { get; init; } = "";

    public string? FinishedAt { get; init; }

    public long Scanned { get; init; }

    public long Unscannable { get; init; }

    public long Findings { get; init; }

    public ScanRun ToRun() => new()
    {
        Id = Id,
        Kind = Enum.Parse<ScanRunKind>(Kind, ignoreCase: true),
        State = Enum.Parse<ScanRunState>(State, ignoreCase: true),
        Priority = (ScanPriority)Priority,
        StudyInstanceUid = StudyInstanceUid,
        Query = ScanQuery.FromJson(Query),
        ScheduleId = ScheduleId,
        Window = WindowStart is null ? null : new TimeWindow(TimeText.Parse(WindowStart), TimeText.Parse(WindowEnd!), TimeZoneInfo.FindSystemTimeZoneById(TimeZone!)),
        Budget = Budget,
        IsListed = IsListed != 0,
        CreatedAt = Instant.FromText(CreatedAt),
        CreatedBySubject = CreatedBySubject,
        CreatedByName = CreatedByName,
        FinishedAt = FinishedAt is null ? null : Instant.FromText(FinishedAt),
        Scanned = Scanned,
        Unscannable = Unscannable,
        Findings = Findings,
    };
}

/// <summary>Times of day in the database: 22:30.</summary>
internal static class TimeText
{
    private const string Format = "HH:mm";

    public static string Of(TimeOnly time) => time.ToString(Format, CultureInfo.InvariantCulture);

    public static TimeOnly Parse(string text) => TimeOnly.ParseExact(text, Format, CultureInfo.InvariantCulture);
}
