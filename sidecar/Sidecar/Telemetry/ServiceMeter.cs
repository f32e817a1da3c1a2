using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sidecar.Telemetry;

/// <summary>
/// What the service counts about itself. Names and tags are few and fixed words: no patient, no UID, no user. docs/operations.md lists them.
/// </summary>
internal static class ServiceMeter
{
    public const string Name = "Sidecar";

    /// <summary>Tag values of <see cref="Phase"/>.</summary>
    public const string Fetch = "fetch", Mask = "mask", Journal = "journal", Store = "store", ReadBack = "readBack", Restore = "restore", Record = "record";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> JobsFinished = Meter.CreateCounter<long>("sidecar.mask_jobs.finished", description: "Mask jobs that ended, by their final state.");
    private static readonly Counter<long> ItemsFinished = Meter.CreateCounter<long>("sidecar.mask_items.finished", description: "Images of mask jobs that ended, by outcome and, where they failed, by cause.");
    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>("sidecar.mask_items.bytes", "By", "Bytes of masked images stored and read back.");
    private static readonly Histogram<double> Phases = Meter.CreateHistogram(
        "sidecar.mask_items.phase.duration", "s", "Seconds an image spent in each phase of its masking.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120] });
    private static readonly Counter<long> WorkersStarted = Meter.CreateCounter<long>("sidecar.workers.started", description: "Worker processes started.");
    private static readonly Counter<long> WorkersLost = Meter.CreateCounter<long>("sidecar.workers.lost", description: "Worker processes that crashed, stalled or ran out of memory amid a request.");
    private static (long Waiting, double OldestSeconds) queue;

    static ServiceMeter()
    {
        Meter.CreateObservableGauge("sidecar.mask_items.waiting", () => queue.Waiting, description: "Images of mask jobs that wait.");
        Meter.CreateObservableGauge("sidecar.mask_jobs.oldest_waiting", () => queue.OldestSeconds, "s", "Age of the oldest mask job that is not begun; 0 where none waits.");
    }

    public static void CountJob(string state) => JobsFinished.Add(1, new KeyValuePair<string, object?>("state", state));

    public static void CountItems(string outcome, string cause = "none", long count = 1)
    {
        if (count > 0)
        {
            ItemsFinished.Add(count, new KeyValuePair<string, object?>("outcome", outcome), new KeyValuePair<string, object?>("cause", cause));
        }
    }

    public static void CountBytes(long bytes) => Bytes.Add(bytes);

    public static void CountWorkerStarted() => WorkersStarted.Add(1);

    public static void CountWorkerLost() => WorkersLost.Add(1);

    public static void SetQueue(long waiting, double oldestSeconds) => queue = (waiting, oldestSeconds);

    /// <summary>Measures from now until it is disposed.</summary>
    public static Timing Time(string phase) => new(phase, Stopwatch.GetTimestamp());

    public readonly record struct Timing(string Phase, long Since) : IDisposable
    {
        public void Dispose() => Phases.Record(Stopwatch.GetElapsedTime(Since).TotalSeconds, new KeyValuePair<string, object?>("phase", Phase));
    }
}
