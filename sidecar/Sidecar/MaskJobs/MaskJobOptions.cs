using System.ComponentModel.DataAnnotations;

namespace Sidecar.MaskJobs;

/// <summary>How jobs are run. Section <c>MaskJobs</c>.</summary>
internal sealed record MaskJobOptions
{
    /// <summary>Jobs at work at once, each on another study; a study never has two.</summary>
    [Range(1, 32, ErrorMessage = "MaskJobs:ConcurrentJobs must be 1 to 32.")]
    public int ConcurrentJobs { get; init; } = 2;

    /// <summary>How long a job waits for an Orthanc that does not answer before its untouched images fail. Images already being stored wait without end.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ErrorMessage = "MaskJobs:OrthancPatience must be between one second and seven days.")]
    public TimeSpan OrthancPatience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Pause before Orthanc is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "MaskJobs:RetryPause must be between 10 milliseconds and one hour.")]
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(5);
}
