using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>
/// Moves samples between the lines of a scan and the cells of a frame, which is colour-by-pixel and little endian. A cell's low bits are the sample; the
/// bits above are clear, or repeat the sign bit where samples are signed. Every sample passes here, so the loops are compiled for speed at once.
/// </summary>
/// <param name="scan">Whose lines they are.</param>
/// <param name="precision">Bits of its samples.</param>
/// <param name="layout">That of the frame.</param>
internal sealed class JpegLsCells(JpegLsScan scan, int precision, PixelLayout layout)
{
    private readonly int cellBytes = layout.SampleBytes;
    private readonly int frameComponents = layout.SamplesPerPixel;

    /// <summary>By how much to shift a 32-bit number left and back to repeat the sign; 0 where samples have none.</summary>
    private readonly int signShift = layout.IsSigned ? 32 - precision : 0;

    /// <summary>MAXVAL as well: the encoder trusts that no sample is higher.</summary>
    private readonly int mask = (1 << precision) - 1;

    private int RowBytes => layout.Columns * frameComponents * cellBytes;

    /// <summary>Writes the lines at work to row <paramref name="row"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(JpegLsState state, int row, Span<byte> frame)
    {
        var cells = frame.Slice(row * RowBytes, RowBytes);
        for (var i = 0; i < scan.Components.Length; i++)
        {
            var line = state.Line(i)[1..^1];
            if (frameComponents == 1 && cellBytes == 2 && signShift == 0)
            {
                MemoryMarshal.AsBytes(line).CopyTo(cells);
                continue;
            }
            var at = scan.Components[i];
            switch (cellBytes)
            {
                case 1:
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        cells[at] = (byte)(line[x] << signShift >> signShift);
                    }
                    break;
                case 2:
                    var words = MemoryMarshal.Cast<byte, short>(cells);
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        words[at] = (short)(line[x] << signShift >> signShift);
                    }
                    break;
                default:
                    var doubleWords = MemoryMarshal.Cast<byte, int>(cells);
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        doubleWords[at] = line[x] << signShift >> signShift;
                    }
                    break;
            }
        }
    }

    /// <summary>Reads row <paramref name="row"/> into the lines at work.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Load(JpegLsState state, int row, ReadOnlySpan<byte> frame)
    {
        var cells = frame.Slice(row * RowBytes, RowBytes);
        for (var i = 0; i < scan.Components.Length; i++)
        {
            var line = state.Line(i)[1..^1];
            var at = scan.Components[i];
            switch (cellBytes)
            {
                case 1:
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        line[x] = (ushort)(cells[at] & mask);
                    }
                    break;
                case 2:
                    var words = MemoryMarshal.Cast<byte, ushort>(cells);
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        line[x] = (ushort)(words[at] & mask);
                    }
                    break;
                default:
                    var doubleWords = MemoryMarshal.Cast<byte, int>(cells);
                    for (var x = 0; x < line.Length; x++, at += frameComponents)
                    {
                        line[x] = (ushort)(doubleWords[at] & mask);
                    }
                    break;
            }
        }
    }
}
