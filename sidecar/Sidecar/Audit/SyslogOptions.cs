using System.ComponentModel.DataAnnotations;

namespace Sidecar.Audit;

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
