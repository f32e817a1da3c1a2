using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Sidecar.Telemetry;

/// <summary>
/// The figures as Prometheus reads them (text exposition format 0.0.4), with the names that OpenTelemetry's rules for Prometheus give them.
/// OpenTelemetry's own exporter for this is not to be had from the package source this project builds with.
/// </summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusText : BaseExporter<Metric>, IPullMetricExporter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock gate = new();
    private readonly StringBuilder text = new();

    public Func<int, bool>? Collect { get; set; }

    /// <summary>All figures as they are now.</summary>
    public string Write()
    {
        lock (gate)
        {
            text.Clear();
            Collect?.Invoke(Timeout.Infinite);
            return text.ToString();
        }
    }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        foreach (var metric in batch)
        {
            Write(metric);
        }
        return ExportResult.Success;
    }

    private void Write(Metric metric)
    {
        var isCounter = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
        var isHistogram = metric.MetricType is MetricType.Histogram;
        var isGauge = metric.MetricType is MetricType.LongGauge or MetricType.DoubleGauge or MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic;
        if (!isCounter && !isHistogram && !isGauge)
        {
            return;
        }
        var name = NameOf(metric, isCounter);
        if (metric.Description is { Length: > 0 } description)
        {
            Line($"# HELP {name} {description.Replace("\\", "\\\\", StringComparison.Ordinal).ReplaceLineEndings(" ")}");
        }
        Line($"# TYPE {name} {(isCounter ? "counter" : isHistogram ? "histogram" : "gauge")}");
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = Labels(point.Tags);
            if (isHistogram)
            {
                WriteHistogram(name, labels, point);
                continue;
            }
            var value = metric.MetricType switch
            {
                MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
                MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
                MetricType.LongGauge => point.GetGaugeLastValueLong(),
                _ => point.GetGaugeLastValueDouble(),
            };
            Line($"{name}{Braced(labels)} {Number(value)}");
        }
    }

    private void WriteHistogram(string name, string labels, in MetricPoint point)
    {
        var count = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            count += bucket.BucketCount;
            var bound = double.IsPositiveInfinity(bucket.ExplicitBound) ? "+Inf" : Number(bucket.ExplicitBound);
            Line($"{name}_bucket{Braced(labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"")} {count}");
        }
        Line($"{name}_sum{Braced(labels)} {Number(point.GetHistogramSum())}");
        Line($"{name}_count{Braced(labels)} {point.GetHistogramCount()}");
    }

    private static string NameOf(Metric metric, bool isCounter)
    {
        var name = Word(metric.Name);
        var unit = metric.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        name = unit.Length == 0 || name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit;
        return isCounter ? name + "_total" : name;
    }

    private static string Labels(in ReadOnlyTagCollection tags)
    {
        var labels = new List<string>();
        foreach (var (key, value) in tags)
        {
            var escaped = Convert.ToString(value, CultureInfo.InvariantCulture)?
                .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            labels.Add($"{Word(key)}=\"{escaped}\"");
        }
        return string.Join(',', labels);
    }

    private static string Braced(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Word(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private void Line(string line) => text.Append(line).Append('\n');
}
