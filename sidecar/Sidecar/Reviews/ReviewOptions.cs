using System.ComponentModel.DataAnnotations;

namespace Sidecar.Reviews;

/// <summary>How studies are reviewed. Section <c>Reviews</c>.</summary>
internal sealed record ReviewOptions
{
    /// <summary>Users without the permission to review neither find studies that are not finalized, nor read them through DICOMweb.</summary>
    public bool HoldUntilFinalized { get; init; }

    /// <summary>Pause between two looks for what scans and mask jobs changed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00", ErrorMessage = "Reviews:LookPause must be between 0.1 seconds and one minute.")]
    public TimeSpan LookPause { get; init; } = TimeSpan.FromSeconds(1);
}
