using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>A scan of the lossless process (ISO/IEC 10918-1 annex H), checked.</summary>
internal sealed class JpegLosslessScan
{
    private JpegLosslessScan(JpegScan scan, JpegFrameHeader header)
    {
        Scan = scan;
        Components = scan.Components.Count;
        Predictor = scan.SpectralStart;
        PointTransform = scan.ApproximationLow;
        Columns = header.Columns;
        Rows = header.Rows;
        RestartRows = scan.RestartInterval / header.Columns;
        Initial = 1 << (header.Precision - PointTransform - 1);
    }

    public JpegScan Scan { get; }

    public int Components { get; }

    public int Predictor { get; }

    public int PointTransform { get; }

    public int Columns { get; }

    public int Rows { get; }

    /// <summary>Rows from one restart marker to the next; 0 where there are none.</summary>
    public int RestartRows { get; }

    /// <summary>What the first sample is predicted as.</summary>
    public int Initial { get; }

    /// <summary>Samples of all components of the scan in a row.</summary>
    public int RowSamples => Columns * Components;

    /// <summary>Whether a row is the first of a restart interval, so that none above predicts it.</summary>
    public bool IsStart(int y) => y == 0 || (RestartRows > 0 && y % RestartRows == 0);

    /// <summary>Number of the restart interval that a row is in.</summary>
    public int IntervalOf(int y) => RestartRows > 0 ? y / RestartRows : 0;

    /// <summary>The scans of a frame: each component in one of them.</summary>
    public static List<JpegLosslessScan> ReadAll(JpegCodestream codestream)
    {
        var header = codestream.Header;
        if (header.Components.Any(component => component.Horizontal != header.MaxHorizontal || component.Vertical != header.MaxVertical))
        {
            throw new UnsupportedInstanceException("The lossless JPEG frames have components of different sizes, which is not supported.");
        }
        codestream.CheckEachComponentIsInOneScan();
        return [.. codestream.Scans.Select(scan => Read(scan, header))];
    }

    private static JpegLosslessScan Read(JpegScan scan, JpegFrameHeader header)
    {
        if (scan.SpectralStart is < 1 or > 7 || scan.ApproximationLow >= header.Precision)
        {
            throw new DicomFormatException("A scan header of a lossless JPEG frame is damaged.");
        }
        if (header.MaxHorizontal * header.MaxVertical != 1 && scan.Components.Count > 1)
        {
            throw new UnsupportedInstanceException("The lossless JPEG frames group several pixels of a component, which is not supported.");
        }
        if (scan.RestartInterval % header.Columns != 0)
        {
            throw new UnsupportedInstanceException("The lossless JPEG frames restart within rows, which the standard forbids.");
        }
        foreach (var component in scan.Components)
        {
            if (component.Dc is null)
            {
                throw new DicomFormatException("A JPEG frame is damaged: a Huffman table is missing.");
            }
            if (component.Dc.Table.Symbols.ContainsAnyExceptInRange((byte)0, (byte)16))
            {
                throw new DicomFormatException("A JPEG frame is damaged: a Huffman table has differences beyond 16 bits.");
            }
        }
        return new JpegLosslessScan(scan, header);
    }
}
