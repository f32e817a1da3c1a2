using System.Buffers;
using System.Security.Cryptography;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Masking;

/// <summary>
/// The SHA-256 of a file, and its MD5 where that is wanted, computed on another processor while the file is worked on: it is the most costly step for pixels
/// that are not compressed, and cannot be split.
/// </summary>
internal sealed class FileHash : IDisposable
{
    private const int BlockBytes = 1 << 18;

    /// <summary>Shorter files are hashed when they are asked for: handing them over would take longer.</summary>
    private const int MinBytesBeside = 1 << 20;

    /// <summary>Fewer are not worth the lanes that stay idle.</summary>
    private const int MinTogether = 4;

    private readonly Stream stream;
    private readonly bool withMd5;
    private readonly CancellationTokenSource stop;
    private readonly Task? beside;
    private string? sha256;
    private string? md5;

    /// <param name="stream">Its bytes stay as they are from now on. Hashed beside other work where it can be read so.</param>
    /// <param name="withMd5">Whether <see cref="Md5"/> will be asked for.</param>
    /// <param name="token">Checked between blocks.</param>
    public FileHash(Stream stream, bool withMd5, CancellationToken token)
    {
        this.stream = stream;
        this.withMd5 = withMd5;
        stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        beside = IsShort(stream.Length) || !new SharedStream(stream).IsSharable ? null : withMd5 ? Task.Run(() => ComputeBoth(stop.Token), stop.Token)
            : Task.Run(() => Compute(stop.Token), stop.Token);
    }

    /// <param name="stream">Its bytes, all of which <paramref name="arrived"/> has taken.</param>
    /// <param name="arrived">Takes nothing any more.</param>
    public FileHash(Stream stream, BlockHashes arrived)
    {
        (this.stream, withMd5, stop) = (stream, true, new CancellationTokenSource());
        beside = TakeFrom(arrived);
    }

    /// <summary>Lower-case hexadecimal. Waits until it is computed.</summary>
    public string Sha256
    {
        get
        {
            Wait();
            return sha256!;
        }
    }

    /// <summary>Lower-case hexadecimal; only where it was said that it is wanted.</summary>
    public string Md5
    {
        get
        {
            Wait();
            return md5!;
        }
    }

    /// <summary>Whether a file of this length is hashed only when it is asked for, so that several can be hashed together.</summary>
    public static bool IsShort(long length) => length < MinBytesBeside;

    /// <summary>Computes those that are left for later, several at once where the processor gains by it.</summary>
    public static void ComputeTogether(IEnumerable<FileHash> hashes)
    {
        if (!HashLanes.IsSupported)
        {
            return;
        }
        // Messages of about the same length end together.
        var left = hashes.Where(hash => hash.beside is null && hash.stream is MemoryStream).OrderBy(hash => hash.stream.Length);
        foreach (var group in left.Chunk(HashLanes.Lanes).Where(group => group.Length >= MinTogether))
        {
            var messages = Array.ConvertAll(group, hash => new SharedStream(hash.stream).InMemory);
            var sha256 = group.Length >= Sha256Lanes.GainsFrom ? HashLanes.Hash<Sha256Lanes>(messages) : null;
            var md5 = Array.TrueForAll(group, hash => hash.withMd5) ? HashLanes.Hash<Md5Lanes>(messages) : null;
            for (var i = 0; i < group.Length; i++)
            {
                group[i].sha256 = sha256 is null ? null : Convert.ToHexStringLower(sha256[i]);
                group[i].md5 = md5 is null ? null : Convert.ToHexStringLower(md5[i]);
            }
        }
    }

    /// <summary>Returns when all is computed.</summary>
    public void Wait()
    {
        if (beside is null)
        {
            Compute(stop.Token);
        }
        else
        {
            beside.GetAwaiter().GetResult();
        }
    }

    /// <summary>Returns when the stream is no longer read.</summary>
    public void Dispose()
    {
        stop.Cancel();
        if (beside is not null)
        {
            ((IAsyncResult)beside).AsyncWaitHandle.WaitOne();
            // Seen, although nobody asks for it any more.
            _ = beside.Exception;
        }
        stop.Dispose();
    }

    private async Task ComputeBoth(CancellationToken token)
    {
        using var hashes = new BlockHashes();
        foreach (var block in ReadBlocks(token))
        {
            await hashes.Append(block);
        }
        await TakeFrom(hashes);
    }

    private async Task TakeFrom(BlockHashes hashes) => (sha256, md5) = await hashes.End();

    /// <summary>What is missing, in one pass.</summary>
    private void Compute(CancellationToken token)
    {
        var (needsSha256, needsMd5) = (sha256 is null, withMd5 && md5 is null);
        if (!needsSha256 && !needsMd5)
        {
            return;
        }
        using var sha256Hash = needsSha256 ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        using var md5Hash = needsMd5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
        foreach (var block in ReadBlocks(token))
        {
            sha256Hash?.AppendData(block.Span);
            md5Hash?.AppendData(block.Span);
        }
        sha256 ??= Hex(sha256Hash);
        md5 ??= Hex(md5Hash);
    }

    private IEnumerable<ReadOnlyMemory<byte>> ReadBlocks(CancellationToken token)
    {
        var source = new SharedStream(stream);
        if (source.InMemory is { Length: > 0 } whole)
        {
            yield return whole;
            yield break;
        }
        var rented = ArrayPool<byte>.Shared.Rent(BlockBytes);
        var length = stream.Length;
        for (var position = 0L; position < length; position += BlockBytes)
        {
            token.ThrowIfCancellationRequested();
            var block = rented.AsMemory(0, (int)Math.Min(BlockBytes, length - position));
            source.ReadExactly(position, block.Span);
            yield return block;
        }
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static string? Hex(IncrementalHash? hash) => hash is null ? null : Convert.ToHexStringLower(hash.GetHashAndReset());
}
