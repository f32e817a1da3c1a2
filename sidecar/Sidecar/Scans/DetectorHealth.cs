using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Text;
using Sidecar.Workers;

namespace Sidecar.Scans;

/// <summary>Without the neural detector more text is missed: that is told, and the service goes on, because what it scans so is marked and never called clean.</summary>
internal sealed class DetectorHealth(ISeriesScanner scanner, IOptions<ScanOptions> scans, IOptions<TextModelOptions> models) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        scans.Value.Enabled && scanner.IsWeak
            ? HealthCheckResult.Degraded($"{TextScanning.DescribeMissingDetector(models.Value)} Until then images are scanned in the weak mode, which misses more text.")
            : HealthCheckResult.Healthy());
}
