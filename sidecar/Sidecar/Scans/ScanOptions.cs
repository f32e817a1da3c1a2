using System.ComponentModel.DataAnnotations;

namespace Sidecar.Scans;

/// <summary>How text is searched for in the archive. Section <c>Scans</c>.</summary>
internal sealed record ScanOptions
{
    /// <summary>Off: nothing is scanned, neither what comes in nor what a run asks for; runs wait, and schedules that fall due meanwhile are made up for once.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Series scanned at once on this sidecar. Bulk runs take only what people and arrivals leave.</summary>
    [Range(1, 16, ErrorMessage = "Scans:ConcurrentSeries must be 1 to 16.")]
    public int ConcurrentSeries { get; init; } = 1;

    /// <summary>Share of the time that bulk runs may work, in per cent; they pause for the rest.</summary>
    [Range(1, 100, ErrorMessage = "Scans:BulkCpuShare must be 1 to 100 (per cent).")]
    public int BulkCpuShare { get; init; } = 50;

    /// <summary>How long a sidecar may be silent before another takes over its series. It renews ten times as often.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00", ErrorMessage = "Scans:Lease must be between two seconds and ten minutes.")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause between two looks into the database for series to scan.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00", ErrorMessage = "Scans:LookPause must be between 10 milliseconds and one minute.")]
    public TimeSpan LookPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Pause before a series that could not be scanned is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "Scans:RetryPause must be between 10 milliseconds and one hour.")]
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Instances that one scan takes together; what is alike in them is looked at once, and their outcome is recorded together.</summary>
    [Range(1, 10_000, ErrorMessage = "Scans:InstancesAtOnce must be 1 to 10000.")]
    public int InstancesAtOnce { get; init; } = 500;
}
