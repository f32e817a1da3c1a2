using System.ComponentModel.DataAnnotations;

namespace Sidecar.Orthanc;

/// <summary>How changes in Orthanc are noticed. Section <c>Discovery</c>.</summary>
internal sealed record DiscoveryOptions
{
    /// <summary>Off: nothing is noticed; neither are new studies scanned nor originals that are sent again masked.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Pause between two looks at Orthanc's list of changes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00", ErrorMessage = "Discovery:PollPause must be between 50 milliseconds and one hour.")]
    public TimeSpan PollPause { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A file that <c>orthanc-config/wake-sidecar.lua</c> writes into in Orthanc when a study came to rest, which ends the pause; null: none.</summary>
    public string? WakeFile { get; init; }

    /// <summary>How often all studies are compared with what is known of them, to find what the list of changes lost. Also done at each start.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ErrorMessage = "Discovery:ReconcileEvery must be between one second and 30 days.")]
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromHours(6);

    /// <summary>How long a study waits that cannot be judged yet: it still comes in, is being masked, or Orthanc does not deliver it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00", ErrorMessage = "Discovery:RetryPause must be between 50 milliseconds and one hour.")]
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(5);
}
