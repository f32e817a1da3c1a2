using System.Collections.Concurrent;

namespace Sidecar.Storage;

/// <summary>
/// Files that are written anew, under another name, instead of being deleted and created: where the file system tells the disk of what it frees
/// (mount option discard), deleting a short file takes longer than making it durable. What a stopped service left of them is anybody's to delete.
/// </summary>
internal sealed class SpareFiles
{
    /// <summary>Ends the name of each.</summary>
    public const string Suffix = ".spare";

    // A long file is rare, and worth its room on the disk.
    private const long LongestBytes = 16 * 1024 * 1024;

    private readonly ConcurrentDictionary<(string Folder, string Kind), ConcurrentBag<string>> _files = new();

    /// <summary>
    /// Opens a file (mode 0600) for reading and writing, in place of an older one. It may be longer than what is written to it: whoever writes cuts it.
    /// </summary>
    public FileStream Take(string path)
    {
        if (_files.TryGetValue(PoolOf(path), out var pool) && pool.TryTake(out var spare))
        {
            try
            {
                File.Move(spare, path, overwrite: true);
                return new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 });
            }
            catch (FileNotFoundException)
            {
                // Somebody swept the folder.
            }
        }

        return PrivateFiles.Create(path);
    }

    /// <summary>Takes a file back that nobody needs any more. Does nothing where there is none.</summary>
    public void Give(string path)
    {
        if (new FileInfo(path) is not { Exists: true } file)
        {
            return;
        }

        if (file.Length > LongestBytes)
        {
            file.Delete();
            return;
        }

        var (folder, kind) = PoolOf(path);
        var spare = Path.Combine(folder, Guid.NewGuid().ToString("n") + kind + Suffix);
        file.MoveTo(spare, overwrite: true);
        _files.GetOrAdd((folder, kind), _ => []).Add(spare);
    }

    /// <summary>Knows nothing of a folder any more; its files are the caller's to delete.</summary>
    public void Forget(string folder)
    {
        foreach (var pool in _files.Keys.Where(k => k.Folder == folder))
        {
            _files.TryRemove(pool, out _);
        }
    }

    private static (string Folder, string Kind) PoolOf(string path) => (Path.GetDirectoryName(path)!, Path.GetExtension(path));
}
