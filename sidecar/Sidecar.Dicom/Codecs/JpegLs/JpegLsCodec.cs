using System.Buffers;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>
/// JPEG-LS, lossless and near-lossless (PS3.5 8.2.3, ISO/IEC 14495-1): decoded, masked, coded again without loss in the same scans and with the same
/// parameters. What is coded before the first masked row stays bit for bit. A near-lossless frame is written with NEAR 0 in its own transfer syntax,
/// which allows it: its samples stay what they were after the first loss. Comments and application data are not kept, as they may hold anything.
/// </summary>
/// <param name="decoded">Frames decoded a moment ago.</param>
public sealed class JpegLsCodec(DecodedFrames decoded) : IFrameCodec
{
    private const int MaxPrecision = 16;

    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        _ = Read(codestream, layout);
        return CodedSamples.Describe(layout, black);
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        if (decoded.TryTake(codestream, layout, frame))
        {
            return;
        }
        var structure = Read(codestream, layout);
        using var bits = new JpegLsBits();
        foreach (var scan in structure.Scans)
        {
            var cells = new JpegLsCells(scan, structure.Precision, layout);
            var decoder = new JpegLsDecoder(scan, structure.Columns, bits);
            var segments = new JpegLsSegments(codestream[scan.Entropy]);
            for (var row = 0; row < structure.Rows; row++)
            {
                if (row % scan.RestartRows == 0)
                {
                    segments.LoadNext(bits);
                    decoder.Restart();
                }
                decoder.DecodeLines();
                cells.Store(decoder.State, row, frame);
                if ((row + 1) % scan.RestartRows == 0 || row + 1 == structure.Rows)
                {
                    decoder.Finish();
                }
            }
        }
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var structure = Read(codestream, layout);
        var format = CodedSamples.Describe(layout, black);
        var precision = ChoosePrecision(structure, layout, black);
        var rented = ArrayPool<byte>.Shared.Rent(checked((int)format.Shape.FrameBytes));
        var frame = rented.AsSpan(0, (int)format.Shape.FrameBytes);
        using var bits = new JpegLsBits();
        using var writer = new JpegLsBitWriter();
        var scans = structure.Scans.Select(scan => (Scan: scan, Coded: ChooseCoding(scan, structure, precision))).ToList();
        var header = new JpegLsHeaderWriter(result, structure.ComponentIds, [.. scans.Select(pair => pair.Coded)], precision);
        header.WriteFrame(structure.Rows, structure.Columns);
        foreach (var (scan, coded) in scans)
        {
            header.WriteScan(coded);
            var burner = new JpegLsScanBurner(scan, structure.Precision, coded, precision, layout, bits, writer);
            // With one scan, the frame is whole when its only interval is decoded.
            burner.Burn(codestream[scan.Entropy], frame, format, regions, result, scans.Count == 1 ? new DecodedFrame(decoded, codestream) : default);
        }
        header.WriteEnd();
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static JpegLsCodestream Read(ReadOnlySpan<byte> codestream, PixelLayout layout)
    {
        var structure = JpegLsCodestream.Read(codestream);
        new CodedSamples(structure.Columns, structure.Rows, structure.ComponentIds.Length, structure.Precision).CheckAgainst(layout);
        return structure;
    }

    /// <summary>
    /// The codestream's own precision, so that nothing changes for any reader. Some writers use fewer bits than BitsStored says; where black needs the
    /// others, the frame is written with all of them, which leaves the value of every sample as it was.
    /// </summary>
    private static int ChoosePrecision(JpegLsCodestream structure, PixelLayout layout, BlackSample black) =>
        CodedSamples.CanHoldBlack(structure.Precision, layout, black) ? structure.Precision
        : layout.BitsStored <= MaxPrecision && CodedSamples.CanHoldBlack(layout.BitsStored, layout, black) ? layout.BitsStored
        : throw new UnsupportedInstanceException("The compressed frames hold fewer bits than black has, so they cannot be masked exactly.");

    /// <summary>The scan as it will be coded: as it is, unless it has loss or too few bits for black.</summary>
    private static JpegLsScan ChooseCoding(JpegLsScan scan, JpegLsCodestream structure, int precision) =>
        scan.Parameters.Near == 0 && precision == structure.Precision ? scan : scan with { Parameters = JpegLsParameters.Default((1 << precision) - 1, 0) };
}
