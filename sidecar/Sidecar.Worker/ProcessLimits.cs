using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>What a worker takes from itself before it touches a byte of a file.</summary>
internal static class ProcessLimits
{
    /// <param name="memoryBytes">Private memory that may be written to. Addresses only reserved do not count: .NET reserves far more than it uses.</param>
    /// <exception cref="WorkerException">The system refused a limit.</exception>
    public static void Apply(long memoryBytes)
    {
        Limit(Libc.RlimitData, (ulong)memoryBytes, "memory");
        // A core file would hold the picture with the patient's name in it.
        Limit(Libc.RlimitCore, 0, "core file");
    }

    /// <summary>Silences standard error, on which libraries write what they like, parts of the file included. Called once the worker is ready.</summary>
    public static void SilenceStandardError()
    {
        var none = Libc.Open("/dev/null", Libc.WriteOnly);
        if (none < 0 || Libc.Duplicate(none, 2) < 0)
        {
            throw new WorkerException(WorkerStatus.Unsupported, $"The worker could not silence its standard error (error {Marshal.GetLastPInvokeError()}).");
        }
    }

    /// <summary>
    /// Ends this process as soon as the sidecar closes its end of standard input or dies, even amid a native call. The kernel's parent-death signal is
    /// no choice here: it follows the thread that started the child, and the threads of a .NET pool end while their process lives.
    /// </summary>
    public static void ExitWithSidecar()
    {
        var watch = new Thread(static () =>
        {
            var input = new Libc.PollDescriptor { Descriptor = 0 };
            while (Libc.Poll(ref input, 1, -1) <= 0)
            {
                // Interrupted by a signal: wait on.
            }
            Libc.ExitNow(0);
        }, 64 * 1024)
        { IsBackground = true };
        watch.Start();
    }

    /// <summary>Larger pipes mean fewer switches between the two processes. Without them all is well, only slower, so a refusal is no fault.</summary>
    public static void EnlargePipes()
    {
        _ = Libc.FileControl(0, Libc.SetPipeSize, 1 << 20);
        _ = Libc.FileControl(1, Libc.SetPipeSize, 1 << 20);
    }

    private static void Limit(int resource, ulong value, string name)
    {
        if (Libc.SetResourceLimit(resource, new Libc.ResourceLimit { Current = value, Maximum = value }) != 0)
        {
            throw new WorkerException(WorkerStatus.Unsupported, $"The system refused the worker's {name} limit (error {Marshal.GetLastPInvokeError()}).");
        }
    }
}
