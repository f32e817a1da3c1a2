namespace Sidecar.Dicom.Files;

/// <summary>A seekable stream that only grows, and that other threads can read at any place while one thread uses it as a stream. Files and memory can without this.</summary>
public abstract class PositionedStream : Stream
{
    public sealed override bool CanSeek => true;

    public sealed override long Position { get; set; }

    /// <summary>Reads at <paramref name="position"/> and leaves <see cref="Stream.Position"/> alone. Several threads may do so at once.</summary>
    /// <returns>Bytes read; fewer than asked for only at the end.</returns>
    public abstract int ReadAt(long position, Span<byte> buffer);

    /// <summary>All of it, where it lies in memory in one piece; empty where it does not. Not to be used after the next writing, or after it is disposed.</summary>
    public virtual ReadOnlyMemory<byte> InMemory => default;

    public sealed override int Read(Span<byte> buffer)
    {
        var count = ReadAt(Position, buffer);
        Position += count;
        return count;
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    // Files and memory: there is nothing to wait for that a thread of the pool would not wait for just the same.
    public sealed override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public abstract override void Write(ReadOnlySpan<byte> buffer);

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public sealed override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public sealed override void SetLength(long value) => throw new NotSupportedException("It only grows.");
}
