using System.Diagnostics;

namespace Sidecar.Integration;

/// <summary>A file system in memory that can be filled up. Mounting one needs to be root; others do without the faults of disks.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    private string Filler => Path.Combine(Folder, "filler");

    /// <param name="at">An empty folder; null: a temporary one.</param>
    public static SmallDisk? Mount(string? at = null)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        var folder = at ?? Directory.CreateTempSubdirectory("sidecar-disk-").FullName;
        using var mount = Process.Start("mount", ["-t", "tmpfs", "-o", "size=64m,mode=0700", "sidecar-test", folder]);
        mount.WaitForExit();
        return mount.ExitCode == 0 ? new SmallDisk(folder) : null;
    }

    public async Task FillFor(TimeSpan time)
    {
        Fill();
        await Task.Delay(time);
        Empty();
    }

    /// <summary>Leaves no room for a single block.</summary>
    public void Fill()
    {
        using (var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            var block = new byte[4096];
            try
            {
                while (true)
                {
                    file.Write(block);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    public void Empty() => File.Delete(Filler);

    public void Dispose()
    {
        using var unmount = Process.Start("umount", ["--lazy", Folder]);
        unmount.WaitForExit();
        Directory.Delete(Folder);
    }
}

/// <summary>A test that fills a disk; says why where it cannot.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = Environment.IsPrivilegedProcess ? Tests.Storage.PostgresCluster.Missing : "Filling a disk needs one of its own, and mounting that needs root.";
}
