using System.Security.Cryptography;
using Sidecar.Dicom.Text;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>
/// A stored instance as the scanner reads it: fetched at each opening, small ones into memory, large ones into a file that is encrypted with a key
/// of this process alone and has no name any more: a crash leaves nothing.
/// </summary>
/// <param name="orthanc">Where it is.</param>
/// <param name="file">What it is.</param>
/// <param name="folder">For large ones.</param>
/// <param name="pause">Closed while somebody more important needs the machine.</param>
/// <param name="token">Ends fetching and waiting.</param>
internal sealed class OrthancScanSource(OrthancClient orthanc, StoredFile file, string folder, ManualResetEventSlim pause, CancellationToken token) : IScanSource
{
    /// <summary>Larger files go to disk. Bytes.</summary>
    public const int MaxInMemory = 32 << 20;

    private readonly Lock _lock = new();

    public StoredFile File => file;

    public string Name => file.Id.Value;

    /// <summary>Of what was read; null before the first opening.</summary>
    public string? Md5 { get; private set; }

    /// <summary>Somebody stored the instance anew between two openings.</summary>
    public bool IsMixed { get; private set; }

    /// <summary>Null before the first opening, and where it cannot be read.</summary>
    public ImageHeader? Header { get; private set; }

    /// <summary>Why the file could not be fetched; null where it was.</summary>
    public OrthancException? Failure { get; private set; }

    public Stream Open()
    {
        pause.Wait(token);
        Stream stream = file.Bytes <= MaxInMemory ? new MemoryStream((int)file.Bytes) : EncryptedStream.CreateTemporary(folder);
        try
        {
            // The scanner's threads are its own: it reads files, and this is one.
            var md5 = orthanc.ReadFile(file.Id, file.Bytes, stream, token).GetAwaiter().GetResult();
            lock (_lock)
            {
                IsMixed |= Md5 is not null && Md5 != md5;
                Header ??= Md5 is null ? ImageHeader.Read(stream) : null;
                Md5 = md5;
            }

            stream.Position = 0;
            return stream;
        }
        catch (Exception e)
        {
            stream.Dispose();
            Failure ??= e as OrthancException;
            throw;
        }
    }
}
