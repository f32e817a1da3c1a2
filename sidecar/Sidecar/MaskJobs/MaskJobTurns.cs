using Microsoft.Extensions.Options;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

/// <summary>
/// Hands out the places for instances in work on this node: to people before bulk jobs, and among them to the user who had the fewest frames
/// so far (start-time fair queueing), so that one user's thousand slices do not keep another's single one waiting.
/// </summary>
internal sealed class MaskJobTurns(IOptions<OrthancOptions> options)
{
    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiting = [];
    private readonly Dictionary<string, long> _next = [];
    private int _free = options.Value.Connections;
    private long _now;
    private long _arrivals;

    /// <summary>Waits for a place; disposing the result gives it back.</summary>
    public async Task<IDisposable> Enter(MaskJob job, long frames, CancellationToken token)
    {
        var waiter = new Waiter(job.Priority, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            // A user who comes (back) starts where the others are, neither ahead of them nor behind.
            var start = Math.Max(_now, _next.GetValueOrDefault(job.CreatedBySubject));
            _next[job.CreatedBySubject] = start + frames;
            (waiter.Start, waiter.Arrival) = (start, _arrivals++);
            _waiting.Add(waiter);
            Admit();
        }

        await using (token.Register(() => waiter.Ready.TrySetCanceled(token)))
        {
            await waiter.Ready.Task;
        }

        return new Place(this);
    }

    private void Leave()
    {
        lock (_lock)
        {
            _free++;
            Admit();
        }
    }

    private void Admit()
    {
        _waiting.RemoveAll(w => w.Ready.Task.IsCompleted); // gave up
        while (_free > 0 && _waiting.MinBy(w => (w.Priority, w.Start, w.Arrival)) is { } next)
        {
            _waiting.Remove(next);
            if (next.Ready.TrySetResult())
            {
                _free--;
                _now = Math.Max(_now, next.Start);
            }
        }

        if (_waiting.Count == 0 && _free == options.Value.Connections)
        {
            _next.Clear(); // nobody is here: nobody has an advantage
            _now = 0;
        }
    }

    private sealed record Waiter(MaskJobPriority Priority, TaskCompletionSource Ready)
    {
        public long Start { get; set; }

        public long Arrival { get; set; }
    }

    private sealed class Place(MaskJobTurns turns) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                turns.Leave();
            }
        }
    }
}
