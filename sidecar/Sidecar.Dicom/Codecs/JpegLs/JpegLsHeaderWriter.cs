using System.Buffers.Binary;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>Writes the segments of a lossless JPEG-LS codestream around its coded samples (ISO/IEC 14495-1 annex C).</summary>
/// <param name="result">Empty.</param>
/// <param name="componentIds">Of the frame.</param>
/// <param name="scans">All that will be written.</param>
/// <param name="precision">Bits of a sample.</param>
internal sealed class JpegLsHeaderWriter(Stream result, byte[] componentIds, IReadOnlyList<JpegLsScan> scans, int precision)
{
    // Of more than 12 bits, one known reader computes the parameters wrongly where they are not written out.
    private const int MaxValueOfUnspokenParameters = 4095;

    private readonly bool speaksParameters = scans.Any(scan =>
        scan.Parameters.MaxValue > MaxValueOfUnspokenParameters || scan.Parameters != JpegLsParameters.Default((1 << precision) - 1, 0));

    public void WriteFrame(int rows, int columns)
    {
        result.Write([0xFF, JpegLsMarker.StartOfImage]);
        WriteSegment(JpegLsMarker.StartOfFrame,
            [(byte)precision, (byte)(rows >> 8), (byte)rows, (byte)(columns >> 8), (byte)columns, (byte)componentIds.Length, .. componentIds.SelectMany(id => new byte[] { id, 0x11, 0 })]);
        // An interval of all rows means no restarts.
        var restartRows = scans.Max(scan => scan.RestartRows);
        if (restartRows < rows)
        {
            WriteSegment(JpegLsMarker.DefineRestartInterval, [(byte)(restartRows >> 8), (byte)restartRows]);
        }
    }

    /// <summary>Everything before the coded samples of a scan.</summary>
    public void WriteScan(JpegLsScan scan)
    {
        if (speaksParameters)
        {
            var values = new[] { scan.Parameters.MaxValue, scan.Parameters.Threshold1, scan.Parameters.Threshold2, scan.Parameters.Threshold3, scan.Parameters.Reset };
            WriteSegment(JpegLsMarker.PresetParameters, [1, .. values.SelectMany(value => new[] { (byte)(value >> 8), (byte)value })]);
        }
        var interleaveMode = scan.Components.Length == 1 ? 0 : scan.IsBySample ? 2 : 1;
        WriteSegment(JpegLsMarker.StartOfScan,
            [(byte)scan.Components.Length, .. scan.Components.SelectMany(component => new byte[] { componentIds[component], 0 }), (byte)scan.Parameters.Near, (byte)interleaveMode, 0]);
    }

    /// <summary>
    /// The end marker, behind a fill byte where it makes the length even: dcmtk takes a zero byte behind the marker, which DICOM would pad an odd length
    /// with, for trailing rubbish and refuses the frame.
    /// </summary>
    public void WriteEnd()
    {
        if (result.Length % 2 != 0)
        {
            result.WriteByte(0xFF);
        }
        result.Write([0xFF, JpegLsMarker.EndOfImage]);
    }

    private void WriteSegment(byte marker, ReadOnlySpan<byte> content)
    {
        Span<byte> head = [0xFF, marker, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)(content.Length + 2));
        result.Write(head);
        result.Write(content);
    }
}
