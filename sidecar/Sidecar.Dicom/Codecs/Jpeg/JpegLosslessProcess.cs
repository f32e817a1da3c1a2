using System.Buffers;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// JPEG Lossless, Process 14 (PS3.5 8.2.1, ISO/IEC 10918-1 annex H): decoded, masked, coded anew with the source's own predictor, scans and restarts.
/// Frames decode pixel by pixel.
/// </summary>
internal sealed class JpegLosslessProcess : IJpegProcess
{
    public void Decode(ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, Span<byte> frame) =>
        JpegLosslessDecoder.Decode(codestream, structure, frame, layout.SampleBytes);

    public void Burn(
        ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var format = Describe(structure, layout, black);
        var length = (int)format.Shape.FrameBytes;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var frame = rented.AsSpan(0, length);
        JpegLosslessDecoder.Decode(codestream, structure, frame, layout.SampleBytes);
        foreach (var region in regions)
        {
            FrameBurner.Burn(frame, format.Shape, format.BlackUnits, region);
        }
        JpegLosslessEncoder.Encode(codestream, structure, frame, layout.SampleBytes, result);
        ArrayPool<byte>.Shared.Return(rented);
    }

    public FrameFormat Describe(JpegCodestream structure, PixelLayout layout, BlackSample black)
    {
        var header = structure.Header;
        var samples = header.Components.Count;
        var unit = new byte[samples * layout.SampleBytes];
        foreach (var scan in JpegLosslessScan.ReadAll(structure))
        {
            // What the codestream can hold of black: no bits above its precision, none below its point transform.
            var representable = (1u << header.Precision) - (1u << scan.PointTransform);
            foreach (var component in scan.Scan.Components)
            {
                var cell = (uint)black.Cells[component.Index] & representable;
                unit[component.Index * layout.SampleBytes] = (byte)cell;
                if (layout.SampleBytes == 2)
                {
                    unit[(component.Index * 2) + 1] = (byte)(cell >> 8);
                }
            }
        }
        return new FrameFormat(new FrameShape(1, layout.Rows, layout.Columns, unit.Length, 1), [unit]);
    }
}
