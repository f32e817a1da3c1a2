using System.Buffers;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace Sidecar.Dicom.Masking;

/// <summary>SHA-256 and MD5 of bytes that come block by block, each computed on a thread of its own while the next blocks come.</summary>
internal sealed class BlockHashes : IDisposable
{
    // Whoever is that much ahead waits.
    private const int WaitingBlocks = 8;

    private readonly Channel<Block>[] channels = [Channel.CreateBounded<Block>(WaitingBlocks), Channel.CreateBounded<Block>(WaitingBlocks)];
    private readonly Task<string>[] hashes;

    public BlockHashes() => hashes = [Hash(HashAlgorithmName.SHA256, channels[0].Reader), Hash(HashAlgorithmName.MD5, channels[1].Reader)];

    /// <summary>Bytes that came.</summary>
    public long Length { get; private set; }

    /// <summary>Takes a copy of the next bytes. One call at a time.</summary>
    public async ValueTask Append(ReadOnlyMemory<byte> bytes)
    {
        var block = new Block(bytes, channels.Length);
        Length += bytes.Length;
        foreach (var channel in channels)
        {
            await channel.Writer.WriteAsync(block);
        }
    }

    /// <summary>The hashes of all that came, lower-case hexadecimal. Nothing is taken any more.</summary>
    public async Task<(string Sha256, string Md5)> End()
    {
        Dispose();
        var both = await Task.WhenAll(hashes);
        return (both[0], both[1]);
    }

    /// <summary>Takes nothing any more.</summary>
    public void Dispose() => Array.ForEach(channels, channel => channel.Writer.TryComplete());

    private static Task<string> Hash(HashAlgorithmName name, ChannelReader<Block> blocks) => Task.Run(async () =>
    {
        using var hash = IncrementalHash.CreateHash(name);
        await foreach (var block in blocks.ReadAllAsync())
        {
            hash.AppendData(block.Bytes);
            block.Release();
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    });

    private sealed class Block
    {
        private readonly byte[] rented;
        private readonly int count;
        private int users;

        public Block(ReadOnlyMemory<byte> bytes, int users)
        {
            (rented, count, this.users) = (ArrayPool<byte>.Shared.Rent(bytes.Length), bytes.Length, users);
            bytes.CopyTo(rented);
        }

        public ReadOnlySpan<byte> Bytes => rented.AsSpan(0, count);

        public void Release()
        {
            if (Interlocked.Decrement(ref users) == 0)
            {
                ArrayPool<byte>.Shared.Return(rented, clearArray: true);
            }
        }
    }
}
