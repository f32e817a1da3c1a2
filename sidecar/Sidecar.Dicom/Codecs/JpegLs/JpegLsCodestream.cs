using System.Buffers.Binary;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>One scan of a JPEG-LS frame, checked.</summary>
/// <param name="Components">Which of the frame's components it holds, 0-based.</param>
/// <param name="IsBySample">ILV 2: the components of a pixel follow each other; else their lines do.</param>
/// <param name="Parameters">How its samples are coded.</param>
/// <param name="RestartRows">Rows from one restart marker to the next; all rows where there are none.</param>
/// <param name="Entropy">Where in the codestream its coded samples lie, restart markers included.</param>
internal sealed record JpegLsScan(int[] Components, bool IsBySample, JpegLsParameters Parameters, int RestartRows, Range Entropy);

/// <summary>The structure of a JPEG-LS codestream (ISO/IEC 14495-1 annex C): its frame header and its scans.</summary>
internal sealed class JpegLsCodestream
{
    private readonly List<JpegLsScan> scans = [];
    private readonly int[] preset = new int[5];
    private int restartInterval;

    private JpegLsCodestream()
    {
    }

    public int Columns { get; private set; }

    public int Rows { get; private set; }

    /// <summary>Bits of a sample, 2 to 16.</summary>
    public int Precision { get; private set; }

    /// <summary>The identifiers of the frame's components, in its order.</summary>
    public byte[] ComponentIds { get; private set; } = [];

    /// <summary>The scans, each component in one of them.</summary>
    public IReadOnlyList<JpegLsScan> Scans => scans;

