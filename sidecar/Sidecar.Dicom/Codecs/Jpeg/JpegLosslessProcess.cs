using System.Buffers;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// JPEG Lossless, Process 14 (PS3.5 8.2.1, ISO/IEC 10918-1 annex H): the bits of rows that stay are copied, the others coded anew with the source's own
/// predictor and codes. Frames decode pixel by pixel.
/// </summary>
internal sealed class JpegLosslessProcess : IJpegProcess
{
    public void Decode(ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, Span<byte> frame) =>
        JpegLosslessDecoder.Decode(codestream, structure, frame, layout.SampleBytes);

    public void Burn(
        ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        using (var editor = new JpegLosslessEditor(structure, BlackOf(structure, black), regions))
        {
            if (editor.TryWrite(codestream, result))
            {
                return;
            }
        }
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
        var samples = BlackOf(structure, black);
        var unit = new byte[samples.Length * layout.SampleBytes];
        for (var i = 0; i < samples.Length; i++)
        {
            unit[i * layout.SampleBytes] = (byte)samples[i];
            if (layout.SampleBytes == 2)
            {
                unit[(i * 2) + 1] = (byte)(samples[i] >> 8);
            }
        }
        return new FrameFormat(new FrameShape(1, layout.Rows, layout.Columns, unit.Length, 1), [unit]);
    }

    /// <summary>What the codestream can hold of black: no bits above its precision, none below its point transform.</summary>
    /// <returns>One sample a component.</returns>
    private static uint[] BlackOf(JpegCodestream structure, BlackSample black)
    {
        var samples = new uint[structure.Header.Components.Count];
        foreach (var scan in JpegLosslessScan.ReadAll(structure))
        {
            var representable = (1u << structure.Header.Precision) - (1u << scan.PointTransform);
            foreach (var component in scan.Scan.Components)
            {
                samples[component.Index] = (uint)black.Cells[component.Index] & representable;
            }
        }
        return samples;
    }
}
