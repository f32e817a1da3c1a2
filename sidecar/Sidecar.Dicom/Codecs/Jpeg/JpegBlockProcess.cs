using System.Runtime.InteropServices;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Baseline and extended sequential JPEG, 8 and 12 bits (PS3.5 8.2.1): masked coefficient by coefficient. Frames decode to quantized coefficients, MCU by
/// MCU, so that comparing two frames compares everything a decoder will ever see.
/// </summary>
internal sealed class JpegBlockProcess : IJpegProcess
{
    /// <summary>A block takes a DC and an end code at least.</summary>
    internal const int BitsPerBlock = 2;

    public FrameFormat Describe(JpegCodestream structure, PixelLayout layout, BlackSample black) => Describe(structure, layout, black, BitsPerBlock);

    internal static FrameFormat Describe(JpegCodestream structure, PixelLayout layout, BlackSample black, int bitsPerBlock)
    {
        var geometry = new JpegBlockGeometry(structure.Header);
        geometry.CheckLength(structure, bitsPerBlock);
        return new FrameFormat(geometry.Shape, [FillUnit(geometry, structure, JpegBlack.Compute(structure, layout, black))]) { HoldsSamples = false };
    }

    public void Decode(ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, Span<byte> frame) =>
        JpegBlockDecoder.Decode(codestream, structure, new JpegBlockGeometry(structure.Header), MemoryMarshal.Cast<byte, short>(frame));

    public void Burn(
        ReadOnlySpan<byte> codestream, JpegCodestream structure, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var geometry = new JpegBlockGeometry(structure.Header);
        geometry.CheckLength(structure, BitsPerBlock);
        using var editor = new JpegBlockEditor(structure, geometry, JpegBlack.Compute(structure, layout, black), MaskMcus(geometry, regions));
        editor.Write(codestream, result);
    }

    private static bool[] MaskMcus(JpegBlockGeometry geometry, IReadOnlyList<Region> regions)
    {
        var isMasked = new bool[geometry.McusPerRow * geometry.McuRows];
        foreach (var units in regions.Select(geometry.Shape.ToUnits))
        {
            for (var y = units.Y; y < units.Bottom; y++)
            {
                isMasked.AsSpan((y * geometry.McusPerRow) + units.X, units.Width).Fill(true);
            }
        }
        return isMasked;
    }

    private static byte[] FillUnit(JpegBlockGeometry geometry, JpegCodestream structure, short[] black)
    {
        var unit = new short[geometry.BlocksPerMcu * JpegBlockGeometry.BlockSize];
        for (var component = 0; component < structure.Header.Components.Count; component++)
        {
            var blocks = geometry[component].Horizontal * geometry[component].Vertical;
            for (var i = 0; i < blocks; i++)
            {
                unit[(geometry.FirstBlock(0, component) + i) * JpegBlockGeometry.BlockSize] = black[component];
            }
        }
        return MemoryMarshal.AsBytes(unit.AsSpan()).ToArray();
    }
}
