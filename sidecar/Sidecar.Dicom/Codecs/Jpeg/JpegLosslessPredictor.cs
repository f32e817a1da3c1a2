using System.Numerics;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// The predictors of the lossless process (ISO/IEC 10918-1 table H.1) over whole rows, modulo 65536. A row holds the samples of all components of a
/// scan, pixel by pixel.
/// </summary>
internal static class JpegLosslessPredictor
{
    /// <param name="row">The differences; the samples afterwards.</param>
    /// <param name="above">The row above; empty in the first row and after a restart.</param>
    /// <param name="step">Components of the scan.</param>
    /// <param name="predictor">1 to 7.</param>
    /// <param name="initial">What the very first sample is predicted as.</param>
    public static void Reconstruct(Span<ushort> row, ReadOnlySpan<ushort> above, int step, int predictor, int initial)
    {
        for (var i = 0; i < step; i++)
        {
            row[i] = (ushort)(row[i] + (above.IsEmpty ? initial : above[i]));
        }
        if (above.IsEmpty || predictor == 1)
        {
            if (step == 1)
            {
                var left = row[0];
                for (var i = 1; i < row.Length; i++)
                {
                    left += row[i];
                    row[i] = left;
                }
                return;
            }
            for (var i = step; i < row.Length; i++)
            {
                row[i] = (ushort)(row[i] + row[i - step]);
            }
            return;
        }
        above = above[..row.Length];
        switch (predictor)
        {
            case 2:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + above[i]);
                }
                break;
            case 3:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + above[i - step]);
                }
                break;
            case 4:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + row[i - step] + above[i] - above[i - step]);
                }
                break;
            case 5:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + row[i - step] + ((above[i] - above[i - step]) >> 1));
                }
                break;
            case 6:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + above[i] + ((row[i - step] - above[i - step]) >> 1));
                }
                break;
            default:
                for (var i = step; i < row.Length; i++)
                {
                    row[i] = (ushort)(row[i] + ((row[i - step] + above[i]) >> 1));
                }
                break;
        }
    }

    /// <summary>The reverse of <see cref="Reconstruct"/>.</summary>
    public static void Difference(
        ReadOnlySpan<ushort> row, ReadOnlySpan<ushort> above, int step, int predictor, int initial, Span<ushort> differences)
    {
        differences = differences[..row.Length];
        for (var i = 0; i < step; i++)
        {
            differences[i] = (ushort)(row[i] - (above.IsEmpty ? initial : above[i]));
        }
        if (above.IsEmpty || predictor == 1)
        {
            Subtract(row[step..], row, differences[step..]);
            return;
        }
        above = above[..row.Length];
        switch (predictor)
        {
            case 2:
                Subtract(row[step..], above[step..], differences[step..]);
                break;
            case 3:
                Subtract(row[step..], above, differences[step..]);
                break;
            case 4:
                for (var i = step; i < row.Length; i++)
                {
                    differences[i] = (ushort)(row[i] - row[i - step] - above[i] + above[i - step]);
                }
                break;
            case 5:
                for (var i = step; i < row.Length; i++)
                {
                    differences[i] = (ushort)(row[i] - row[i - step] - ((above[i] - above[i - step]) >> 1));
                }
                break;
            case 6:
                for (var i = step; i < row.Length; i++)
                {
                    differences[i] = (ushort)(row[i] - above[i] - ((row[i - step] - above[i - step]) >> 1));
                }
                break;
            default:
                for (var i = step; i < row.Length; i++)
                {
                    differences[i] = (ushort)(row[i] - ((row[i - step] + above[i]) >> 1));
                }
                break;
        }
    }

    private static void Subtract(ReadOnlySpan<ushort> left, ReadOnlySpan<ushort> right, Span<ushort> result)
    {
        var i = 0;
        for (; i + Vector<ushort>.Count <= left.Length; i += Vector<ushort>.Count)
        {
            (new Vector<ushort>(left[i..]) - new Vector<ushort>(right[i..])).CopyTo(result[i..]);
        }
        for (; i < left.Length; i++)
        {
            result[i] = (ushort)(left[i] - right[i]);
        }
    }
}
