using System.ComponentModel.DataAnnotations;

namespace Sidecar.Http;

/// <summary>How many changes one user may ask for. Section <c>RateLimit</c>.</summary>
internal sealed record RateLimitOptions
{
    /// <summary>Requests that change something, as many at once as after a pause.</summary>
    [Range(1, 100_000)]
    public int Burst { get; init; } = 100;

    /// <summary>How many more each second.</summary>
    [Range(1, 10_000)]
    public int PerSecond { get; init; } = 20;
}
