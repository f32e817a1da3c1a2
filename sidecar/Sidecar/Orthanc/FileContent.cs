using System.Buffers;
using System.Net;
using Sidecar.Dicom.Files;

namespace Sidecar.Orthanc;

/// <summary>A request's body that is a seekable stream from its beginning to its end, and does not close it: the file is needed after the answer.</summary>
/// <param name="file">What is sent.</param>
/// <param name="sent">Called after each block that was taken, with the number of bytes that are left.</param>
internal sealed class FileContent(Stream file, Action<long> sent) : HttpContent
{
    private const int BlockBytes = 256 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (file is PositionedStream { InMemory: { IsEmpty: false } whole })
        {
            for (var left = whole; !left.IsEmpty;)
            {
                var block = left[..Math.Min(BlockBytes, left.Length)];
                await stream.WriteAsync(block, cancellationToken);
                left = left[block.Length..];
                sent(left.Length);
            }

            return;
        }

        file.Position = 0;
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            for (int read; (read = await file.ReadAsync(buffer.AsMemory(0, BlockBytes), cancellationToken)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                sent(file.Length - file.Position);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = file.Length;
        return true;
    }
}
