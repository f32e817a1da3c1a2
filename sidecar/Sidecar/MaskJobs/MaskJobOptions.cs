using System.ComponentModel.DataAnnotations;

namespace Sidecar.MaskJobs;

/// <summary>How jobs are run. Section <c>MaskJobs</c>.</summary>
internal sealed record MaskJobOptions
{
    /// <summary>Jobs at work at once on this sidecar, each on another study. Jobs that people wait for are counted without the bulk jobs, which take only what is left.</summary>
    [Range(1, 32, ErrorMessage = "MaskJobs:ConcurrentJobs must be 1 to 32.")]
    public int ConcurrentJobs { get; init; } = 4;

    /// <summary>How long a sidecar may be silent before another takes over its jobs. It renews ten times as often.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00", ErrorMessage = "MaskJobs:Lease must be between two seconds and ten minutes.")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause between two looks into the database for jobs that other sidecars accepted or left behind.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00", ErrorMessage = "MaskJobs:LookPause must be between 10 milliseconds and one minute.")]
    public TimeSpan LookPause { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long a job waits for an Orthanc that does not answer before its untouched images fail. Images already being stored wait without end.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ErrorMessage = "MaskJobs:OrthancPatience must be between one second and seven days.")]
    public TimeSpan OrthancPatience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Pause before Orthanc is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "MaskJobs:RetryPause must be between 10 milliseconds and one hour.")]
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A masking that one person approved burns nothing until another one, who may confirm, has confirmed it.</summary>
    public bool TwoPersonApproval { get; init; }

    /// <summary>For how many days the originals of masked images are kept encrypted, so that they can be restored under a permission of its own. 0: not at all, masking is final.</summary>
    [Range(0, 365, ErrorMessage = "MaskJobs:UndoDays must be 0 to 365.")]
    public int UndoDays { get; init; }

    /// <summary>What is done when somebody stores another file over a masked image.</summary>
    public ResentOriginalsPolicy ResentOriginals { get; init; } = ResentOriginalsPolicy.Mask;
}

/// <summary>What is done with images that were masked and then sent again without their masks.</summary>
internal enum ResentOriginalsPolicy
{
    /// <summary>They are masked again with all regions that were approved for them.</summary>
    Mask,

    /// <summary>It is written into the audit; the approved regions are findings that a person decides on.</summary>
    Flag,

    /// <summary>Nothing beyond the scan that every changed image gets.</summary>
    Ignore,
}
