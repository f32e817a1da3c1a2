using System.Buffers;
using System.Globalization;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>Compares the decoded frames of a result with those of its original. Knows nothing of how the result was made.</summary>
internal static class MaskVerifier
{
    /// <summary>What the comparison found.</summary>
    /// <param name="ChangedOutside">Samples outside of the regions that differ.</param>
    /// <param name="NotBlackFrame">The first frame whose regions are not black throughout, 1-based; null where all are.</param>
    /// <param name="FrameXxh64">Frame by frame, the fingerprint of the result.</param>
    /// <param name="Burned">The regions as burned, each once.</param>
    public sealed record Finding(long ChangedOutside, int? NotBlackFrame, IReadOnlyList<string> FrameXxh64, IReadOnlyList<Region> Burned);

    public static Finding Compare(StoredPixels original, StoredPixels result, BurnPlan plan, CancellationToken token)
    {
        var layout = original.Layout;
        // The codestream may treat colours differently; the samples, compared below, do not.
        if (result.Layout with { PhotometricInterpretation = layout.PhotometricInterpretation } != layout)
        {
            throw new DicomFormatException("The result describes its pixels differently from the original.");
        }
        var changed = new long[layout.Frames];
        var isBlack = new bool[layout.Frames];
        var fingerprints = new string[layout.Frames];
        var burnedInFrames = new List<Region>[layout.Frames];
        ParallelLoop.Run(0, layout.Frames, CompareNext, token);
        var notBlack = Array.IndexOf(isBlack, false);
        return new Finding(
            changed.Sum(),
            notBlack >= 0 ? notBlack + 1 : null,
            fingerprints,
            [.. burnedInFrames.SelectMany(regions => regions).Distinct()]);

        void CompareNext(int frame)
        {
            var regions = plan.RegionsOf(frame);
            var format = original.FormatOf(frame);
            burnedInFrames[frame] = [.. regions.Select(region => format.Shape.Snap(region, layout.Columns, layout.Rows))];
            (changed[frame], isBlack[frame], fingerprints[frame]) = CompareFrame(original, result, frame, format, regions, layout.SampleBytes);
        }
    }

    private static (long Changed, bool IsBlack, string FrameXxh64) CompareFrame(
        StoredPixels original, StoredPixels result, int frame, FrameFormat format, IReadOnlyList<Region> regions, int sampleBytes)
    {
        var shape = format.Shape;
        if (result.FormatOf(frame).Shape != shape)
        {
            throw new DicomFormatException($"Frame {frame + 1} of the result has another shape than the original's.");
        }
        var size = checked((int)shape.FrameBytes);
        var (roomBefore, roomAfter) = (ArrayPool<byte>.Shared.Rent(size), ArrayPool<byte>.Shared.Rent(size));
        var before = original.ViewFrame(frame, roomBefore.AsSpan(0, size));
        var after = result.ViewFrame(frame, roomAfter.AsSpan(0, size));
        var units = regions.Select(shape.ToUnits).ToList();
        // The same columns are black from one edge of a region to the next.
        var edges = new HashSet<int>();
        foreach (var region in units)
        {
            edges.Add(region.Y);
            edges.Add(region.Bottom);
        }
        List<(int Left, int Right)> black = [];
        var (changed, isBlack) = (0L, true);
        for (var plane = 0; plane < shape.Planes; plane++)
        {
            var planeStart = (int)(plane * shape.PlaneBytes);
            // Rows without a region are compared in one go.
            var pending = planeStart;
            for (var row = 0; row < shape.UnitRows; row++)
            {
                var rowStart = planeStart + (int)(row * shape.RowBytes);
                if (edges.Contains(row))
                {
                    black = BlackSpans(units, row);
                }
                foreach (var (left, right) in black)
                {
                    var (start, end) = (rowStart + (left * shape.UnitBytes), rowStart + (right * shape.UnitBytes));
                    changed += CountDifferent(before[pending..start], after[pending..start], sampleBytes);
                    isBlack &= IsFilled(after[start..end], format.BlackUnits[plane]);
                    pending = end;
                }
            }
            var planeEnd = planeStart + (int)shape.PlaneBytes;
            changed += CountDifferent(before[pending..planeEnd], after[pending..planeEnd], sampleBytes);
            black = [];
        }
        var fingerprint = XxHash64.Hash(after).ToString("x16", CultureInfo.InvariantCulture);
        ArrayPool<byte>.Shared.Return(roomBefore);
        ArrayPool<byte>.Shared.Return(roomAfter);
        return (changed, isBlack, fingerprint);
    }

    /// <summary>The columns of units that are black in a row, merged and in order.</summary>
    private static List<(int Left, int Right)> BlackSpans(List<Region> units, int row)
    {
        var spans = new List<(int Left, int Right)>();
        foreach (var region in units.Where(region => region.Y <= row && row < region.Bottom).OrderBy(region => region.X))
        {
            if (spans.Count > 0 && region.X <= spans[^1].Right)
            {
                spans[^1] = (spans[^1].Left, Math.Max(spans[^1].Right, region.Right));
            }
            else
            {
                spans.Add((region.X, region.Right));
            }
        }
        return spans;
    }

    private static bool IsFilled(ReadOnlySpan<byte> span, byte[] unit)
    {
        if (!span[..unit.Length].SequenceEqual(unit))
        {
            return false;
        }
        // Equal to itself moved by one unit: the same unit over and over.
        return span[unit.Length..].SequenceEqual(span[..^unit.Length]);
    }

    private static long CountDifferent(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int sampleBytes)
    {
        if (before.SequenceEqual(after))
        {
            return 0;
        }
        var count = 0L;
        for (var i = 0; i < before.Length; i += sampleBytes)
        {
            count += before.Slice(i, sampleBytes).SequenceEqual(after.Slice(i, sampleBytes)) ? 0 : 1;
        }
        return count;
    }
}
