using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Sidecar.Dicom.Files;

namespace Sidecar.Storage;

/// <summary>
/// A file that is ciphertext on disk and a seekable stream here: AES-256-GCM (NIST SP 800-38D) in chunks of 64 KiB. Each writing of a chunk takes a
/// new random nonce, so that a chunk may be written again; its place is authenticated with it. The first 4 MiB are held in memory as they are
/// read or written, and reach the disk when the stream is flushed or disposed; so a short file is encrypted once, however often it is gone over.
/// A temporary one has no name, and uses the disk only for what is behind those 4 MiB.
/// </summary>
internal sealed class EncryptedStream : PositionedStream
{
    public const int KeyBytes = 32;

    private const int ChunkBytes = 64 * 1024;
    private const int HeldChunks = 64;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int StoredChunkBytes = NonceBytes + TagBytes + ChunkBytes;

    private readonly AesGcm cipher;
    // Where a temporary one's file is made when it is needed; null for others.
    private readonly string? temporaryFolder;
    // Held while chunks are looked at or exchanged.
    private readonly Lock gate = new();
    private readonly List<Chunk> held = [];
    private FileStream? file;
    // The file may have held more than it does now.
    private bool isToBeCut;
    // The chunk in work behind those held; another one takes its place.
    private Chunk? passing;
    private long length;

    /// <param name="file">Its handle is closed with this stream.</param>
    /// <param name="key">256 bits, for this file alone.</param>
    public EncryptedStream(FileStream file, ReadOnlySpan<byte> key)
    {
        this.file = file;
        cipher = new AesGcm(key, TagBytes);
        length = PlainLength(file.Length);
    }

    private EncryptedStream(string temporaryFolder)
    {
        this.temporaryFolder = temporaryFolder;
        cipher = new AesGcm(RandomNumberGenerator.GetBytes(KeyBytes), TagBytes);
    }

    /// <summary>A new one in the place of what the file holds, which is not looked at.</summary>
    /// <param name="file">Its handle is closed with the stream.</param>
    /// <param name="key">256 bits, for this content alone.</param>
    public static EncryptedStream Overwrite(FileStream file, ReadOnlySpan<byte> key) => new(file, key) { length = 0, isToBeCut = true };

    /// <summary>A new one whose content is gone for good when it is disposed, or when the process ends however it does.</summary>
    /// <param name="folder">For its file, if it grows that long.</param>
    public static EncryptedStream CreateTemporary(string folder) => new(folder);

    public override bool CanRead => file?.CanRead ?? true;

    public override bool CanSeek => true;

    public override bool CanWrite => file?.CanWrite ?? true;

    public override long Length => length;

    public override long Position { get; set; }

    /// <summary>Bytes of content in an encrypted file of this many bytes.</summary>
    public static long PlainLength(long storedLength)
    {
        var chunks = (storedLength + StoredChunkBytes - 1) / StoredChunkBytes;
        return Math.Max(0, storedLength - (chunks * (NonceBytes + TagBytes)));
    }

