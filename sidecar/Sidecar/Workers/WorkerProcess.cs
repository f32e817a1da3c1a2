using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>What a worker process is for.</summary>
/// <param name="Arguments">After its memory limit.</param>
/// <param name="Does">For a person: the program that…</param>
/// <param name="Fails">For a person, where it cannot.</param>
internal sealed record WorkerKind(IReadOnlyList<string> Arguments, string Does, string Fails)
{
    public static WorkerKind Codecs { get; } = new([], "decodes JPEG 2000", "JPEG 2000 cannot be decoded on this machine");

    /// <param name="models">Null where the detector is not installed.</param>
    /// <param name="reading">Languages.</param>
    public static WorkerKind Text(TextModelFiles? models, TextModelOptions reading) =>
        new([WorkerProtocol.TextOption, models?.Directory ?? "", reading.LanguageDirectory, reading.Languages], "finds text", "Text cannot be looked for on this machine");
}

/// <summary>One worker process and its pipes. Serves one caller at a time; another thread may kill it.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private const int Sigkill = 9;
    private const int Sigterm = 15;
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MinimumAlarm = TimeSpan.FromMilliseconds(20);
    private readonly Process process;
    private readonly Stream toWorker;
    private readonly Stream fromWorker;
    private readonly Timer alarm;
    private readonly Lock gate = new();
    private TimeSpan deadline = Timeout.InfiniteTimeSpan;
    private TimeSpan processorTimeBefore;
    private long ticksBefore;
    private string? killedBecause;
    private bool isDisposed;

    private WorkerProcess(Process process)
    {
        this.process = process;
        ProcessId = process.Id;
        alarm = new Timer(_ => KillIfLate());
        toWorker = process.StandardInput.BaseStream;
        fromWorker = process.StandardOutput.BaseStream;
    }

    /// <summary>The native libraries and their versions, as the worker named them.</summary>
    public string Libraries { get; private set; } = "";

    public int ProcessId { get; }

    /// <summary>False once the process has ended or was told to.</summary>
    public bool IsAlive => Volatile.Read(ref killedBecause) is null && !process.HasExited;

    /// <param name="memoryLimitMebibytes">Memory it may use.</param>
    /// <param name="kind">What it is to do.</param>
    /// <exception cref="WorkersUnavailableException">The executable or a library is missing, or of another version.</exception>
    public static WorkerProcess Start(int memoryLimitMebibytes, WorkerKind kind)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "sidecar-worker.exe" : "sidecar-worker");
        var start = new ProcessStartInfo(executable, 
            [WorkerProtocol.MemoryLimitOption, ((long)memoryLimitMebibytes << 20).ToString(CultureInfo.InvariantCulture), .. kind.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        // The managed heap of a worker holds next to nothing; frames lie outside of it. A dump would hold a patient's picture.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x4000000";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        // A worker a processor, each on one thread: Tesseract's own threads would fight for the same processors.
        start.Environment["OMP_THREAD_LIMIT"] = "1";
        WorkerProcess worker;
        try
        {
            worker = new WorkerProcess(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new WorkersUnavailableException($"The program sidecar-worker, which {kind.Does}, could not be started; reinstall it beside sidecar.", exception);
        }
        try
        {
            worker.SetAlarm(StartDeadline);
            var hello = worker.ReadReply();
            worker.Libraries = Encoding.UTF8.GetString(worker.ReadPayload(hello));
            worker.ClearAlarm();
            return hello.Status == WorkerStatus.Done
                ? worker
                : throw new WorkersUnavailableException($"{kind.Fails}: {worker.Libraries}");
        }
        catch (Exception exception) when (exception is not WorkersUnavailableException)
        {
            worker.Dispose();
            throw new WorkersUnavailableException($"The program sidecar-worker ended before it was ready: {exception.Message}", exception);
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The process is killed if it has used more than <paramref name="time"/> of a processor before <see cref="ClearAlarm"/> is called. On a busy machine a
    /// healthy frame waits for its turn, which is not its fault; but not for more than four times as long.
    /// </summary>
    public void SetAlarm(TimeSpan time)
    {
        lock (gate)
        {
            deadline = time;
            processorTimeBefore = ProcessorTime();
            ticksBefore = Environment.TickCount64;
            alarm.Change(time, Timeout.InfiniteTimeSpan);
        }
    }

    public void ClearAlarm()
    {
        lock (gate)
        {
            deadline = Timeout.InfiniteTimeSpan;
            alarm.Change(Timeout.Infinite, Timeout.Infinite);
        }
    }

    /// <summary>Sends one frame's work and reads the answer's head; its payload must be read next.</summary>
    /// <exception cref="WorkerDiedException">The process ended or was killed.</exception>
    public WorkerReply Exchange(WorkerRequest request, ReadOnlySpan<byte> payload)
    {
        request.Magic = WorkerProtocol.Magic;
        request.PayloadBytes = payload.Length;
        try
        {
            toWorker.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<WorkerRequest>(in request)));
            toWorker.Write(payload);
            toWorker.Flush();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            throw Died(exception);
        }
        return ReadReply();
    }

    /// <exception cref="WorkerDiedException">The process ended or was killed.</exception>
    public void ReadPayload(Span<byte> target)
    {
        try
        {
            fromWorker.ReadExactly(target);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            throw Died(exception);
        }
    }

    /// <exception cref="WorkerDiedException">The process ended or was killed.</exception>
    public byte[] ReadPayload(WorkerReply reply)
    {
        var payload = GC.AllocateUninitializedArray<byte>(reply.PayloadBytes);
        ReadPayload(payload);
        return payload;
    }

    /// <summary>Ends the process at once; whoever waits for it gets a <see cref="WorkerDiedException"/> with this reason. May be called from any thread.</summary>
    public void Kill(string because)
    {
        Interlocked.CompareExchange(ref killedBecause, because, null);
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in the same moment.
        }
    }

    /// <summary>Ends the process and waits until the system has let go of it, so that none is left behind.</summary>
    public void Dispose()
    {
        Kill("it was no longer needed");
        lock (gate)
        {
            if (isDisposed)
            {
                return;
            }
            isDisposed = true;
            alarm.Dispose();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private void KillIfLate()
    {
        lock (gate)
        {
            // A timer that fires late must not hit the next frame, whose time has only begun.
            var waited = TimeSpan.FromMilliseconds(Environment.TickCount64 - ticksBefore);
            if (isDisposed || deadline == Timeout.InfiniteTimeSpan || waited < deadline)
            {
                return;
            }
            var left = deadline - (ProcessorTime() - processorTimeBefore);
            if (left > TimeSpan.Zero && waited < deadline * 4)
            {
                alarm.Change(left < MinimumAlarm ? MinimumAlarm : left, Timeout.InfiniteTimeSpan);
                return;
            }
        }
        Kill(string.Create(CultureInfo.InvariantCulture, $"it was not done after {deadline.TotalSeconds:0.#} s of work"));
    }

    /// <summary>What the process used of all processors; enough to reach every deadline once it is gone.</summary>
    private TimeSpan ProcessorTime()
    {
        try
        {
            return process.TotalProcessorTime;
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return TimeSpan.MaxValue / 2;
        }
    }

    private WorkerReply ReadReply()
    {
        var reply = default(WorkerReply);
        ReadPayload(MemoryMarshal.AsBytes(new Span<WorkerReply>(ref reply)));
        return reply.Magic == WorkerProtocol.Magic && reply.PayloadBytes >= 0
            ? reply
            : throw new WorkerDiedException("the program sidecar-worker is of another version than sidecar");
    }

    private WorkerDiedException Died(Exception cause)
    {
        if (Volatile.Read(ref killedBecause) is { } reason)
        {
            return new WorkerDiedException(reason, cause);
        }
        process.WaitForExit();
        // A shell's way to tell a signal; .NET follows it.
        return process.ExitCode is 128 + Sigkill or 128 + Sigterm
            ? new WorkerDiedException($"it was ended by another program (signal {process.ExitCode - 128})", cause) { IsFromOutside = true }
            : new WorkerDiedException(process.ExitCode > 128 ? $"it crashed with signal {process.ExitCode - 128}" : $"it ended with status {process.ExitCode}", cause);
    }
}
