using System.Runtime.CompilerServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Reads the quantized coefficients of sequential frames, 8 or 12 bits (ISO/IEC 10918-1 F.2.2). No pixel is computed.</summary>
internal static class JpegBlockDecoder
{
    /// <param name="bytes">The codestream.</param>
    /// <param name="structure">Its structure.</param>
    /// <param name="geometry">Where its blocks lie.</param>
    /// <param name="coefficients">All blocks of the frame.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, JpegCodestream structure, JpegBlockGeometry geometry, Span<short> coefficients)
    {
        CheckScans(structure);
        using var reader = new JpegBlockReader();
        foreach (var scan in structure.Scans)
        {
            DecodeScan(bytes[scan.Entropy], scan, geometry, reader, coefficients);
            geometry.FillUncodedBlocks(scan, coefficients);
        }
    }

    /// <summary>Each component in one scan, its tables there.</summary>
    public static void CheckScans(JpegCodestream structure)
    {
        structure.CheckEachComponentIsInOneScan();
        if (structure.Scans.Any(scan => scan.Components.Any(component => component.Dc is null || component.Ac is null)))
        {
            throw new DicomFormatException("A JPEG frame is damaged: a Huffman table is missing.");
        }
    }

    private static void DecodeScan(ReadOnlySpan<byte> entropy, JpegScan scan, JpegBlockGeometry geometry, JpegBlockReader reader, Span<short> coefficients)
    {
        reader.StartScan(scan, geometry);
        var perRow = geometry.StepsPerRow(scan);
        var steps = perRow * geometry.StepRows(scan);
        var interval = scan.RestartInterval > 0 ? scan.RestartInterval : steps;
        var places = geometry.PlacesInRow(scan).AsSpan();
        var blocksPerStep = places.Length / perRow;
        for (var start = 0; start < steps; start += interval)
        {
            reader.StartInterval(ref entropy, start / interval);
            var end = Math.Min(start + interval, steps);
            for (int step = start, count; step < end; step += count)
            {
                var (y, x) = Math.DivRem(step, perRow);
                count = Math.Min(perRow - x, end - step);
                var row = coefficients[(geometry.RowStart(scan, y) * JpegBlockGeometry.BlockSize)..];
                reader.Read(places.Slice(x * blocksPerStep, count * blocksPerStep), row);
            }
        }
    }

    /// <summary>The blocks of a component in a step of a scan.</summary>
    public static (int First, int Count) BlocksOf(JpegScan scan, JpegBlockGeometry geometry, int component, int x, int y) =>
        scan.Components.Count == 1
            ? (geometry.BlockAt(component, x, y), 1)
            : (geometry.FirstBlock((y * geometry.McusPerRow) + x, component), geometry[component].Horizontal * geometry[component].Vertical);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short ToDc(int value) =>
        value == (short)value ? (short)value : throw new DicomFormatException("A JPEG frame is damaged: a coefficient is too large.");
}
