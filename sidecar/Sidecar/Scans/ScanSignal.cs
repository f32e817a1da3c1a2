namespace Sidecar.Scans;

/// <summary>Wakes whoever waits for something to scan. A pulse without a change harms nobody.</summary>
internal sealed class ScanSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next pulse. Take it before looking at the state, or a change in between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
