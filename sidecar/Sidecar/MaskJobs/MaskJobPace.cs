using System.Collections.Concurrent;

namespace Sidecar.MaskJobs;

/// <summary>How fast the running jobs go, measured since this process took them up. Nothing of it is stored: after a restart it is measured anew.</summary>
internal sealed class MaskJobPace(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (long Since, int Finished)> _jobs = new();

    public void Begin(string job) => _jobs[job] = (time.GetTimestamp(), 0);

    public void CountOne(string job) => _jobs.AddOrUpdate(job, _ => (time.GetTimestamp(), 0), (_, pace) => (pace.Since, pace.Finished + 1));

    public void End(string job) => _jobs.TryRemove(job, out _);

    /// <summary>Null until an instance is finished.</summary>
    public double? SecondsLeft(string job, long remaining) =>
        _jobs.TryGetValue(job, out var pace) && pace.Finished > 0
            ? Math.Round(time.GetElapsedTime(pace.Since).TotalSeconds / pace.Finished * remaining, 1)
            : null;
}
