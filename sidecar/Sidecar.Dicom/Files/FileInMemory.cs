using System.Buffers;

namespace Sidecar.Dicom.Files;

/// <summary>A file read once, whole, into pooled memory. For small files: what is read from it again costs no system call and no second copy.</summary>
internal sealed class FileInMemory : IDisposable
{
    /// <summary>Longer files are worked on where they lie, so that memory stays bounded. Bytes.</summary>
    public const int MaxLength = 16 << 20;

    private readonly byte[] rented;

    private FileInMemory(byte[] rented, int length)
    {
        this.rented = rented;
        Stream = new MemoryStream(rented, 0, length, writable: false, publiclyVisible: true);
    }

    /// <summary>Its bytes; not to be used after <see cref="Dispose"/>.</summary>
    public MemoryStream Stream { get; }

    public static FileInMemory Read(Stream stream)
    {
        var length = checked((int)stream.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        stream.Position = 0;
        stream.ReadExactly(rented, 0, length);
        return new FileInMemory(rented, length);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(rented);
}
