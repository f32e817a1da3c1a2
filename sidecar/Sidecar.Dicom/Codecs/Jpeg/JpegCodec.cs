using System.Buffers;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// JPEG (PS3.5 8.2.1, ISO/IEC 10918-1) with Huffman coding. The frame itself says which process it is: archives hold baseline frames in the extended
/// syntax and other mixtures that every viewer shows.
/// </summary>
public sealed class JpegCodec : IFrameCodec
{
    private static readonly JpegLosslessProcess Lossless = new();
    private static readonly JpegBlockProcess Sequential = new();
    private static readonly JpegProgressiveProcess Progressive = new();

    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        var structure = JpegCodestream.Read(codestream, layout);
        return Select(structure).Describe(structure, layout, black);
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        var structure = JpegCodestream.Read(codestream, layout);
        Select(structure).Decode(codestream, structure, layout, frame);
    }

    public SampleFormat DecodeSamples(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, Span<byte> samples)
    {
        var structure = JpegCodestream.Read(codestream, layout);
        var process = Select(structure);
        var shape = new FrameShape(1, layout.Rows, layout.Columns, layout.SamplesPerPixel * layout.SampleBytes);
        if (structure.Header.IsLossless)
        {
            process.Decode(codestream, structure, layout, samples[..(int)shape.FrameBytes]);
            return new SampleFormat(shape, layout.PhotometricInterpretation);
        }
        var geometry = new JpegBlockGeometry(structure.Header);
        geometry.CheckLength(structure, structure.Header.IsProgressive ? JpegProgressiveProcess.BitsPerBlock : JpegBlockProcess.BitsPerBlock);
        var length = (int)geometry.Shape.FrameBytes;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var blocks = rented.AsSpan(0, length);
            process.Decode(codestream, structure, layout, blocks);
            JpegPicture.Compute(codestream, structure, MemoryMarshal.Cast<byte, short>(blocks), samples, layout.SampleBytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        return new SampleFormat(shape, layout.SamplesPerPixel == 1 ? layout.PhotometricInterpretation : JpegBlack.IsRgb(structure, layout) ? "RGB" : "YBR_FULL");
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var structure = JpegCodestream.Read(codestream, layout);
        Select(structure).Burn(codestream, structure, layout, black, regions, result);
    }

    private static IJpegProcess Select(JpegCodestream structure) =>
        structure.Header.IsLossless ? Lossless
        : structure.Header.IsProgressive ? Progressive
        : Sequential;
}
