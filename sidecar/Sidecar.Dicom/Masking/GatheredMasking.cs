namespace Sidecar.Dicom.Masking;

/// <summary>What became of one instance, and the MD5 of both files, lower-case hexadecimal; null where nothing was masked.</summary>
public sealed record GatheredOutcome(MaskOutcome Outcome, string? OriginalMd5, string? ResultMd5);

/// <summary>
/// Masks for several callers at once, and lets the hashes of their short files be computed together, which takes a fraction of the time where the
/// processor has no instructions for SHA-256. Nobody waits for a caller who is not about to finish.
/// </summary>
public sealed class GatheredMasking(InstanceMasker masker)
{
    /// <summary>For others' images. Most take a few milliseconds; some are decoded for seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly List<Waiter> waiting = [];
    // Callers whose short files are being masked: they will come to the hashing soon.
    private int coming;

    /// <summary>As <see cref="InstanceMasker.BurnMasks"/>, on a thread of the pool.</summary>
    public async Task<GatheredOutcome> BurnMasks(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        if (!PendingMask.GainsByCompany(original.Length))
        {
            return await Task.Run(
                () =>
                {
                    using var alone = masker.Begin(original, result, masks, withMd5: true, token);
                    return Complete(alone);
                },
                token);
        }
        lock (gate)
        {
            coming++;
        }
        PendingMask pending;
        try
        {
            pending = await Task.Run(() => masker.Begin(original, result, masks, withMd5: true, token), token);
        }
        catch
        {
            Arrive(null);
            throw;
        }
        using (pending)
        {
            var waiter = new Waiter(pending);
            Arrive(waiter);
            if (await Task.WhenAny(waiter.Hashed.Task, Task.Delay(Patience, CancellationToken.None)) != waiter.Hashed.Task && !Leaves(waiter))
            {
                await waiter.Hashed.Task; // being hashed just now
            }
            return Complete(pending);
        }
    }

    private static GatheredOutcome Complete(PendingMask pending)
    {
        var outcome = pending.Complete();
        var (original, result) = outcome is MaskOutcome.Masked ? pending.Md5s : (null, null)!;
        return new GatheredOutcome(outcome, original, result);
    }

    /// <summary>Whoever makes the group full, or is the last to come, hashes for all.</summary>
    private void Arrive(Waiter? waiter)
    {
        List<Waiter> group = [];
        lock (gate)
        {
            coming--;
            if (waiter is not null)
            {
                waiting.Add(waiter);
            }
            if (coming == 0 || waiting.Count >= PendingMask.FullCompany)
            {
                group = [.. waiting];
                waiting.Clear();
            }
        }
        try
        {
            PendingMask.HashTogether(group.Select(one => one.Pending));
        }
        finally
        {
            // What was not hashed here is hashed by its own caller.
            group.ForEach(one => one.Hashed.TrySetResult());
        }
    }

    private bool Leaves(Waiter waiter)
    {
        lock (gate)
        {
            return waiting.Remove(waiter);
        }
    }

    private sealed class Waiter(PendingMask pending)
    {
        public PendingMask Pending { get; } = pending;

        public TaskCompletionSource Hashed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