    /// <exception cref="DicomFormatException">This is no JPEG-LS codestream, or it is damaged.</exception>
    /// <exception cref="UnsupportedInstanceException">It is of a kind that cannot be masked exactly.</exception>
    public static JpegLsCodestream Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2 || bytes[0] != 0xFF || bytes[1] != JpegLsMarker.StartOfImage)
        {
            throw new DicomFormatException("A compressed frame is no JPEG-LS codestream, although the transfer syntax says so.");
        }
        var codestream = new JpegLsCodestream();
        var position = 2;
        do
        {
            codestream.ReadSegment(bytes, ref position);
        }
        while (codestream.ComponentIds.Length == 0 || codestream.scans.Sum(scan => scan.Components.Length) < codestream.ComponentIds.Length);
        return codestream;
    }

    private void ReadSegment(ReadOnlySpan<byte> bytes, ref int position)
    {
        // Any number of fill bytes may precede a marker.
        while (position + 1 < bytes.Length && bytes[position] == 0xFF && bytes[position + 1] == 0xFF)
        {
            position++;
        }
        if (position + 4 > bytes.Length || bytes[position] != 0xFF)
        {
            throw Damaged();
        }
        var marker = bytes[position + 1];
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(position + 2)..]);
        if (marker == JpegLsMarker.EndOfImage || length < 2 || position + 2 + length > bytes.Length)
        {
            throw Damaged();
        }
        var segment = bytes.Slice(position + 4, length - 2);
        position += 2 + length;
        switch (marker)
        {
            case JpegLsMarker.StartOfFrame:
                ReadFrame(segment);
                break;
            case JpegLsMarker.PresetParameters:
                ReadPreset(segment);
                break;
            case JpegLsMarker.DefineRestartInterval:
                ReadRestartInterval(segment);
                break;
            case JpegLsMarker.StartOfScan:
                var start = position;
                position += EntropyLength(bytes[position..]);
                ReadScan(segment, start..position);
                break;
            case JpegLsMarker.App8 when segment.Length >= 5 && segment.StartsWith("mrfx"u8) && segment[4] != 0:
                throw new UnsupportedInstanceException("The JPEG-LS frames use a vendor's colour transform, which readers treat differently.");
            case >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC):
                throw new DicomFormatException("A compressed frame is JPEG of another process, not JPEG-LS as the transfer syntax says.");
            default:
                break;
        }
    }

    private void ReadFrame(ReadOnlySpan<byte> segment)
    {
        if (ComponentIds.Length != 0 || segment.Length < 6 || segment[5] == 0 || segment.Length < 6 + (3 * segment[5]) || segment[0] is < 2 or > 16)
        {
            throw Damaged();
        }
        Precision = segment[0];
        // Sizes of 0 are told by an LSE segment, which may have come before.
        Rows = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]) is > 0 and var rows ? rows : Rows;
        Columns = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]) is > 0 and var columns ? columns : Columns;
        ComponentIds = new byte[segment[5]];
        for (var i = 0; i < ComponentIds.Length; i++)
        {
            if (segment[7 + (3 * i)] != 0x11)
            {
                throw new DicomFormatException("A JPEG-LS frame has subsampled components, which DICOM does not allow.");
            }
            ComponentIds[i] = segment[6 + (3 * i)];
        }
    }

    private void ReadPreset(ReadOnlySpan<byte> segment)
    {
        switch (segment.Length == 0 ? 0 : segment[0])
        {
            case 1 when segment.Length >= 11:
                for (var i = 0; i < preset.Length; i++)
                {
                    preset[i] = BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + (2 * i))..]);
                }
                break;
            case 2 or 3:
                throw new UnsupportedInstanceException("The JPEG-LS frames use mapping tables, which give their samples another meaning.");
            case 4 when segment.Length >= 2 && segment[1] is >= 2 and <= 4 && segment.Length >= 2 + (2 * segment[1]):
                // C.2.4.1.4: sizes that need not fit 16 bits.
                Rows = ReadNumber(segment.Slice(2, segment[1]));
                Columns = ReadNumber(segment.Slice(2 + segment[1], segment[1]));
                break;
            default:
                throw new UnsupportedInstanceException("The JPEG-LS frames use an extension of the standard that is not supported.");
        }
    }

    /// <summary>In lines, which are the minimum coded units of JPEG-LS; up to four bytes (C.2.5).</summary>
    private void ReadRestartInterval(ReadOnlySpan<byte> segment)
    {
        var interval = segment.Length is >= 2 and <= 4 ? ReadNumber(segment) : throw Damaged();
        restartInterval = scans.Count == 0 || interval == restartInterval
            ? interval
            : throw new UnsupportedInstanceException("The scans of the JPEG-LS frames restart at different intervals, which is not supported.");
    }

    private void ReadScan(ReadOnlySpan<byte> segment, Range entropy)
    {
        if (ComponentIds.Length == 0 || Rows == 0 || Columns == 0 || segment.Length < 1 || segment.Length < 4 + (2 * segment[0]))
        {
            throw Damaged();
        }
        var components = new int[segment[0]];
        var (near, interleaveMode, pointTransform) = (segment[1 + (2 * components.Length)], segment[2 + (2 * components.Length)], segment[3 + (2 * components.Length)]);
        for (var i = 0; i < components.Length; i++)
        {
            components[i] = ComponentIds.AsSpan().IndexOf(segment[1 + (2 * i)]);
            if (components[i] < 0 || components.AsSpan(0, i).Contains(components[i]) || scans.Any(scan => scan.Components.Contains(components[i])))
            {
                throw Damaged();
            }
            if (segment[2 + (2 * i)] != 0)
            {
                throw new UnsupportedInstanceException("The JPEG-LS frames use mapping tables, which give their samples another meaning.");
            }
        }
        if (components.Length is 0 or > 4 || interleaveMode > 2 || (interleaveMode == 0 && components.Length > 1))
        {
            throw Damaged();
        }
        if ((pointTransform & 0x0F) != 0)
        {
            throw new UnsupportedInstanceException("The JPEG-LS frames use a point transform, which is not supported.");
        }
        var parameters = JpegLsParameters.FromPreset(Precision, near, preset[0], preset[1], preset[2], preset[3], preset[4]);
        var restartRows = restartInterval > 0 && restartInterval < Rows ? restartInterval : Rows;
        scans.Add(new JpegLsScan(components, interleaveMode == 2 && components.Length > 1, parameters, restartRows, entropy));
    }

    /// <summary>Bytes up to the marker that ends the scan: one that is no restart marker.</summary>
    private static int EntropyLength(ReadOnlySpan<byte> bytes)
    {
        for (var position = 0; ; position += 2)
        {
            var next = bytes[position..].IndexOf((byte)0xFF);
            if (next < 0 || position + next + 1 >= bytes.Length)
            {
                return bytes.Length;
            }
            position += next;
            if (bytes[position + 1] >= 0x80 && !JpegLsMarker.IsRestart(bytes[position + 1]))
            {
                return position;
            }
        }
    }

    private static int ReadNumber(ReadOnlySpan<byte> bytes)
    {
        var number = 0U;
        foreach (var part in bytes)
        {
            number = (number << 8) | part;
        }
        return (int)Math.Min(number, int.MaxValue);
    }

    private static DicomFormatException Damaged() => new("The header of a JPEG-LS frame is damaged.");
}
