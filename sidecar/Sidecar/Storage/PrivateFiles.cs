namespace Sidecar.Storage;

/// <summary>Folders and files that only the service's own user can read.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Creates the folder (mode 0700) where it is missing, and takes other users' rights from one that is there.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, FolderMode);
        File.SetUnixFileMode(path, FolderMode);
    }

    /// <summary>Opens a new, empty file (mode 0600) for reading and writing, in place of an older one.</summary>
    public static FileStream Create(string path) =>
        Open(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 });

    /// <summary>Overwrites a file with zeros, on disk, and deletes it. Meant for keys: of larger files a disk may keep earlier blocks.</summary>
    public static void Shred(string path)
    {
        if (File.Exists(path))
        {
            Zero(path, toDisk: true);
            File.Delete(path);
        }
    }

    /// <summary>Overwrites a file with zeros; the disk has them some time later, or with the next content that is made durable. Does nothing where there is none.</summary>
    public static void Zero(string path)
    {
        if (File.Exists(path))
        {
            Zero(path, toDisk: false);
        }
    }

    private static void Zero(string path, bool toDisk)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });
        file.Write(new byte[file.Length]);
        if (toDisk)
        {
            file.Flush(flushToDisk: true);
        }
    }

    /// <summary>Opens a file (mode 0600 where it is new) to write at its end.</summary>
    public static FileStream Append(string path) =>
        Open(path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 });

    private static FileStream Open(string path, FileStreamOptions options)
    {
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnFileMode;
        }

        return new FileStream(path, options);
    }
}
