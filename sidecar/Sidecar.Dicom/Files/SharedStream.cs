using Microsoft.Win32.SafeHandles;

namespace Sidecar.Dicom.Files;

/// <summary>
/// Reads at given places of a stream that several threads read at once. Files are read without waiting for each other. Of other streams
/// than files, memory and <see cref="PositionedStream"/> only one of these may be used at a time.
/// </summary>
internal sealed class SharedStream(Stream stream)
{
    // Asked for once: the property flushes and seeks.
    private readonly SafeFileHandle? handle = (stream as FileStream)?.SafeFileHandle;
    private readonly Lock gate = new();

    /// <summary>Where the bytes lie in memory already; empty where they do not.</summary>
    public ReadOnlyMemory<byte> InMemory { get; } = stream switch
    {
        MemoryStream memory when memory.TryGetBuffer(out var buffer) => buffer,
        PositionedStream positioned => positioned.InMemory,
        _ => default,
    };

    /// <summary>Whether several of these, and readers of the stream itself, may read it at once.</summary>
    public bool IsSharable => handle is not null || stream is PositionedStream || !InMemory.IsEmpty;

    /// <exception cref="EndOfStreamException">The stream ends before <paramref name="bytes"/> is full.</exception>
    public void ReadExactly(long position, Span<byte> bytes)
    {
        if (handle is null && stream is PositionedStream positioned)
        {
            if (positioned.ReadAt(position, bytes) < bytes.Length)
            {
                throw new EndOfStreamException();
            }
            return;
        }
        if (handle is null)
        {
            lock (gate)
            {
                stream.Position = position;
                stream.ReadExactly(bytes);
            }
            return;
        }
        while (bytes.Length > 0)
        {
            var count = RandomAccess.Read(handle, bytes, position);
            if (count == 0)
            {
                throw new EndOfStreamException();
            }
            bytes = bytes[count..];
            position += count;
        }
    }
}
