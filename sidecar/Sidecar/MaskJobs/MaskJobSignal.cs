namespace Sidecar.MaskJobs;

/// <summary>Wakes whoever waits for a change of any job. Waiters look into the database for what it was; a pulse without a change harms nobody.</summary>
internal sealed class MaskJobSignal
{
    private TaskCompletionSource _next = New();
    private TaskCompletionSource _nextWaiting = New();

    /// <summary>Completes at the next pulse. Take it before looking at the state, or a change in between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Completes when the next job waits to be claimed, or one is finished, which may have kept others waiting.</summary>
    public Task NextWaiting => Volatile.Read(ref _nextWaiting).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    public void PulseWaiting()
    {
        Interlocked.Exchange(ref _nextWaiting, New()).TrySetResult();
        Pulse();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
