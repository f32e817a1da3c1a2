namespace Sidecar.Dicom.Masking;

/// <summary>
/// One instance masked and compared, whose files are perhaps not hashed yet: hashing the short files of several instances together takes a fraction of
/// the time. Holds what it has read until it is disposed.
/// </summary>
public sealed class PendingMask : IDisposable
{
    private readonly Stack<IDisposable> held = [];
    private readonly List<FileHash> hashes = [];
    private readonly bool withMd5;
    private Func<MaskOutcome>? complete;

    /// <summary>So many have enough files to hash that more would gain nothing.</summary>
    internal const int FullCompany = HashLanes.Lanes / 2;

    internal PendingMask(bool withMd5) => this.withMd5 = withMd5;

    /// <summary>MD5 of the original and of the result, lower-case hexadecimal, where they were asked for and the outcome is <see cref="MaskOutcome.Masked"/>; waits as <see cref="Complete"/> does.</summary>
    internal (string Original, string Result) Md5s => (hashes[0].Md5, hashes[1].Md5);

    /// <summary>Whether a file of this length, and what is made of it, is hashed more quickly together with others.</summary>
    internal static bool GainsByCompany(long length) => HashLanes.IsSupported && FileHash.IsShort(length);

    /// <summary>Hashes the files of several instances, as far as that is quicker together.</summary>
    public static void HashTogether(IEnumerable<PendingMask> pending) => FileHash.ComputeTogether(pending.SelectMany(one => one.hashes));

    /// <summary>The outcome, with both hashes; waits for those that are not ready.</summary>
    /// <exception cref="IOException">A stream failed: the world is broken, not the instance.</exception>
    public MaskOutcome Complete() => complete!();

    public void Dispose()
    {
        while (held.TryPop(out var one))
        {
            one.Dispose();
        }
    }

    internal T Hold<T>(T one)
        where T : IDisposable
    {
        held.Push(one);
        return one;
    }

    /// <summary>Begins to hash <paramref name="stream"/>, first the original, then the result, or leaves it for later where it is short.</summary>
    internal FileHash Hash(Stream stream, BlockHashes? arrived, CancellationToken token)
    {
        var hash = Hold(arrived is not null && arrived.Length == stream.Length ? new FileHash(stream, arrived) : new FileHash(stream, withMd5, token));
        hashes.Add(hash);
        return hash;
    }

    internal void End(MaskOutcome outcome) => End(() => outcome);

    internal void End(Func<MaskOutcome> outcome) => complete = outcome;
}
