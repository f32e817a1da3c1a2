namespace Sidecar.Dicom.Files;

/// <summary>Small reads at any place of a seekable stream through one buffer.</summary>
internal sealed class StreamWindow(Stream stream)
{
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
}
