using System.Buffers;
using System.Numerics;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Makes regions of a lossless frame black. A sample is coded as its difference to what its neighbours to the left and above predict, so that only rows
/// with black samples and those right below can differ; the bits of all other rows are copied.
/// </summary>
internal sealed class JpegLosslessEditor : IDisposable
{
    private readonly JpegCodestream structure;
    private readonly IReadOnlyList<uint> black;
    private readonly IReadOnlyList<Region> regions;
    private readonly JpegMissingCodes codes = new();
    private readonly JpegLosslessReader reader = new();
    private readonly BitWriter writer = new();

    /// <param name="structure">Of the original.</param>
    /// <param name="black">The black sample, one a component of the frame.</param>
    /// <param name="regions">Inside the image.</param>
    public JpegLosslessEditor(JpegCodestream structure, IReadOnlyList<uint> black, IReadOnlyList<Region> regions) =>
        (this.structure, this.black, this.regions) = (structure, black, regions);

    /// <summary>Writes the frame with its regions black.</summary>
    /// <returns>Whether it is written: not where a Huffman table has no room for the codes that it needs.</returns>
    public bool TryWrite(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        WriteFrame(bytes, result);
        if (!codes.AreMissing)
        {
            return true;
        }
        result.SetLength(0);
        if (!codes.TryExtend())
        {
            return false;
        }
        WriteFrame(bytes, result);
        return true;
    }

    public void Dispose()
    {
        reader.Dispose();
        writer.Dispose();
    }

    private void WriteFrame(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        var scans = JpegLosslessScan.ReadAll(structure);
        var nextScan = 0;
        JpegSegments.WriteStart(result);
        foreach (var segment in structure.Segments)
        {
            JpegSegments.Copy(bytes, segment, structure, codes.Extended, result);
            if (segment.Marker == JpegMarker.StartOfScan)
            {
                var scan = scans[nextScan++];
                WriteScan(bytes[scan.Scan.Entropy], scan, result);
            }
        }
        JpegSegments.WriteEnd(result);
    }

    private void WriteScan(ReadOnlySpan<byte> entropy, JpegLosslessScan scan, MemoryStream result)
    {
        reader.StartScan(scan);
        var rowWriter = new JpegLosslessRowWriter(scan, [.. scan.Scan.Components.Select(component => codes.TableOf(component.Dc!))], writer);
        var lastBurned = regions.Max(region => (int?)region.Bottom) ?? 0; // The row below the last black one included.
        var rented = ArrayPool<ushort>.Shared.Rent(5 * scan.RowSamples);
        var row = rented.AsSpan(0, scan.RowSamples);
        var above = rented.AsSpan(scan.RowSamples, scan.RowSamples);
        var burned = rented.AsSpan(2 * scan.RowSamples, scan.RowSamples);
        var burnedAbove = rented.AsSpan(3 * scan.RowSamples, scan.RowSamples);
        var differences = rented.AsSpan(4 * scan.RowSamples, scan.RowSamples);
        long copied = 0; // The bits of the interval before this one are written, or left out.
        for (var y = 0; y < scan.Rows; y++)
        {
            var isStart = scan.IsStart(y);
            if (isStart)
            {
                EndInterval(copied, scan, y, result);
                reader.StartInterval(ref entropy, scan.IntervalOf(y));
                copied = 0;
            }
            var start = reader.Position;
            reader.Read(row);
            if (y > lastBurned)
            {
                if (codes.AreMissing)
                {
                    break; // All will be written again.
                }
                continue;
            }
            JpegLosslessPredictor.Reconstruct(row, isStart ? default : above, scan.Components, scan.Predictor, scan.Initial);
            if (IsBlack(y) || (!isStart && IsBlack(y - 1)))
            {
                Burn(row, y, scan, burned);
                if (!isStart)
                {
                    Burn(above, y - 1, scan, burnedAbove);
                }
                JpegLosslessPredictor.Difference(burned, isStart ? default : burnedAbove, scan.Components, scan.Predictor, scan.Initial, differences);
                NoteCategories(scan, differences);
                writer.Copy(reader.Bits, copied, start);
                rowWriter.Write(differences);
                copied = reader.Position;
            }
            var swap = above;
            above = row;
            row = swap;
        }
        EndInterval(copied, scan, scan.Rows, result);
        ArrayPool<ushort>.Shared.Return(rented);
    }

    /// <summary>Writes the interval that ends before a row, and the marker behind it unless it is the last.</summary>
    private void EndInterval(long copied, JpegLosslessScan scan, int y, MemoryStream result)
    {
        if (y == 0)
        {
            return;
        }
        writer.Copy(reader.Bits, copied, reader.Position);
        writer.Flush(result);
        if (y < scan.Rows)
        {
            RestartMarkers.Write(result, scan.IntervalOf(y) - 1);
        }
    }

    private void NoteCategories(JpegLosslessScan scan, ReadOnlySpan<ushort> differences)
    {
        foreach (var (i, found) in JpegLosslessRowWriter.FindCategories(differences, scan.Components).Index())
        {
            for (var left = found; left != 0; left &= left - 1)
            {
                codes.Find(scan.Scan.Components[i].Dc!, (byte)BitOperations.TrailingZeroCount(left));
            }
        }
    }

    private bool IsBlack(int y) => regions.Any(region => region.Y <= y && y < region.Bottom);

    private void Burn(ReadOnlySpan<ushort> row, int y, JpegLosslessScan scan, Span<ushort> burned)
    {
        row.CopyTo(burned);
        foreach (var region in regions.Where(region => region.Y <= y && y < region.Bottom))
        {
            for (var i = 0; i < scan.Components; i++)
            {
                var sample = (ushort)(black[scan.Scan.Components[i].Index] >> scan.PointTransform);
                for (var x = region.X; x < region.Right; x++)
                {
                    burned[(x * scan.Components) + i] = sample;
                }
            }
        }
    }
}
