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

    /// <summary>Fewer are not worth the lanes that stay idle.</summary>
    private const int MinTogether = 4;

    private readonly Stream stream;
    private readonly CancellationTokenSource stop;
    private readonly Task<string>? beside;
    private string? hash;

    /// <param name="stream">Its bytes stay as they are from now on. Hashed beside other work where it can be read so.</param>
    /// <param name="token">Checked between blocks.</param>
    public FileHash(Stream stream, CancellationToken token)
    {
        this.stream = stream;
        stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        beside = IsShort(stream.Length) || !new SharedStream(stream).IsSharable ? null : Task.Run(() => Compute(stream, stop.Token), stop.Token);
    }

    /// <summary>Whether a file of this length is hashed only when it is asked for, so that several can be hashed together.</summary>
    public static bool IsShort(long length) => length < MinBytesBeside;

    /// <summary>Computes those that are left for later, several at once where the processor gains by it.</summary>
    public static void ComputeTogether(IEnumerable<FileHash> hashes)
    {
        if (!Sha256Lanes.IsFaster)
        {
            return;
        }
        // Messages of about the same length end together.
        var left = hashes.Where(hash => hash.beside is null && hash.stream is MemoryStream).OrderBy(hash => hash.stream.Length);
        foreach (var group in left.Chunk(Sha256Lanes.Lanes).Where(group => group.Length >= MinTogether))
        {
            var values = Sha256Lanes.Hash(Array.ConvertAll(group, hash => new SharedStream(hash.stream).InMemory));
            for (var i = 0; i < group.Length; i++)
            {
                group[i].hash = Convert.ToHexStringLower(values[i]);
            }
        }
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public string Wait() => hash ??= beside is null ? Compute(stream, stop.Token) : beside.GetAwaiter().GetResult();

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
