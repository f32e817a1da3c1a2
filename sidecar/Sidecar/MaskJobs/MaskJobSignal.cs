namespace Sidecar.MaskJobs;

/// <summary>Wakes whoever waits for a change of any job. Waiters look into the database for what it was; a pulse without a change harms nobody.</summary>
internal sealed class MaskJobSignal
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next pulse. Take it before looking at the state, or a change in between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
