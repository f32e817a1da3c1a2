using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using Sidecar.Dicom.Files;

namespace Sidecar.Storage;

/// <summary>
/// A file that is ciphertext on disk and a seekable stream here: AES-256-GCM (NIST SP 800-38D) in chunks of 64 KiB. Each writing of a chunk takes a
/// new random nonce, so that a chunk may be written again; its place is authenticated with it. The first 4 MiB are held in one piece of memory as they
/// are read or written, and reach the disk when the stream is flushed or disposed; so a short file is encrypted once, however often it is gone over.
/// A temporary one has no name, and uses the disk only for what is behind those 4 MiB.
/// </summary>
internal sealed class EncryptedStream : PositionedStream
{
    public const int KeyBytes = 32;

    /// <summary>Of a file up to this length all is held in memory.</summary>
    public const int MaxInMemory = HeldChunks * ChunkBytes;

    private const int ChunkBytes = 64 * 1024;
    private const int HeldChunks = 64;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int StoredChunkBytes = NonceBytes + TagBytes + ChunkBytes;

    // The shared pool would keep one of each size for each thread that ever gave one back.
    private static readonly ArrayPool<byte> Memory = ArrayPool<byte>.Create(MaxInMemory, 64);

    private readonly byte[] key;
    // One a thread at work.
    private readonly ConcurrentBag<AesGcm> ciphers = [];
    // Where a temporary one's file is made when it is needed; null for others.
    private readonly string? temporaryFolder;
    // Held while chunks are looked at or exchanged.
    private readonly Lock gate = new();
    private FileStream? file;
    // The first chunks, one after the other, as far as they were asked for.
    private byte[] held = [];
    private int heldChunks;
    // A bit for each of them.
    private ulong changed;
    // The file may have held more than it does now.
    private bool isToBeCut;
    // The chunk in work behind those held; another one takes its place.
    private byte[]? passing;
    private long passingIndex;
    private bool isPassingChanged;
    private long length;

    /// <param name="file">Its handle is closed with this stream.</param>
    /// <param name="key">256 bits, for this file alone.</param>
    public EncryptedStream(FileStream file, ReadOnlySpan<byte> key)
    {
        this.file = file;
        this.key = key.ToArray();
        length = PlainLength(file.Length);
    }

    private EncryptedStream(string temporaryFolder)
    {
        this.temporaryFolder = temporaryFolder;
        key = RandomNumberGenerator.GetBytes(KeyBytes);
    }

    /// <summary>A new one in the place of what the file holds, which is not looked at.</summary>
    /// <param name="file">Its handle is closed with the stream.</param>
    /// <param name="key">256 bits, for this content alone.</param>
    /// <param name="expectedLength">Bytes that will be written, as far as that is known.</param>
    public static EncryptedStream Overwrite(FileStream file, ReadOnlySpan<byte> key, long expectedLength = 0)
    {
        var stream = new EncryptedStream(file, key) { length = 0, isToBeCut = true };
        stream.Reserve(expectedLength);
        return stream;
    }

    /// <summary>A new one whose content is gone for good when it is disposed, or when the process ends however it does.</summary>
    /// <param name="folder">For its file, if it grows that long.</param>
    /// <param name="expectedLength">Bytes that will be written, as far as that is known.</param>
    public static EncryptedStream CreateTemporary(string folder, long expectedLength = 0)
    {
        var stream = new EncryptedStream(folder);
        stream.Reserve(expectedLength);
        return stream;
    }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InMemory
    {
        get
        {
            lock (gate)
            {
                if (length > MaxInMemory)
                {
                    return default;
                }
                Hold((length + ChunkBytes - 1) / ChunkBytes);
                return held.AsMemory(0, (int)length);
            }
        }
    }

    public override bool CanRead => file?.CanRead ?? true;

    public override bool CanWrite => file?.CanWrite ?? true;

    public override long Length => length;

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

