using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Sidecar.Http;

namespace Sidecar.Telemetry;

internal static class TelemetrySetup
{
    // .NET's own meters. None of their tags holds an address with its query, where a search names patients.
    private static readonly string[] Meters = [ServiceMeter.Name, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql"];

    public static void AddTelemetry(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<TelemetryOptions>(configuration.GetSection("Telemetry"), validateAtStart);
        services.AddSingleton<PrometheusText>();
        services.AddSingleton(provider =>
        {
            var builder = Sdk.CreateMeterProviderBuilder().ConfigureResource(r => r.AddService("sidecar")).AddMeter(Meters).AddReader(new BaseExportingMetricReader(provider.GetRequiredService<PrometheusText>()));
            if (configuration["Telemetry:OtlpEndpoint"] is { Length: > 0 } collector)
            {
                builder.AddOtlpExporter(o => (o.Endpoint, o.Protocol) = (new Uri(collector), OtlpExportProtocol.Grpc));
            }
            return builder.Build();
        });
    }

    /// <summary>Not behind a token, as Prometheus has none: nginx does not pass it on, and it tells of the service alone.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        _ = app.Services.GetRequiredService<MeterProvider>(); // counts from the start, not from the first question
        app.MapGet("/metrics", (PrometheusText prometheus) => TypedResults.Text(prometheus.Write(), PrometheusText.ContentType)).AllowAnonymous().ExcludeFromDescription();
    }
}
