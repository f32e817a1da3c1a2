using System.IO.Compression;

namespace Sidecar.Dicom.Files;

/// <summary>Deflated Explicit VR Little Endian (PS3.5 A.5): everything after the file meta information is one raw deflate stream (RFC 1951).</summary>
internal static class DeflatedFile
{
    /// <summary>Past this a small file is a bomb rather than an image.</summary>
    private const long MaxExpandedLength = 4L << 30;

    /// <summary>A copy of the file with the data set expanded, for the caller to dispose.</summary>
    /// <exception cref="DicomFormatException">The stream does not inflate.</exception>
    public static Stream Expand(Stream file, FileMeta meta, CancellationToken token)
    {
        var expanded = CreateTemporary();
        try
        {
            CopyHead(file, expanded, meta);
            using var inflater = new DeflateStream(file, CompressionMode.Decompress, leaveOpen: true);
            var buffer = new byte[1 << 16];
            while (inflater.Read(buffer) is > 0 and var count)
            {
                token.ThrowIfCancellationRequested();
                expanded.Write(buffer, 0, count);
                if (expanded.Length > MaxExpandedLength)
                {
                    throw new DicomFormatException($"The deflated data set expands to more than {MaxExpandedLength >> 30} GiB.");
                }
            }
            return expanded;
        }
        catch (InvalidDataException)
        {
            expanded.Dispose();
            throw new DicomFormatException("The file is damaged: its deflated data set does not inflate.");
        }
        catch
        {
            expanded.Dispose();
            throw;
        }
    }

    /// <summary>Writes <paramref name="expanded"/> to <paramref name="file"/> with the data set deflated and padded to an even length.</summary>
    public static void Deflate(Stream expanded, Stream file, FileMeta meta)
    {
        CopyHead(expanded, file, meta);
        using (var deflater = new DeflateStream(file, CompressionLevel.Optimal, leaveOpen: true))
        {
            expanded.CopyTo(deflater, 1 << 16);
        }
        if ((file.Position - meta.DatasetStart) % 2 != 0)
        {
            file.WriteByte(0);
        }
    }

    /// <summary>A file that nobody else can open and that vanishes when closed: it holds a patient's image.</summary>
    internal static FileStream CreateTemporary()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        var stream = new FileStream(Path.Combine(Path.GetTempPath(), $"sidecar-{Guid.NewGuid():N}"), options);
        if (!OperatingSystem.IsWindows())
        {
            // Unlinked at once, so that not even a killed process leaves it behind.
            File.Delete(stream.Name);
        }
        return stream;
    }

    private static void CopyHead(Stream from, Stream to, FileMeta meta)
    {
        var head = new byte[meta.DatasetStart];
        from.Position = 0;
        from.ReadExactly(head);
        to.Write(head);
    }
}
