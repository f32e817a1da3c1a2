using System.ComponentModel.DataAnnotations;

namespace Sidecar.Telemetry;

/// <summary>Where figures about the service go. Section <c>Telemetry</c>.</summary>
internal sealed record TelemetryOptions
{
    /// <summary>Address of an OpenTelemetry collector (OTLP over gRPC), which then receives the figures every minute; null: none does.</summary>
    [Url]
    public string? OtlpEndpoint { get; init; }
}
