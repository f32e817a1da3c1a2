namespace Sidecar.Worker;

/// <summary>A request that cannot be done, and why: one line for a person, without anything from the image.</summary>
internal sealed class WorkerException(WorkerStatus status, string message) : Exception(message)
{
    public WorkerStatus Status => status;

    public static WorkerException OutOfMemory() => new(WorkerStatus.OutOfMemory, "The frame needs more memory than a codec worker may use.");
}