    /// <inheritdoc/>
    /// <exception cref="IOException">What is on disk is not what was written: cut off, changed, or of another key.</exception>
    public override int ReadAt(long position, Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, Math.Max(0, length - position));
        for (var done = 0; done < wanted;)
        {
            var (index, offset) = Math.DivRem(position + done, ChunkBytes);
            done += ReadChunk(index, (int)offset, buffer[done..wanted], wanted >= ChunkBytes);
        }
        return wanted;
    }

    /// <summary>As much as one chunk holds. Whoever reads much does not wait for others, and leaves the chunk in work to those who read little.</summary>
    private int ReadChunk(long index, int offset, Span<byte> buffer, bool readsMuch)
    {
        var count = Math.Min(buffer.Length, ChunkBytes - offset);
        lock (gate)
        {
            if (!readsMuch || index < HeldChunks || (passing is not null && passingIndex == index))
            {
                Load(index).Slice(offset, count).CopyTo(buffer);
                return count;
            }
        }
        if (count == LengthOf(index))
        {
            Fill(index, buffer[..count]);
            return count;
        }
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            Fill(index, chunk);
            chunk.AsSpan(offset, count).CopyTo(buffer);
            return count;
        }
        finally
        {
            Forget(ArrayPool<byte>.Shared, chunk, ChunkBytes);
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
                var (index, offset) = Math.DivRem(Position, ChunkBytes);
                var chunk = Load(index)[(int)offset..];
                var count = Math.Min(buffer.Length, chunk.Length);
                buffer[..count].CopyTo(chunk);
                MarkChanged(index);
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
                while (ciphers.TryTake(out var cipher))
                {
                    cipher.Dispose();
                }
                CryptographicOperations.ZeroMemory(key);
                Forget(Memory, held, heldChunks * ChunkBytes);
                Forget(ArrayPool<byte>.Shared, passing ?? [], ChunkBytes);
                (held, heldChunks, passing) = ([], 0, null);
            }
        }
        base.Dispose(disposing);
    }

    private int LengthOf(long index) => (int)Math.Clamp(length - (index * ChunkBytes), 0, ChunkBytes);

    /// <summary>Plain bytes of one place of the file; its last one is as long as the file reaches into it. Valid until the next is asked for.</summary>
    private Span<byte> Load(long index)
    {
        if (index < HeldChunks)
        {
            // Whoever writes has no gaps, but a reader may begin anywhere.
            Hold(index + 1);
            return held.AsSpan((int)index * ChunkBytes, ChunkBytes);
        }
        if (passing is null || passingIndex != index)
        {
            StorePassing();
            passing ??= ArrayPool<byte>.Shared.Rent(ChunkBytes);
            passingIndex = -1; // what cannot be read must not be taken for read
            Fill(index, passing);
            passingIndex = index;
        }
        return passing.AsSpan(0, ChunkBytes);
    }

    private void Hold(long chunks)
    {
        Reserve(chunks * ChunkBytes);
        for (; heldChunks < chunks; heldChunks++)
        {
            Fill(heldChunks, held.AsSpan(heldChunks * ChunkBytes, ChunkBytes));
        }
    }

    private void Reserve(long bytes)
    {
        var chunks = Math.Min((bytes + ChunkBytes - 1) / ChunkBytes, HeldChunks);
        if (held.Length < chunks * ChunkBytes)
        {
            var larger = Memory.Rent((int)Math.Max(chunks * ChunkBytes, Math.Min(2 * held.Length, HeldChunks * ChunkBytes)));
            held.AsSpan(0, heldChunks * ChunkBytes).CopyTo(larger);
            Forget(Memory, held, heldChunks * ChunkBytes);
            held = larger;
        }
    }

    private void MarkChanged(long index)
    {
        if (index < HeldChunks)
        {
            changed |= 1UL << (int)index;
        }
        else
        {
            isPassingChanged = true;
        }
    }

    private void Fill(long index, Span<byte> chunk)
    {
        var size = LengthOf(index);
        if (size == 0)
        {
            return;
        }
        var stored = ArrayPool<byte>.Shared.Rent(StoredChunkBytes);
        var cipher = TakeCipher();
        try
        {
            var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
            if (RandomAccess.Read(file!.SafeFileHandle, bytes, index * StoredChunkBytes) != bytes.Length)
            {
                throw Damaged();
            }
            cipher.Decrypt(bytes[..NonceBytes], bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), chunk[..size], Place(index, stackalloc byte[sizeof(long)]));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Damaged();
        }
        finally
        {
            ciphers.Add(cipher);
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private AesGcm TakeCipher() => ciphers.TryTake(out var cipher) ? cipher : new AesGcm(key, TagBytes);

    private void Store()
    {
        if (temporaryFolder is not null)
        {
            return;
        }
        lock (gate)
        {
            for (; changed != 0; changed &= changed - 1)
            {
                var index = BitOperations.TrailingZeroCount(changed);
                Store(index, held.AsSpan(index * ChunkBytes, ChunkBytes));
            }
            StorePassing();
            if (isToBeCut && file!.Length > StoredLength(length))
            {
                file.SetLength(StoredLength(length));
            }
        }
    }

    private void StorePassing()
    {
        if (isPassingChanged)
        {
            Store(passingIndex, passing);
            isPassingChanged = false;
        }
    }

    private void Store(long index, ReadOnlySpan<byte> chunk)
    {
        var stored = ArrayPool<byte>.Shared.Rent(StoredChunkBytes);
        var cipher = TakeCipher();
        try
        {
            var size = LengthOf(index);
            var bytes = stored.AsSpan(0, NonceBytes + TagBytes + size);
            RandomNumberGenerator.Fill(bytes[..NonceBytes]);
            cipher.Encrypt(bytes[..NonceBytes], chunk[..size], bytes[(NonceBytes + TagBytes)..], bytes.Slice(NonceBytes, TagBytes), Place(index, stackalloc byte[sizeof(long)]));
            file ??= CreateUnnamed(temporaryFolder!);
            RandomAccess.Write(file.SafeFileHandle, bytes, index * StoredChunkBytes);
        }
        finally
        {
            ciphers.Add(cipher);
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    // Gives the memory back, without what was in it.
    private static void Forget(ArrayPool<byte> pool, byte[] bytes, int used)
    {
        if (bytes.Length > 0)
        {
            CryptographicOperations.ZeroMemory(bytes.AsSpan(0, used));
            pool.Return(bytes);
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
}
