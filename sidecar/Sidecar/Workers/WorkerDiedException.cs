namespace Sidecar.Workers;

/// <summary>A worker process ended or had to be killed amid a frame. The message says why, in one line for a person.</summary>
internal sealed class WorkerDiedException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Somebody else ended it (SIGKILL or SIGTERM that this process did not send): what it worked on is likely not to blame.</summary>
    public bool IsFromOutside { get; init; }
}

/// <summary>Workers cannot run on this machine at all: an installation to mend, not a file to refuse.</summary>
public sealed class WorkersUnavailableException(string message, Exception? cause = null) : IOException(message, cause);
