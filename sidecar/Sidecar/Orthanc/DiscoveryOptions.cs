using System.ComponentModel.DataAnnotations;
using System.Formats.Tar;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>How changes in Orthanc are noticed. Section <c>Discovery</c>.</summary>
internal sealed record DiscoveryOptions
{
    /// <summary>Off: nothing is noticed; neither are new studies scanned nor originals that are sent again masked.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Pause between two looks at Orthanc's list of changes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00", ErrorMessage = "Discovery:PollPause must be between 50 milliseconds and one hour.")]
    public TimeSpan PollPause { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A file that <c>orthanc-config/wake-sidecar.lua</c> writes into in Orthanc when a study came to rest, which ends the pause; null: none.</summary>
    public string? WakeFile { get; init; }

    /// <summary>How often all studies are compared with what is known of them, to find what the list of changes lost. Also done at each start.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ErrorMessage = "Discovery:ReconcileEvery must be between one second and 30 days.")]
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromHours(6);

    /// <summary>How long a study waits that cannot be judged yet: it still comes in, is being masked, or Orthanc does not deliver it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00", ErrorMessage = "Discovery:RetryPause must be between 50 milliseconds and one hour.")]
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Refuses a wake file that is none: a pipe's other end could keep Orthanc waiting, and a folder never tells of anything.</summary>
internal sealed class DiscoveryOptionsRules : IValidateOptions<DiscoveryOptions>
{
    /// <summary>Where the header of an archive's entry says of what type it is (POSIX ustar).</summary>
    private const int TypeFlag = 156;

    public ValidateOptionsResult Validate(string? name, DiscoveryOptions options) =>
        options is not { Enabled: true, WakeFile: { Length: > 0 } path } || IsPlainFileOrMissing(path) ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Discovery:WakeFile {path} is a folder, a pipe or a device: make it a plain file on a local disk, or take the setting out; a pipe could keep Orthanc waiting.");

    private static bool IsPlainFileOrMissing(string path)
    {
        if (!File.Exists(path))
        {
            return !Directory.Exists(path); // one that is still missing is waited for
        }

        var file = new FileInfo(path);
        file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        // What holds a byte is a file. Of what is empty .NET knows the type only when it writes an archive, which opens no pipe.
        using var archive = new MemoryStream();
        try
        {
            using var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true);
            if (file.Length == 0)
            {
                writer.WriteEntry(file.FullName, "wake");
            }
        }
        catch (UnauthorizedAccessException)
        {
            return true; // only files and folders are opened
        }
        catch (IOException)
        {
            return false; // a socket
        }

        return file.Length > 0 || archive.GetBuffer()[TypeFlag] == (byte)TarEntryType.RegularFile;
    }
}
