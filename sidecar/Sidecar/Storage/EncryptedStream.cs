using System.Buffers.Binary;
using System.Security.Cryptography;
using Sidecar.Dicom.Files;

namespace Sidecar.Storage;

/// <summary>
/// A file that is ciphertext on disk and a seekable stream here: AES-256-GCM (NIST SP 800-38D) in chunks of 64 KiB. Each writing of a chunk takes a
/// new random nonce, so that a chunk may be written again; its place is authenticated with it.
/// </summary>
internal sealed class EncryptedStream : PositionedStream
{
    public const int KeyBytes = 32;

    private const int ChunkBytes = 64 * 1024;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int StoredChunkBytes = NonceBytes + TagBytes + ChunkBytes;

    private readonly FileStream file;
    private readonly AesGcm cipher;
    // Held while the chunk in work is looked at or exchanged.
    private readonly Lock gate = new();
    private readonly byte[] stored = new byte[StoredChunkBytes];

    // The chunk in work. Its length is that of the file's end where it is the last one.
    private readonly byte[] chunk = new byte[ChunkBytes];
    private long chunkIndex = -1;
    private bool isChanged;
    private long length;

    /// <param name="file">Its handle is closed with this stream.</param>
    /// <param name="key">256 bits, for this file alone.</param>
    public EncryptedStream(FileStream file, ReadOnlySpan<byte> key)
    {
        this.file = file;
        cipher = new AesGcm(key, TagBytes);
        length = PlainLength(file.Length);
    }

    public override bool CanRead => file.CanRead;

    public override bool CanSeek => true;

    public override bool CanWrite => file.CanWrite;

    public override long Length => length;

    public override long Position { get; set; }

    /// <summary>Bytes of content in an encrypted file of this many bytes.</summary>
    public static long PlainLength(long storedLength)
    {
        var chunks = (storedLength + StoredChunkBytes - 1) / StoredChunkBytes;
        return Math.Max(0, storedLength - (chunks * (NonceBytes + TagBytes)));
    }

    /// <exception cref="IOException">What is on disk is not what was written: cut off, changed, or of another key.</exception>
    public override int Read(Span<byte> buffer)
    {
        var count = ReadAt(Position, buffer);
        Position += count;
        return count;
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">What is on disk is not what was written: cut off, changed, or of another key.</exception>
    public override int ReadAt(long position, Span<byte> buffer)
    {
        lock (gate)
        {
            var wanted = (int)Math.Min(buffer.Length, Math.Max(0, length - position));
            for (var done = 0; done < wanted;)
            {
                var (index, offset) = Math.DivRem(position + done, ChunkBytes);
                Load(index);
                var count = (int)Math.Min(wanted - done, ChunkBytes - offset);
                chunk.AsSpan((int)offset, count).CopyTo(buffer[done..]);
                done += count;
            }
            return wanted;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Position > length)
        {
            throw new NotSupportedException("An encrypted file has no gaps.");
        }
        lock (gate)
        {
            while (!buffer.IsEmpty)
            {
                Load(Position / ChunkBytes);
                var offset = (int)(Position % ChunkBytes);
                var count = Math.Min(buffer.Length, ChunkBytes - offset);
                buffer[..count].CopyTo(chunk.AsSpan(offset));
                isChanged = true;
                buffer = buffer[count..];
                Position += count;
                length = Math.Max(length, Position);
            }
        }
    }

    public override void Flush()
    {
        Store();
        file.Flush();
    }

    /// <summary>Returns when the content would survive a power cut.</summary>
    public void FlushToDisk()
    {
        Store();
        file.Flush(flushToDisk: true);
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // Files: there is nothing to wait for that a thread of the pool would not wait for just the same.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void SetLength(long value) => throw new NotSupportedException("An encrypted file only grows.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            try
            {
                Store();
            }
            finally
            {
                file.Dispose();
                cipher.Dispose();
                CryptographicOperations.ZeroMemory(chunk);
            }
        }
        base.Dispose(disposing);
    }

    private int LengthOf(long index) => (int)Math.Clamp(length - (index * ChunkBytes), 0, ChunkBytes);

    private void Load(long index)
    {
        if (index == chunkIndex)
        {
            return;
        }
        Store();
        chunkIndex = -1;
        var size = LengthOf(index);
        if (size > 0)
        {
            var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
            if (RandomAccess.Read(file.SafeFileHandle, bytes, index * StoredChunkBytes) != bytes.Length)
            {
                throw Damaged();
            }
            try
            {
                cipher.Decrypt(bytes[..NonceBytes], bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), chunk.AsSpan(0, size), Place(index, stackalloc byte[sizeof(long)]));
            }
            catch (AuthenticationTagMismatchException)
            {
                throw Damaged();
            }
        }
        chunkIndex = index;
    }

    private void Store()
    {
        lock (gate)
        {
            if (isChanged)
            {
                StoreChunk();
            }
        }
    }

    private void StoreChunk()
    {
        var size = LengthOf(chunkIndex);
        var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
        RandomNumberGenerator.Fill(bytes[..NonceBytes]);
        cipher.Encrypt(bytes[..NonceBytes], chunk.AsSpan(0, size), bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), Place(chunkIndex, stackalloc byte[sizeof(long)]));
        RandomAccess.Write(file.SafeFileHandle, bytes, chunkIndex * StoredChunkBytes);
        isChanged = false;
    }

    private IOException Damaged() => new($"{file.Name} is damaged on disk. Check the disk of Storage:Directory.");

    private static Span<byte> Place(long index, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, index);
        return bytes;
    }
}
