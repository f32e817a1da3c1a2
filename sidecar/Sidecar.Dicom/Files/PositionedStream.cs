namespace Sidecar.Dicom.Files;

/// <summary>A seekable stream that other threads can read at any place while one thread uses it as a stream. Files and memory can without this.</summary>
public abstract class PositionedStream : Stream
{
    /// <summary>Reads at <paramref name="position"/> and leaves <see cref="Stream.Position"/> alone. Several threads may do so at once.</summary>
    /// <returns>Bytes read; fewer than asked for only at the end.</returns>
    public abstract int ReadAt(long position, Span<byte> buffer);

    /// <summary>All of it, where it lies in memory in one piece; empty where it does not. Not to be used after the next writing, or after it is disposed.</summary>
    public virtual ReadOnlyMemory<byte> InMemory => default;
}
