using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>Bounds the files in work at once, by number and by sum of sizes, first come first served. A file larger than the whole budget goes alone.</summary>
internal sealed class WorkLimit(IOptions<OrthancOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Ready)> _waiting = new();
    private long _bytesFree = options.Value.BytesInFlight;
    private int _placesFree = options.Value.Connections;

    /// <summary>Waits for a place and for room of <paramref name="bytes"/>; disposing the result gives both back.</summary>
    public async Task<IDisposable> Enter(long bytes, CancellationToken token)
    {
        var charge = Math.Min(bytes, options.Value.BytesInFlight);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Enqueue((charge, ready));
            Admit();
        }

        await using (token.Register(() => ready.TrySetCanceled(token)))
        {
            await ready.Task;
        }

        return new Place(this, charge);
    }

    private void Leave(long bytes)
    {
        lock (_lock)
        {
            _bytesFree += bytes;
            _placesFree++;
            Admit();
        }
    }

    private void Admit()
    {
        while (_waiting.TryPeek(out var next))
        {
            if (next.Ready.Task.IsCompleted)
            {
                _waiting.Dequeue(); // gave up waiting
                continue;
            }

            if (_placesFree == 0 || next.Bytes > _bytesFree)
            {
                return;
            }

            _waiting.Dequeue();
            if (next.Ready.TrySetResult())
            {
                _bytesFree -= next.Bytes;
                _placesFree--;
            }
        }
    }

    private sealed class Place(WorkLimit limit, long bytes) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                limit.Leave(bytes);
            }
        }
    }
}
