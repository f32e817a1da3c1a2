using Sidecar.Dicom.Codecs;

namespace Sidecar.Workers;

/// <summary>All codecs: the managed ones, and those whose library runs in worker processes.</summary>
public static class NativeCodecs
{
    /// <param name="pool">Starts its workers only when a file in one of these syntaxes comes.</param>
    public static FrameCodecs AddTo(FrameCodecs managed, CodecWorkerPool pool)
    {
        var decoded = new DecodedFrames();
        var jpeg2000 = new Jpeg2000FrameCodec(pool, decoded);
        // OpenJPEG 2.5 cannot write HTJ2K; the lossless JPEG 2000 syntax holds the same samples in frames that every reader of HTJ2K can read.
        var highThroughput = new Jpeg2000FrameCodec(pool, decoded, TransferSyntaxUids.Jpeg2000Lossless);
        return managed.With(new Dictionary<string, IFrameCodec>
        {
            [TransferSyntaxUids.Jpeg2000Lossless] = jpeg2000,
            [TransferSyntaxUids.Jpeg2000] = jpeg2000,
            [TransferSyntaxUids.HighThroughputJpeg2000Lossless] = highThroughput,
            [TransferSyntaxUids.HighThroughputJpeg2000RpclLossless] = highThroughput,
            [TransferSyntaxUids.HighThroughputJpeg2000] = highThroughput,
        });
    }
}
