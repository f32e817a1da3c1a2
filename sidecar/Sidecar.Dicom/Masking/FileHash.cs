using System.Buffers;
using System.Security.Cryptography;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Masking;

/// <summary>
/// The SHA-256 of a file, computed on another processor while the file is worked on: it is the most costly step for pixels that are not compressed, and
/// cannot be split.
/// </summary>
internal sealed class FileHash : IDisposable
{
    private const int BlockBytes = 1 << 18;

    /// <summary>Shorter files are hashed when they are asked for: handing them over would take longer.</summary>
    private const int MinBytesBeside = 1 << 20;

    private readonly CancellationTokenSource stop;
    private readonly Task<string> hash;

    /// <param name="stream">In memory, or a file on disk whose bytes stay as they are from now on.</param>
    /// <param name="token">Checked between blocks.</param>
    public FileHash(Stream stream, CancellationToken token)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        hash = new Task<string>(() => Compute(stream, stop.Token));
        if (stream.Length >= MinBytesBeside)
        {
            hash.Start(TaskScheduler.Default);
        }
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public string Wait()
    {
        if (hash.Status == TaskStatus.Created)
        {
            hash.RunSynchronously(TaskScheduler.Default);
        }
        return hash.GetAwaiter().GetResult();
    }

    /// <summary>Returns when the stream is no longer read.</summary>
    public void Dispose()
    {
        stop.Cancel();
        if (hash.Status != TaskStatus.Created)
        {
            ((IAsyncResult)hash).AsyncWaitHandle.WaitOne();
            // Seen, although nobody asks for it any more.
            _ = hash.Exception;
        }
        stop.Dispose();
    }

    private static string Compute(Stream stream, CancellationToken token)
    {
        var source = new SharedStream(stream);
        if (source.InMemory is { Length: > 0 } whole)
        {
            return Convert.ToHexStringLower(SHA256.HashData(whole.Span));
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rented = ArrayPool<byte>.Shared.Rent(BlockBytes);
        var length = stream.Length;
        for (var position = 0L; position < length; position += BlockBytes)
        {
            token.ThrowIfCancellationRequested();
            var block = rented.AsSpan(0, (int)Math.Min(BlockBytes, length - position));
            source.ReadExactly(position, block);
            hash.AppendData(block);
        }
        ArrayPool<byte>.Shared.Return(rented);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
