using System.ComponentModel.DataAnnotations;

namespace Sidecar.Storage;

/// <summary>Where the service keeps its state. Section <c>Storage</c>.</summary>
internal sealed record StorageOptions
{
    /// <summary>A folder on a local disk for <c>sidecar.db</c> and <c>journal/</c>; created readable by the service's user alone.</summary>
    [Required(ErrorMessage = "Storage:Directory (SIDECAR_Storage__Directory) is missing: give a folder on a local disk.")]
    public string Directory { get; init; } = "";

    public string DatabaseFile => Path.Combine(Directory, "sidecar.db");

    public string JournalDirectory => Path.Combine(Directory, "journal");
}
