using System.Buffers;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Progressive JPEG, retired from DICOM but in archives (PS3.5-2003 8.2.1; .53 and .55): the coefficients of all scans are read, masked and written anew
/// in the same scans. Frames decode to quantized coefficients, as in <see cref="JpegBlockProcess"/>.
/// </summary>
internal sealed class JpegProgressiveProcess : IJpegProcess
{
    /// <summary>In a progressive frame only the DC code is there for every block.</summary>
    internal const int BitsPerBlock = 1;

    public FrameFormat Describe(JpegCodestream structure, PixelLayout layout, BlackSample black) =>
        JpegBlockProcess.Describe(structure, layout, black, BitsPerBlock);

    public void Decode(ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, Span<byte> frame)
    {
        using var decoder = new JpegProgressiveDecoder();
        decoder.Decode(codestream, structure, new JpegBlockGeometry(structure.Header), MemoryMarshal.Cast<byte, short>(frame));
    }

    public void Burn(
        ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var format = Describe(structure, layout, black);
        var length = (int)format.Shape.FrameBytes;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var frame = rented.AsSpan(0, length);
        Decode(codestream, structure, layout, frame);
        foreach (var region in regions)
        {
            FrameBurner.Burn(frame, format.Shape, format.BlackUnits, region);
        }
        using var encoder = new JpegProgressiveEncoder(structure, new JpegBlockGeometry(structure.Header));
        encoder.Write(codestream, MemoryMarshal.Cast<byte, short>(frame), result);
        ArrayPool<byte>.Shared.Return(rented);
    }
}
