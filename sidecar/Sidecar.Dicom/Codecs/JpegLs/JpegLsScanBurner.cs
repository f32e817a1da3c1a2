using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>
/// Masks one scan, one restart interval after the other: those without a mask are copied; of the others, what is coded before the first masked row is
/// copied, and the rest coded again from there with the very statistics that the decoder had.
/// </summary>
internal sealed class JpegLsScanBurner
{
    private readonly JpegLsScan scan;
    private readonly bool mayCopy;
    private readonly PixelLayout layout;
    private readonly JpegLsBits bits;
    private readonly JpegLsBitWriter writer;
    private readonly JpegLsDecoder decoder;
    private readonly JpegLsEncoder encoder;
    private readonly JpegLsCells original;
    private readonly JpegLsCells result;

    /// <param name="scan">As it is.</param>
    /// <param name="precision">Bits of its samples.</param>
    /// <param name="coded">As it will be: the same object where nothing but samples changes.</param>
    /// <param name="codedPrecision">Bits of its samples then.</param>
    /// <param name="layout">Checked against the codestream.</param>
    /// <param name="bits">For this object's use.</param>
    /// <param name="writer">For this object's use.</param>
    public JpegLsScanBurner(
        JpegLsScan scan, int precision, JpegLsScan coded, int codedPrecision, PixelLayout layout, JpegLsBits bits, JpegLsBitWriter writer)
    {
        (this.scan, this.layout, this.bits, this.writer) = (scan, layout, bits, writer);
        mayCopy = ReferenceEquals(scan, coded);
        (decoder, encoder) = (new JpegLsDecoder(scan, layout.Columns, bits), new JpegLsEncoder(coded, layout.Columns, writer));
        (original, result) = (new JpegLsCells(scan, precision, layout), new JpegLsCells(coded, codedPrecision, layout));
    }

    /// <param name="entropy">The scan's coded samples.</param>
    /// <param name="frame">Room for the frame; other scans' components go black in the regions.</param>
    /// <param name="format">The frame's.</param>
    /// <param name="regions">What to blacken.</param>
    /// <param name="stream">Where the coded samples go.</param>
    /// <param name="whole">Takes the frame as it was, where it was decoded as a whole at once.</param>
    public void Burn(ReadOnlySpan<byte> entropy, Span<byte> frame, FrameFormat format, IReadOnlyList<Region> regions, Stream stream, DecodedFrame whole)
    {
        var segments = new JpegLsSegments(entropy);
        for (var start = 0; start < layout.Rows; start += scan.RestartRows)
        {
            var end = Math.Min(start + scan.RestartRows, layout.Rows);
            if (start > 0)
            {
                stream.Write([0xFF, (byte)(JpegLsMarker.Restart0 + (((start / scan.RestartRows) - 1) & 7))]);
            }
            var segment = segments.LoadNext(bits);
            var masked = regions.Where(region => region.Y < end && region.Bottom > start).Select(region => CutRows(region, start, end)).ToList();
            if (mayCopy && masked.Count == 0)
            {
                stream.Write(segment);
                continue;
            }
            var first = mayCopy ? masked.Min(region => region.Y) : start;
            DecodeRows(start, first, end, frame);
            if (end - start == layout.Rows)
            {
                whole.Keep(layout, frame);
            }
            foreach (var region in masked)
            {
                FrameBurner.Burn(frame, format.Shape, format.BlackUnits, region);
            }
            EncodeRows(first, end, frame, stream);
        }
    }

    /// <summary>Decodes an interval, and hands the encoder what is known and coded before row <paramref name="first"/>.</summary>
    private void DecodeRows(int start, int first, int end, Span<byte> frame)
    {
        decoder.Restart();
        encoder.State.Reset();
        for (var row = start; row < end; row++)
        {
            if (row == first && row > start)
            {
                encoder.State.CopyFrom(decoder.State);
                writer.CopyStart(bits, decoder.Position);
            }
            decoder.DecodeLines();
            original.Store(decoder.State, row, frame);
        }
        decoder.Finish();
    }

    private void EncodeRows(int first, int end, ReadOnlySpan<byte> frame, Stream stream)
    {
        for (var row = first; row < end; row++)
        {
            encoder.StartLines();
            result.Load(encoder.State, row, frame);
            encoder.EncodeLines();
        }
        writer.Flush(stream);
    }

    private static Region CutRows(Region region, int start, int end)
    {
        var (top, bottom) = (Math.Max(region.Y, start), Math.Min(region.Bottom, end));
        return new Region(region.X, top, region.Width, bottom - top);
    }
}
