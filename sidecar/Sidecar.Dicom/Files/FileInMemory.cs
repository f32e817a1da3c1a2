using System.Buffers;
using System.Runtime.InteropServices;

namespace Sidecar.Dicom.Files;

/// <summary>
/// A file whole in memory: where it lies there already, or read once, into memory of the pool. For small files: what is read from it again costs no
/// system call and no second copy.
/// </summary>
internal sealed class FileInMemory : IDisposable
{
    /// <summary>Longer files are worked on where they lie, so that memory stays bounded. Bytes.</summary>
    public const int MaxLength = 16 << 20;

    // Null where the memory is the file's own.
    private readonly byte[]? rented;

    private FileInMemory(ArraySegment<byte> bytes, byte[]? rented)
    {
        this.rented = rented;
        Stream = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false, publiclyVisible: true);
    }

    /// <summary>Its bytes; not to be used after <see cref="Dispose"/>, nor after the file was written to or closed.</summary>
    public MemoryStream Stream { get; }

    public static FileInMemory Read(Stream stream)
    {
        if (MemoryMarshal.TryGetArray(new SharedStream(stream).InMemory, out var whole) && whole.Count > 0)
        {
            return new FileInMemory(whole, null);
        }
        var length = checked((int)stream.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        stream.Position = 0;
        stream.ReadExactly(rented, 0, length);
        return new FileInMemory(new ArraySegment<byte>(rented, 0, length), rented);
    }

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
