namespace Sidecar.Dicom.Masking;

/// <summary>What became of one instance, and the MD5 of both files, lower-case hexadecimal; null where nothing was masked.</summary>
public sealed record GatheredOutcome(MaskOutcome Outcome, string? OriginalMd5, string? ResultMd5);

/// <summary>
/// Masks for several callers at once, and lets the hashes of their short files be computed together, which takes a fraction of the time. A caller who
/// takes long keeps nobody waiting.
/// </summary>
public sealed class GatheredMasking(InstanceMasker masker)
{
    /// <summary>For others' images. Most come within a few milliseconds; some are decoded for seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(40);

    private readonly InstanceMasker masker = masker;
    private readonly Lock gate = new();
    private List<Waiter> waiting = [];
    // Short files that somebody is at work on, those waiting among them: whoever is done with one begins the next.
    private int inWork;

    /// <summary>Says that work on an image begins, so that the hashes of others wait a little for it, or for what comes after it. Dispose the result when it ends.</summary>
    /// <param name="length">Of its file, in bytes, as far as it is known.</param>
    public ExpectedImage Expect(long length) => new(this, PendingMask.GainsByCompany(length), FileHash.IsShort(length) ? null : new BlockHashes());

    private static GatheredOutcome Complete(PendingMask pending)
    {
        var outcome = pending.Complete();
        var (original, result) = outcome is MaskOutcome.Masked ? pending.Md5s : (null, null)!;
        return new GatheredOutcome(outcome, original, result);
    }

    private async Task<GatheredOutcome> HashAndComplete(PendingMask pending)
    {
        var waiter = new Waiter(pending);
        Hash(Change(() => waiting.Add(waiter)));
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

    /// <returns>Those to hash now: there are enough, or nobody is left to wait for.</returns>
    private List<Waiter> Change(Action change)
    {
        lock (gate)
        {
            change();
            return waiting.Count >= Math.Min(inWork, PendingMask.FullCompany) ? Take() : [];
        }
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
        private readonly BlockHashes? arriving;
        private int counted;

        internal ExpectedImage(GatheredMasking owner, bool isShort, BlockHashes? arriving)
        {
            this.owner = owner;
            this.arriving = arriving;
            counted = isShort ? 1 : 0;
            if (isShort)
            {
                owner.Change(() => owner.inWork++);
            }
        }

        /// <summary>Takes the next bytes of the original as they come, where hashing them meanwhile saves time. All of them, or none.</summary>
        public ValueTask Take(ReadOnlyMemory<byte> bytes) => arriving?.Append(bytes) ?? ValueTask.CompletedTask;

        /// <summary>As <see cref="InstanceMasker.BurnMasks"/>, on a thread of the pool.</summary>
        public async Task<GatheredOutcome> BurnMasks(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
        {
            using var pending = await Task.Run(() => owner.masker.Begin(original, result, masks, withMd5: true, arriving, token), token);
            return Volatile.Read(ref counted) == 1 ? await owner.HashAndComplete(pending) : await Task.Run(() => Complete(pending), token);
        }

        public void Dispose()
        {
            arriving?.Dispose();
            if (Interlocked.Exchange(ref counted, 0) == 1)
            {
                Hash(owner.Change(() => owner.inWork--));
            }
        }
    }

    private sealed class Waiter(PendingMask pending)
    {
        public PendingMask Pending { get; } = pending;

        public TaskCompletionSource Hashed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
