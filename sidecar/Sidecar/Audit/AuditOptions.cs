using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Sidecar.Audit;

/// <summary>How the audit is kept honest. Section <c>Audit</c>.</summary>
internal sealed record AuditOptions
{
    /// <summary>A file, on another disk or machine than the database, to which checkpoints are appended; none without it.</summary>
    public string? CheckpointFile { get; init; }

    /// <summary>Time between two checkpoints, where anything was appended in between.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "7.00:00:00", ErrorMessage = "Audit:CheckpointInterval must be between ten seconds and seven days.")]
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A PEM file with an ECDSA P-256 private key that signs checkpoints and certificates; they are not signed without it.</summary>
    public string? SigningKeyFile { get; init; }

    /// <summary>A syslog server that receives DICOM audit messages; none without a host.</summary>
    [ValidateObjectMembers]
    public SyslogOptions Syslog { get; init; } = new();
}
