using System.Diagnostics;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

/// <summary>
/// Puts masked images of one job on record, all that come while one transaction runs in the next one together: the disk is waited for once, not for each image.
/// </summary>
internal sealed class MaskedOutcomes(MaskJobStore store, JobClaim claim) : IDisposable
{
    // Between two transactions: long enough for several images of a series, too short for whoever looks on.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private readonly SemaphoreSlim _writer = new(1);
    private readonly Lock _lock = new();
    private List<Waiter> _waiting = [];
    private long? _recordedAt;

    /// <summary>Returns when the image is on record. An error is that of the whole transaction: none of its images is.</summary>
    public async Task Record(ReplacementOutcome.Replaced image, CancellationToken token)
    {
        var mine = new Waiter(image, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            _waiting.Add(mine);
        }

        await _writer.WaitAsync(token);
        try
        {
            if (!mine.Recorded.Task.IsCompleted)
            {
                await PauseBetween(token);
                await RecordWaiting(token);
                _recordedAt = Stopwatch.GetTimestamp();
            }
        }
        finally
        {
            _writer.Release();
        }

        await mine.Recorded.Task;
    }

    public void Dispose() => _writer.Dispose();

    private async Task PauseBetween(CancellationToken token)
    {
        if (_recordedAt is { } before && Pause - Stopwatch.GetElapsedTime(before) is { Ticks: > 0 } left)
        {
            await Task.Delay(left, token);
        }
    }

    private async Task RecordWaiting(CancellationToken token)
    {
        List<Waiter> group;
        lock (_lock)
        {
            (group, _waiting) = (_waiting, []);
        }

        try
        {
            await store.RecordMasked(claim, [.. group.Select(w => w.Image)], token);
            group.ForEach(w => w.Recorded.TrySetResult());
        }
        catch (Exception e)
        {
            group.ForEach(w => w.Recorded.TrySetException(e)); // each caller throws it
        }
    }

    private sealed record Waiter(ReplacementOutcome.Replaced Image, TaskCompletionSource Recorded);
}
