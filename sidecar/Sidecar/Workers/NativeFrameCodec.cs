using System.Buffers;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// A codec whose library runs in a worker process. Headers are read and compared with the layout here, in managed code, before a worker sees a byte;
/// frames decode to one plane, colour-by-pixel. Burning decodes, blackens and encodes without loss.
/// </summary>
internal abstract class NativeFrameCodec(CodecWorkerPool pool, DecodedFrames decoded) : IFrameCodec
{
    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        _ = Plan(codestream, layout);
        var shape = new FrameShape(1, layout.Rows, layout.Columns, layout.SamplesPerPixel * layout.SampleBytes);
        return new FrameFormat(shape, black.FillUnits(shape, layout.SampleBytes, isBigEndian: false));
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        if (!decoded.TryTake(codestream, layout, frame))
        {
            var plan = Plan(codestream, layout);
            pool.Decode(plan.Decoding, codestream.Slice(plan.Start, plan.Length), frame);
        }
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var plan = Plan(codestream, layout);
        var format = Describe(codestream, layout, black);
        var stream = codestream.Slice(plan.Start, plan.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)format.Shape.FrameBytes));
        var frame = buffer.AsSpan(0, (int)format.Shape.FrameBytes);
        pool.Decode(plan.Decoding, stream, frame);
        decoded.Keep(codestream, layout, frame);
        foreach (var region in regions)
        {
            FrameBurner.Burn(frame, format.Shape, format.BlackUnits, region);
        }
        var encoding = plan.Encoding;
        encoding.Precision = ChoosePrecision(plan, layout, black);
        result.Write(pool.Encode(encoding, stream, frame));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    public abstract Transcoding? PlanTranscoding(ReadOnlySpan<byte> codestream, PixelLayout layout);

    /// <summary>Reads the header and checks it against the layout.</summary>
    protected abstract CodecPlan Plan(ReadOnlySpan<byte> codestream, PixelLayout layout);

    /// <exception cref="DicomFormatException">The codestream contradicts the layout.</exception>
    /// <exception cref="UnsupportedInstanceException">The layout is of a kind that the libraries cannot hold exactly.</exception>
    protected static WorkerRequest CheckAgainst(PixelLayout layout, int columns, int rows, int components, int precision)
    {
        if (columns != layout.Columns || rows != layout.Rows || components != layout.SamplesPerPixel)
        {
            throw new DicomFormatException(
                $"A compressed frame holds {columns}×{rows} pixels of {components} samples, but the header says {layout.Columns}×{layout.Rows} of {layout.SamplesPerPixel}.");
        }
        if (layout.SampleKind != SampleKind.WholeNumber || layout.SampleBytes > 4 || layout.BitsAllocated == 12)
        {
            throw new UnsupportedInstanceException($"Pixel data of {layout.BitsAllocated} bits of this kind is not supported in this transfer syntax.");
        }
        if (precision > layout.BitsAllocated)
        {
            throw new DicomFormatException($"A compressed frame holds samples of {precision} bits, but BitsAllocated is {layout.BitsAllocated}.");
        }
        if (layout.HighBit != layout.BitsStored - 1 && precision <= layout.HighBit)
        {
            throw new UnsupportedInstanceException($"The compressed frames hold {precision} bits a sample, but HighBit says that samples lie higher in their cells.");
        }
        return new WorkerRequest
        {
            Columns = columns,
            Rows = rows,
            Components = components,
            SampleBytes = layout.SampleBytes,
            IsSigned = layout.IsSigned ? 1 : 0,
            Precision = precision,
        };
    }

    /// <summary>
    /// The codestream's own precision, so that nothing changes for any reader. Some writers use fewer bits than BitsStored says; where black needs the
    /// others, the frame is written with all of them, which leaves the value of every sample as it was.
    /// </summary>
    private static int ChoosePrecision(CodecPlan plan, PixelLayout layout, BlackSample black)
    {
        var shift = 64 - plan.Encoding.Precision;
        var fits = black.Cells.All(cell => layout.IsSigned
            ? ((long)cell << shift >> shift) == (long)cell << (64 - layout.BitsAllocated) >> (64 - layout.BitsAllocated)
            : cell << shift >> shift == cell);
        if (fits)
        {
            return plan.Encoding.Precision;
        }
        return (plan.Encoding.IsSignedInCodestream != 0) == layout.IsSigned || plan.Encoding.Operation == WorkerOperation.EncodeJpegLs
            ? layout.BitsStored
            : throw new UnsupportedInstanceException("The compressed frames and the header disagree on both the sign and the depth of the samples, so black is not known.");
    }

    /// <param name="Start">Where the codestream proper starts in the frame.</param>
    /// <param name="Length">Its length, a padding byte included.</param>
    /// <param name="Decoding">The request to decode it.</param>
    /// <param name="Encoding">The request to encode it again the same way without loss.</param>
    protected readonly record struct CodecPlan(int Start, int Length, WorkerRequest Decoding, WorkerRequest Encoding);
}
