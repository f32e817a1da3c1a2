using System.ComponentModel.DataAnnotations;

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
    public SyslogOptions Syslog { get; init; } = new();
}

/// <summary>Where DICOM audit messages go (PS3.15 A.6): syslog over TLS, RFC 5425. Section <c>Audit:Syslog</c>.</summary>
internal sealed record SyslogOptions
{
    public string? Host { get; init; }

    [Range(1, 65535, ErrorMessage = "Audit:Syslog:Port must be 1 to 65535.")]
    public int Port { get; init; } = 6514;

    /// <summary>PEM file with the authority that signed the server's certificate; the system's authorities without it.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>PEM file with a certificate of this service, where the server asks for one.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with its private key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Name of the hospital or department in the messages (AuditEnterpriseSiteID).</summary>
    public string? Site { get; init; }
}
