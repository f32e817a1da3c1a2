using System.Globalization;
using Quartz;

namespace Sidecar.Scans;

/// <summary>When a query is run again and again.</summary>
internal sealed record ScanSchedule
{
    public const string Columns = "id, name, cron, time_zone, query, window_start, window_end, max_instances, is_enabled";

    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Cron { get; init; } = "";

    public string TimeZone { get; init; } = "";

    /// <summary>As JSON.</summary>
    public string Query { get; init; } = "";

    public string? WindowStart { get; init; }

    public string? WindowEnd { get; init; }

    public long? MaxInstances { get; init; }

    public long IsEnabled { get; init; }

    public TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    public TimeWindow? Window => WindowStart is null ? null : new TimeWindow(TimeText.Parse(WindowStart), TimeText.Parse(WindowEnd!), Zone);

    /// <summary>Null where the text is no cron expression: five fields as crontab has them, or six or seven as Quartz has them.</summary>
    public static CronExpression? ParseCron(string text) =>
        CronExpression.TryParse(text, text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 5 ? CronFormat.Unix : CronFormat.Quartz, out var cron) ? cron : null;

    public DateTimeOffset? NextAfter(DateTimeOffset now) => IsEnabled == 0 ? null : ParseCron(Cron)?.WithTimeZone(Zone).GetNextValidTimeAfter(now);

    /// <summary>The run that the schedule makes when it fires. Fired twice for the same time, it is the same run.</summary>
    public ScanRun ToRun(DateTimeOffset due, DateTimeOffset now) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"{Id}-{due.UtcDateTime:yyyyMMddTHHmmss}"),
        Kind = ScanRunKind.Bulk,
        State = ScanRunState.Running,
        Priority = ScanPriority.Bulk,
        Query = ScanQuery.FromJson(Query),
        ScheduleId = Id,
        Window = Window,
        Budget = MaxInstances,
        CreatedAt = now,
        CreatedBySubject = Audit.ServiceAudit.Service,
        CreatedByName = Name,
    };
}