    private static long StoredLength(long plainLength)
    {
        var chunks = (plainLength + ChunkBytes - 1) / ChunkBytes;
        return plainLength + (chunks * (NonceBytes + TagBytes));
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
                var count = (int)Math.Min(wanted - done, ChunkBytes - offset);
                Load(index).Bytes.AsSpan((int)offset, count).CopyTo(buffer[done..]);
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
                var chunk = Load(Position / ChunkBytes);
                var offset = (int)(Position % ChunkBytes);
                var count = Math.Min(buffer.Length, ChunkBytes - offset);
                buffer[..count].CopyTo(chunk.Bytes.AsSpan(offset));
                chunk.IsChanged = true;
                buffer = buffer[count..];
                Position += count;
                length = Math.Max(length, Position);
            }
        }
    }

    public override void Flush()
    {
        Store();
        file?.Flush();
    }

    /// <summary>Returns when the content would survive a power cut.</summary>
    public void FlushToDisk()
    {
        Store();
        file?.Flush(flushToDisk: true);
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
                file?.Dispose();
                cipher.Dispose();
                foreach (var chunk in held)
                {
                    chunk.Forget();
                }
                passing?.Forget();
                held.Clear();
                passing = null;
            }
        }
        base.Dispose(disposing);
    }

    private int LengthOf(long index) => (int)Math.Clamp(length - (index * ChunkBytes), 0, ChunkBytes);

    private Chunk Load(long index)
    {
        if (index < held.Count)
        {
            return held[(int)index];
        }
        if (index < HeldChunks)
        {
            // Whoever writes has no gaps, but a reader may begin anywhere.
            while (held.Count <= index)
            {
                held.Add(Fill(new Chunk(held.Count)));
            }
            return held[(int)index];
        }
        if (passing?.Index != index)
        {
            var next = passing ?? new Chunk(index);
            StoreChanged(next);
            passing = null;
            next.Index = index;
            passing = Fill(next);
        }
        return passing;
    }

    private Chunk Fill(Chunk chunk)
    {
        var size = LengthOf(chunk.Index);
        var stored = ArrayPool<byte>.Shared.Rent(StoredChunkBytes);
        var isWhole = size == 0;
        try
        {
            if (!isWhole)
            {
                var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
                if (RandomAccess.Read(file!.SafeFileHandle, bytes, chunk.Index * StoredChunkBytes) != bytes.Length)
                {
                    throw Damaged();
                }
                cipher.Decrypt(
                    bytes[..NonceBytes], bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), chunk.Bytes.AsSpan(0, size), Place(chunk.Index, stackalloc byte[sizeof(long)]));
                isWhole = true;
            }
            return chunk;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Damaged();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            if (!isWhole)
            {
                chunk.Forget();
            }
        }
    }

    private void Store()
    {
        if (temporaryFolder is not null)
        {
            return;
        }
        lock (gate)
        {
            foreach (var chunk in held)
            {
                StoreChanged(chunk);
            }
            if (passing is not null)
            {
                StoreChanged(passing);
            }
            if (isToBeCut && file!.Length > StoredLength(length))
            {
                file.SetLength(StoredLength(length));
            }
        }
    }

    private void StoreChanged(Chunk chunk)
    {
        if (!chunk.IsChanged)
        {
            return;
        }
        var stored = ArrayPool<byte>.Shared.Rent(StoredChunkBytes);
        try
        {
            var size = LengthOf(chunk.Index);
            var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
            RandomNumberGenerator.Fill(bytes[..NonceBytes]);
            cipher.Encrypt(
                bytes[..NonceBytes], chunk.Bytes.AsSpan(0, size), bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), Place(chunk.Index, stackalloc byte[sizeof(long)]));
            file ??= CreateUnnamed(temporaryFolder!);
            RandomAccess.Write(file.SafeFileHandle, bytes, chunk.Index * StoredChunkBytes);
            chunk.IsChanged = false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private static FileStream CreateUnnamed(string folder)
    {
        PrivateFiles.CreateFolder(folder);
        var file = PrivateFiles.Create(Path.Combine(folder, Guid.NewGuid().ToString("n")));
        File.Delete(file.Name); // on Linux the open file lives on without its name
        return file;
    }

    private IOException Damaged() => new($"{file!.Name} is damaged on disk. Check the disk of Storage:Directory.");

    private static Span<byte> Place(long index, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, index);
        return bytes;
    }

    /// <summary>Plain bytes of one place of the file, in memory of the pool; the file's last one is as long as the file reaches into it.</summary>
    private sealed class Chunk(long index)
    {
        public long Index { get; set; } = index;

        public byte[] Bytes { get; } = ArrayPool<byte>.Shared.Rent(ChunkBytes);

        public bool IsChanged { get; set; }

        /// <summary>Gives the memory back, without what was in it.</summary>
        public void Forget()
        {
            CryptographicOperations.ZeroMemory(Bytes);
            ArrayPool<byte>.Shared.Return(Bytes);
        }
    }
}
