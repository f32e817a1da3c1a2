using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Pixels;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// JPEG-LS, lossless and near-lossless. A near-lossless frame is written with NEAR = 0 in its own transfer syntax, which allows it: its samples stay
/// what they were after the first loss. The interleave mode is kept.
/// </summary>
internal sealed class JpegLsFrameCodec(CodecWorkerPool pool, DecodedFrames decoded) : NativeFrameCodec(pool, decoded)
{
    public override Transcoding? PlanTranscoding(ReadOnlySpan<byte> codestream, PixelLayout layout) => null;

    protected override CodecPlan Plan(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var header = JpegLsHeader.Read(codestream);
        var request = CheckAgainst(layout, header.Columns, header.Rows, header.Components, header.Precision);
        request.InterleaveMode = header.InterleaveMode;
        return new CodecPlan(0, codestream.Length,
            request with { Operation = WorkerOperation.DecodeJpegLs }, request with { Operation = WorkerOperation.EncodeJpegLs });
    }
}
