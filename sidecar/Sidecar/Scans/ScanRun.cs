namespace Sidecar.Scans;

// Stored types. The words of the enums are the words in the database.

internal enum ScanRunKind
{
    /// <summary>What comes in: one run, without end.</summary>
    Arrivals,

    /// <summary>What was in the archive before this service first saw it: one run, without end.</summary>
    Backlog,

    /// <summary>A person wants one study scanned again.</summary>
    Study,

    /// <summary>All of the archive, or what a query says.</summary>
    Bulk,
}

/// <summary>The lowest goes first.</summary>
internal enum ScanPriority
{
    Person,
    Arrivals,
    Bulk,
}

internal enum ScanRunState
{
    Running,
    Paused,
    Finished,
    Cancelled,
}

/// <summary>Something that asked for scans: what, when it may work, and how far it came.</summary>
internal sealed record ScanRun
{
    /// <summary>The id of the run for what comes in.</summary>
    public const string ArrivalsId = "arrivals";

    /// <summary>The id of the run for what was there before.</summary>
    public const string BacklogId = "backlog";

    public required string Id { get; init; }

    public required ScanRunKind Kind { get; init; }

    public required ScanRunState State { get; init; }

    public required ScanPriority Priority { get; init; }

    public string? StudyInstanceUid { get; init; }

    public required ScanQuery Query { get; init; }

    public string? ScheduleId { get; init; }

    public TimeWindow? Window { get; init; }

    /// <summary>Instances that may still be scanned; null: no limit.</summary>
    public long? Budget { get; init; }

    /// <summary>All studies of the archive are known to the run.</summary>
    public bool IsListed { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required string CreatedBySubject { get; init; }

    public required string CreatedByName { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public long Scanned { get; init; }

    public long Unscannable { get; init; }

    public long Findings { get; init; }

    /// <summary>It never ends, and cannot be cancelled.</summary>
    public bool IsStanding => Kind is ScanRunKind.Arrivals or ScanRunKind.Backlog;

    /// <summary>The run's next series may be scanned at this time.</summary>
    public bool MayWork(DateTimeOffset now) => State == ScanRunState.Running && Budget is null or > 0 && (Window?.Contains(now) ?? true);
}

internal enum ScanRunEvent
{
    Pause,
    Resume,
    Cancel,
    Finish,
}

internal static class ScanRunTransitions
{
    /// <summary>The state after <paramref name="happened"/>; null where that cannot happen in <paramref name="state"/>.</summary>
    public static ScanRunState? Next(this ScanRunState state, ScanRunEvent happened) => (state, happened) switch
    {
        (ScanRunState.Running or ScanRunState.Paused, ScanRunEvent.Pause) => ScanRunState.Paused,
        (ScanRunState.Running or ScanRunState.Paused, ScanRunEvent.Resume) => ScanRunState.Running,
        (ScanRunState.Running or ScanRunState.Paused, ScanRunEvent.Cancel) => ScanRunState.Cancelled,
        (ScanRunState.Running, ScanRunEvent.Finish) => ScanRunState.Finished,
        _ => null,
    };
}

/// <summary>Hours of the day in which a run may work, by the clock of a time zone. An end before the start is on the next day.</summary>
internal sealed record TimeWindow(TimeOnly Start, TimeOnly End, TimeZoneInfo Zone)
{
    public bool Contains(DateTimeOffset now)
    {
        var at = TimeOnly.FromTimeSpan(TimeZoneInfo.ConvertTime(now, Zone).TimeOfDay);
        return Start <= End ? at >= Start && at < End : at >= Start || at < End;
    }
}
