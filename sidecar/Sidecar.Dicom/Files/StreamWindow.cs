namespace Sidecar.Dicom.Files;

/// <summary>Small reads at any place of a seekable stream through one buffer.</summary>
internal sealed class StreamWindow(Stream stream)
{
    private const int ScanBytes = 4096;

    private readonly byte[] buffer = new byte[8192];
    private long start;
    private int count;

    public long Length { get; } = stream.Length;

    /// <summary>The <paramref name="size"/> bytes at <paramref name="position"/>; valid until the next read.</summary>
    /// <exception cref="DicomFormatException">The stream ends before.</exception>
    public ReadOnlySpan<byte> Read(long position, int size)
    {
        if (position + size > Length)
        {
            throw new DicomFormatException($"The file is truncated: it ends at byte {Length}, in the middle of an element header at byte {position}.");
        }
        if (position < start || position + size > start + count)
        {
            stream.Position = start = position;
            count = stream.ReadAtLeast(buffer, size);
        }
        return buffer.AsSpan((int)(position - start), size);
    }

    public bool IsZero(long position, long end)
    {
        for (int count; position < end; position += count)
        {
            count = (int)Math.Min(ScanBytes, end - position);
            if (Read(position, count).ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether the tag of Pixel Data or of Icon Image Sequence is among the bytes, in either byte order.</summary>
    public bool NamesPicture(long position, long end)
    {
        const int TagBytes = 4;
        for (int count; end - position >= TagBytes; position += count - (TagBytes - 1))
        {
            count = (int)Math.Min(ScanBytes, end - position);
            var bytes = Read(position, count);
            if (bytes.IndexOf((ReadOnlySpan<byte>)[0xE0, 0x7F, 0x10, 0x00]) >= 0 || bytes.IndexOf((ReadOnlySpan<byte>)[0x7F, 0xE0, 0x00, 0x10]) >= 0
                || bytes.IndexOf((ReadOnlySpan<byte>)[0x88, 0x00, 0x00, 0x02]) >= 0 || bytes.IndexOf((ReadOnlySpan<byte>)[0x00, 0x88, 0x02, 0x00]) >= 0)
            {
                return true;
            }
        }
        return false;
    }
}
