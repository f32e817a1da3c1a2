using System.Buffers;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// JPEG 2000 and HTJ2K, decoded by OpenJPEG in a worker process and always written reversibly. Headers are read and compared with the layout here, in
/// managed code, before a worker sees a byte. The colour transform is kept: frames that used one get the reversible one, so that
/// PhotometricInterpretation YBR_ICT becomes YBR_RCT (PS3.3 C.7.6.3.1.2 ties each name to its transform). Lossy JPEG 2000 stays in its transfer syntax,
/// which allows reversible frames (PS3.5 A.4.4). Packet order, wavelet levels and code-block size are kept.
/// </summary>
/// <param name="pool">Where OpenJPEG runs.</param>
/// <param name="decoded">Frames decoded a moment ago.</param>
/// <param name="outputTransferSyntaxUid">The transfer syntax of the result where the library can decode, but not encode the original's; null where it can.</param>
internal sealed class Jpeg2000FrameCodec(CodecWorkerPool pool, DecodedFrames decoded, string? outputTransferSyntaxUid = null) : IFrameCodec
{
    // OpenJPEG keeps six fractional bits beside the sample and its wavelet gain in 32 bits; beyond this, samples would not come back exactly.
    private const int MaxPrecision = 24;

    // Of more bits than these, the low bit-planes are mostly noise: writing them as raw bits saves a fifth of the time and costs 2 % of size at most.
    private const int MaxPrecisionForArithmeticCodingThroughout = 8;

    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        _ = ReadHeader(codestream, layout);
        return CodedSamples.Describe(layout, black);
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        if (!decoded.TryTake(codestream, layout, frame))
        {
            var header = ReadHeader(codestream, layout);
            pool.Decode(Request(WorkerOperation.DecodeJpeg2000, header, layout), codestream.Slice(header.Start, header.Length), frame);
        }
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var header = ReadHeader(codestream, layout);
        var format = CodedSamples.Describe(layout, black);
        var stream = codestream.Slice(header.Start, header.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)format.Shape.FrameBytes));
        var frame = buffer.AsSpan(0, (int)format.Shape.FrameBytes);
        pool.Decode(Request(WorkerOperation.DecodeJpeg2000, header, layout), stream, frame);
        decoded.Keep(codestream, layout, frame);
        foreach (var region in regions)
        {
            FrameBurner.Burn(frame, format.Shape, format.BlackUnits, region);
        }
        var encoding = Request(WorkerOperation.EncodeJpeg2000, header, layout);
        encoding.Precision = ChoosePrecision(header, layout, black);
        result.Write(pool.Encode(encoding, stream, frame));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    public Transcoding? PlanTranscoding(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var photometricInterpretation = layout.PhotometricInterpretation == "YBR_ICT" && Jpeg2000Header.Read(codestream).UsesColorTransform ? "YBR_RCT" : null;
        return outputTransferSyntaxUid is null && photometricInterpretation is null ? null : new Transcoding(outputTransferSyntaxUid, photometricInterpretation);
    }

    private static Jpeg2000Header ReadHeader(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var header = Jpeg2000Header.Read(codestream);
        new CodedSamples(header.Columns, header.Rows, header.Components, header.Precision).CheckAgainst(layout);
        return header.Precision <= MaxPrecision && layout.BitsStored <= MaxPrecision
            ? header
            : throw new UnsupportedInstanceException($"JPEG 2000 with samples of more than {MaxPrecision} bits cannot be masked exactly.");
    }

    private static WorkerRequest Request(WorkerOperation operation, Jpeg2000Header header, PixelLayout layout) => new()
    {
        Operation = operation,
        Columns = header.Columns,
        Rows = header.Rows,
        Components = header.Components,
        SampleBytes = layout.SampleBytes,
        IsSigned = layout.IsSigned ? 1 : 0,
        Precision = header.Precision,
        IsSignedInCodestream = header.IsSigned ? 1 : 0,
        UseColorTransform = header.UsesColorTransform && header.Components >= 3 ? 1 : 0,
        Progression = header.Progression,
        DecompositionLevels = header.DecompositionLevels,
        CodeBlockWidth = 1 << header.CodeBlockWidthExponent,
        CodeBlockHeight = 1 << header.CodeBlockHeightExponent,
        BypassArithmeticCoder = header.BypassesArithmeticCoder || header.Precision > MaxPrecisionForArithmeticCodingThroughout ? 1 : 0,
    };

    /// <summary>
    /// The codestream's own precision, so that nothing changes for any reader. Some writers use fewer bits than BitsStored says; where black needs the
    /// others, the frame is written with all of them, which leaves the value of every sample as it was.
    /// </summary>
    private static int ChoosePrecision(Jpeg2000Header header, PixelLayout layout, BlackSample black) =>
        CodedSamples.CanHoldBlack(header.Precision, layout, black) ? header.Precision
        : header.IsSigned == layout.IsSigned ? layout.BitsStored
        : throw new UnsupportedInstanceException("The compressed frames and the header disagree on both the sign and the depth of the samples, so black is not known.");
}
