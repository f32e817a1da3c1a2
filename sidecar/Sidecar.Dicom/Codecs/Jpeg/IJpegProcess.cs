using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>What <see cref="IFrameCodec"/> asks for, of one JPEG coding process, with the structure of the codestream read.</summary>
internal interface IJpegProcess
{
    FrameFormat Describe(JpegCodestream structure, PixelLayout layout, BlackSample black);

    void Decode(ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, Span<byte> frame);

    void Burn(
        ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result);
}
