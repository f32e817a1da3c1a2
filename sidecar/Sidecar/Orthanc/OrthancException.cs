namespace Sidecar.Orthanc;

/// <summary>Orthanc did not answer, or not as its API promises. What was asked may or may not have happened.</summary>
internal class OrthancException : IOException
{
    public OrthancException(string message)
        : base(message)
    {
    }

    public OrthancException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

/// <summary>Orthanc's settings make replacing images unsafe. The message is for the administrator.</summary>
internal sealed class UnsafeOrthancException(string message) : OrthancException(message);
