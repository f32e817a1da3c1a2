namespace Sidecar.Dicom.Masking;

/// <summary>What became of one instance, and the MD5 of both files, lower-case hexadecimal; null where nothing was masked.</summary>
public sealed record GatheredOutcome(MaskOutcome Outcome, string? OriginalMd5, string? ResultMd5);

/// <summary>
/// Masks for several callers at once, and lets the hashes of their short files be computed together, which takes a fraction of the time where the
/// processor has no instructions for SHA-256. A caller who takes long keeps nobody waiting.
/// </summary>
public sealed class GatheredMasking(InstanceMasker masker)
{
    /// <summary>For others' images. Most come within a few milliseconds; some are decoded for seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(40);

    private readonly InstanceMasker masker = masker;
    private readonly Lock gate = new();
    private List<Waiter> waiting = [];
    // Callers who will come to the hashing of short files soon.
    private int coming;

    /// <summary>Says that an image will come, so that the hashes of those before it wait for it a little. Dispose the result when it has come or will not.</summary>
    /// <param name="length">Of its file, in bytes, as far as it is known.</param>
    public ExpectedImage Expect(long length) => new(this, PendingMask.GainsByCompany(length));

    private static GatheredOutcome Complete(PendingMask pending)
    {
        var outcome = pending.Complete();
        var (original, result) = outcome is MaskOutcome.Masked ? pending.Md5s : (null, null)!;
        return new GatheredOutcome(outcome, original, result);
    }

    private async Task<GatheredOutcome> HashAndComplete(PendingMask pending, Action arrive)
    {
        var waiter = new Waiter(pending);
        lock (gate)
        {
            waiting.Add(waiter);
        }
        arrive();
        if (await Task.WhenAny(waiter.Hashed.Task, Task.Delay(Patience, CancellationToken.None)) != waiter.Hashed.Task)
        {
            List<Waiter> group;
            lock (gate)
            {
                group = waiting.Contains(waiter) ? Take() : [];
            }
            Hash(group);
            await waiter.Hashed.Task;
        }
        return Complete(pending);
    }

    private void Announce()
    {
        lock (gate)
        {
            coming++;
        }
    }

    /// <summary>Whoever makes the group full, or is the last to come, hashes for all.</summary>
    private void Arrive()
    {
        List<Waiter> group;
        lock (gate)
        {
            coming--;
            group = coming == 0 || waiting.Count >= PendingMask.FullCompany ? Take() : [];
        }
        Hash(group);
    }

    private List<Waiter> Take()
    {
        var group = waiting;
        waiting = [];
        return group;
    }

    private static void Hash(List<Waiter> group)
    {
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

    /// <summary>One image that was announced.</summary>
    public sealed class ExpectedImage : IDisposable
    {
        private readonly GatheredMasking owner;
        private int announced;

        internal ExpectedImage(GatheredMasking owner, bool isShort)
        {
            this.owner = owner;
            announced = isShort ? 1 : 0;
            if (isShort)
            {
                owner.Announce();
            }
        }

        /// <summary>As <see cref="InstanceMasker.BurnMasks"/>, on a thread of the pool.</summary>
        public async Task<GatheredOutcome> BurnMasks(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
        {
            using var pending = await Task.Run(() => owner.masker.Begin(original, result, masks, withMd5: true, token), token);
            return Volatile.Read(ref announced) == 1 ? await owner.HashAndComplete(pending, Dispose) : await Task.Run(() => Complete(pending), token);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref announced, 0) == 1)
            {
                owner.Arrive();
            }
        }
    }

    private sealed class Waiter(PendingMask pending)
    {
        public PendingMask Pending { get; } = pending;

        public TaskCompletionSource Hashed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
