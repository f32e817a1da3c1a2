using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// JPEG 2000 and HTJ2K, decoded by OpenJPEG and always written reversibly. The colour transform is kept: frames that used one get the reversible one,
/// so that PhotometricInterpretation YBR_ICT becomes YBR_RCT (PS3.3 C.7.6.3.1.2 ties each name to its transform). Lossy JPEG 2000 stays in its
/// transfer syntax, which allows reversible frames (PS3.5 A.4.4).
/// </summary>
/// <param name="pool">Where OpenJPEG runs.</param>
/// <param name="decoded">Frames decoded a moment ago.</param>
/// <param name="outputTransferSyntaxUid">The transfer syntax of the result where the library can decode, but not encode the original's; null where it can.</param>
internal sealed class Jpeg2000FrameCodec(CodecWorkerPool pool, DecodedFrames decoded, string? outputTransferSyntaxUid = null) : NativeFrameCodec(pool, decoded)
{
    // OpenJPEG keeps six fractional bits beside the sample and its wavelet gain in 32 bits; beyond this, samples would not come back exactly.
    private const int MaxPrecision = 24;

    public override Transcoding? PlanTranscoding(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var photometricInterpretation = layout.PhotometricInterpretation == "YBR_ICT" && Jpeg2000Header.Read(codestream).UsesColorTransform ? "YBR_RCT" : null;
        return outputTransferSyntaxUid is null && photometricInterpretation is null ? null : new Transcoding(outputTransferSyntaxUid, photometricInterpretation);
    }

    protected override CodecPlan Plan(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var header = Jpeg2000Header.Read(codestream);
        var request = CheckAgainst(layout, header.Columns, header.Rows, header.Components, header.Precision);
        if (header.Precision > MaxPrecision || layout.BitsStored > MaxPrecision)
        {
            throw new UnsupportedInstanceException($"JPEG 2000 with samples of more than {MaxPrecision} bits cannot be masked exactly.");
        }
        request.IsSignedInCodestream = header.IsSigned ? 1 : 0;
        request.UseColorTransform = header.UsesColorTransform && header.Components >= 3 ? 1 : 0;
        return new CodecPlan(header.Start, header.Length,
            request with { Operation = WorkerOperation.DecodeJpeg2000 }, request with { Operation = WorkerOperation.EncodeJpeg2000 });
    }
}
