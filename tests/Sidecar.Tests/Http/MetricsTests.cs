using System.Buffers.Binary;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using Sidecar.Telemetry;
using Xunit;

namespace Sidecar.Tests.Http;

// Alone: the meters of one process are shared by name, and another service that ends takes them away from this one.
[CollectionDefinition(nameof(MetricsTests), DisableParallelization = true)]
[Collection(nameof(MetricsTests))]
public sealed class MetricsTests
{
    [Fact]
    public async Task Metrics_are_told_in_the_format_of_Prometheus_without_a_token()
    {
        await using var app = new SidecarApp();
        using var client = app.CreateClient();
        (await client.GetAsync(new Uri("/metrics", UriKind.Relative))).Dispose();
        ServiceMeter.CountItems("failed", "damaged", 3);
        ServiceMeter.SetQueue(7, 1.5);
        ServiceMeter.Time(ServiceMeter.Fetch).Dispose();
        ServiceMeter.CountJob("failed");
        ServiceMeter.CountBytes(1000);
        ServiceMeter.CountWorkerStarted();
        ServiceMeter.CountWorkerLost();

        string[] lines = [];
        for (var asked = 0; asked < 100 && !lines.Any(IsOfRequests); asked++) // a request is counted some time after it was answered
        {
            using var answer = await client.GetAsync(new Uri("/metrics", UriKind.Relative));
            lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        }

        Assert.Contains("# TYPE sidecar_mask_items_finished_total counter", lines);
        Assert.True(Value(lines, "sidecar_mask_items_finished_total{cause=\"damaged\",outcome=\"failed\"}", "sidecar_mask_items_finished_total{outcome=\"failed\",cause=\"damaged\"}") >= 3);
        Assert.Contains("# TYPE sidecar_mask_items_waiting gauge", lines);
        Assert.Contains("# TYPE sidecar_mask_jobs_oldest_waiting_seconds gauge", lines);
        Assert.True(Value(lines, "sidecar_mask_jobs_finished_total{state=\"failed\"}") >= 1);
        Assert.True(Value(lines, "sidecar_mask_items_bytes_total") >= 1000);
        Assert.True(Value(lines, "sidecar_workers_started_total") >= 1);
        Assert.True(Value(lines, "sidecar_workers_lost_total") >= 1);
        Assert.Contains("# TYPE sidecar_mask_items_phase_duration_seconds histogram", lines);
        Assert.True(Value(lines, "sidecar_mask_items_phase_duration_seconds_bucket{phase=\"fetch\",le=\"+Inf\"}") >= 1);
        Assert.Equal(Value(lines, "sidecar_mask_items_phase_duration_seconds_bucket{phase=\"fetch\",le=\"+Inf\"}"), Value(lines, "sidecar_mask_items_phase_duration_seconds_count{phase=\"fetch\"}"));
        Assert.Contains(lines, IsOfRequests);
        Assert.All(lines.Where(l => l.Length > 0 && l[0] != '#'), l => Assert.Matches(@"^[a-z_0-9]+(\{([a-z_0-9]+=""([^""\\]|\\.)*"",?)+\})? (NaN|[-+]?(Inf|[0-9.]+(E[-+]?[0-9]+)?))$", l));
    }

    [Fact]
    public async Task A_collector_gets_the_same_by_OTLP_over_gRPC()
    {
        var received = new TaskCompletionSource<byte[]>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        await using var collector = builder.Build();
        collector.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]); // an answer without fields
            context.Response.AppendTrailer("grpc-status", "0");
            received.TrySetResult(body.ToArray());
        });
        await collector.StartAsync();
        await using var app = new SidecarApp { Settings = { ["Telemetry:OtlpEndpoint"] = collector.Urls.Single() } };
        app.CreateClient().Dispose();
        ServiceMeter.CountItems("failed", "damaged", 3);

        app.Services.GetRequiredService<MeterProvider>().ForceFlush(10_000);
        var message = await received.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(message.Length - 5, BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(1))); // one message, not compressed
        Assert.Equal(-1, message.AsSpan().IndexOf("unknown_service"u8));
        Assert.All(["sidecar.mask_items.finished", "damaged", "sidecar.mask_items.waiting", "dotnet.gc.heap.total_allocated", "service.name"], word => Assert.True(message.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(word)) > 0, word));
    }

    private static bool IsOfRequests(string line) => line.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal);

    private static double Value(string[] lines, params string[] series) =>
        double.Parse(lines.Single(l => series.Any(s => l.StartsWith(s + " ", StringComparison.Ordinal))).Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
}
