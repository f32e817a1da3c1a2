using System.CommandLine;

namespace Sidecar.Commands;

/// <summary><c>sidecar doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create() => new("doctor", "Checks settings, Orthanc, storage and identity provider, and says what to do.");
}
