using System.Net;

namespace Sidecar.Orthanc;

/// <summary>A request's body that is a seekable stream from its beginning to its end, and does not close it: the file is needed after the answer.</summary>
internal sealed class FileContent(Stream file) : HttpContent
{
    private const int BlockBytes = 256 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        file.Position = 0;
        return file.CopyToAsync(stream, BlockBytes, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = file.Length;
        return true;
    }
}
