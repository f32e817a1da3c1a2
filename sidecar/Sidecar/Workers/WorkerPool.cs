using Sidecar.Worker;
using Sidecar.Telemetry;

namespace Sidecar.Workers;

/// <summary>
/// Worker processes of one kind, lent to one piece of work at a time. None runs before the first is needed; a fresh one takes the place of one that was lost.
/// </summary>
internal sealed class WorkerPool(WorkerOptions options, WorkerKind kind) : IDisposable
{
    private readonly SemaphoreSlim places = new(options.ActualCount);
    private readonly Lock gate = new();
    private readonly Stack<WorkerProcess> idle = new();
    private readonly HashSet<WorkerProcess> lent = [];
    private bool isDisposed;

    /// <summary>The processes that live now.</summary>
    public IReadOnlyList<int> ProcessIds
    {
        get
        {
            lock (gate)
            {
                return [.. idle.Concat(lent).Select(worker => worker.ProcessId)];
            }
        }
    }

    /// <summary>Pieces of work going on now.</summary>
    public int Busy
    {
        get
        {
            lock (gate)
            {
                return lent.Count;
            }
        }
    }

    public bool IsDisposed => Volatile.Read(ref isDisposed);

    /// <summary>Starts a worker if none runs, and names the native libraries it found.</summary>
    /// <exception cref="WorkersUnavailableException">The executable or a library is missing, or of another version.</exception>
    public string DescribeLibraries()
    {
        var worker = Lend(CancellationToken.None);
        GiveBack(worker, isSound: true);
        return worker.Libraries;
    }

    /// <summary>Waits for a worker that is free. Give it back in every case.</summary>
    /// <exception cref="WorkersUnavailableException">The executable or a library is missing, or of another version.</exception>
    public WorkerProcess Lend(CancellationToken token)
    {
        places.Wait(token);
        try
        {
            return TakeOrStart();
        }
        catch
        {
            places.Release();
            throw;
        }
    }

    /// <param name="worker">Lent before.</param>
    /// <param name="isSound">Whether it may work on: it answered all it was asked.</param>
    public void GiveBack(WorkerProcess worker, bool isSound)
    {
        worker.ClearAlarm();
        if (isSound && worker.IsAlive)
        {
            Return(worker);
        }
        else
        {
            Discard(worker);
            ServiceMeter.CountWorkerLost();
        }
        places.Release();
    }

    /// <summary>Ends all workers. Work still going on fails.</summary>
    public void Dispose()
    {
        List<WorkerProcess> all;
        lock (gate)
        {
            isDisposed = true;
            all = [.. idle.Concat(lent)];
            idle.Clear();
        }
        foreach (var worker in all)
        {
            worker.Kill("the program is ending");
        }
        foreach (var worker in all)
        {
            worker.Dispose();
        }
    }

    private WorkerProcess TakeOrStart()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            while (idle.TryPop(out var waiting))
            {
                if (waiting.IsAlive)
                {
                    lent.Add(waiting);
                    return waiting;
                }
                // The system may have ended it in the meantime; no frame is to blame.
                waiting.Dispose();
            }
        }
        var worker = Start();
        ServiceMeter.CountWorkerStarted();
        lock (gate)
        {
            if (!isDisposed)
            {
                lent.Add(worker);
                return worker;
            }
        }
        worker.Dispose();
        throw new OperationCanceledException("The program is ending.");
    }

    private WorkerProcess Start()
    {
        try
        {
            return WorkerProcess.Start(options.MemoryLimitMebibytes, kind);
        }
        catch (WorkersUnavailableException unavailable) when (unavailable.InnerException is WorkerDiedException { IsFromOutside: true })
        {
            // Somebody ended it before it was ready: nothing is wrong with the installation, nor with a frame.
            return WorkerProcess.Start(options.MemoryLimitMebibytes, kind);
        }
    }

    private void Return(WorkerProcess worker)
    {
        lock (gate)
        {
            lent.Remove(worker);
            if (!isDisposed)
            {
                idle.Push(worker);
                return;
            }
        }
        worker.Dispose();
    }

    private void Discard(WorkerProcess worker)
    {
        lock (gate)
        {
            lent.Remove(worker);
        }
        worker.Dispose();
    }
}
