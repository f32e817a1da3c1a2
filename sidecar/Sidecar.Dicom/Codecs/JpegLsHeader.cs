using System.Buffers.Binary;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs;

/// <summary>What a JPEG-LS codestream (ISO/IEC 14495-1) says of itself before its samples begin. Allocates nothing.</summary>
/// <param name="Columns">Samples in a line.</param>
/// <param name="Rows">Lines.</param>
/// <param name="Components">Components of the frame.</param>
/// <param name="Precision">Bits of a sample, 2 to 16.</param>
/// <param name="InterleaveMode">0: one scan a component; 1: by line; 2: by sample.</param>
public sealed record JpegLsHeader(int Columns, int Rows, int Components, int Precision, int InterleaveMode)
{
    private const byte StartOfImage = 0xD8;
    private const byte StartOfScan = 0xDA;
    private const byte StartOfFrame = 0xF7;

    /// <exception cref="DicomFormatException">This is no JPEG-LS codestream, or its header is damaged.</exception>
    public static JpegLsHeader Read(ReadOnlySpan<byte> codestream)
    {
        if (codestream.Length < 2 || codestream[0] != 0xFF || codestream[1] != StartOfImage)
        {
            throw new DicomFormatException("A compressed frame is no JPEG-LS codestream, although the transfer syntax says so.");
        }
        var rest = codestream[2..];
        JpegLsHeader? frame = null;
        while (true)
        {
            var segment = TakeSegment(ref rest, out var marker);
            if (marker == StartOfFrame)
            {
                frame = ReadFrame(segment);
            }
            else if (marker == StartOfScan)
            {
                // Ls, Ns, Ns × (Cs, Tm), NEAR, ILV, Al/Ah
                return frame is not null && segment.Length >= 1 && segment.Length >= 1 + (2 * segment[0]) + 3 && segment[2 + (2 * segment[0])] <= 2
                    ? frame with { InterleaveMode = segment[2 + (2 * segment[0])] }
                    : throw Damaged();
            }
            else if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                throw new DicomFormatException("A compressed frame is JPEG of another process, not JPEG-LS as the transfer syntax says.");
            }
        }
    }

    private static ReadOnlySpan<byte> TakeSegment(ref ReadOnlySpan<byte> rest, out byte marker)
    {
        while (rest.Length >= 2 && rest[0] == 0xFF && rest[1] == 0xFF)
        {
            rest = rest[1..];
        }
        if (rest.Length < 4 || rest[0] != 0xFF)
        {
            throw Damaged();
        }
        marker = rest[1];
        var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        if (length < 2 || rest.Length < 2 + length)
        {
            throw Damaged();
        }
        var segment = rest[4..(2 + length)];
        rest = rest[(2 + length)..];
        return segment;
    }

    private static JpegLsHeader ReadFrame(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < 6 || segment.Length < 6 + (3 * segment[5]))
        {
            throw Damaged();
        }
        var components = segment[5];
        for (var i = 0; i < components; i++)
        {
            if (segment[7 + (3 * i)] != 0x11)
            {
                throw new DicomFormatException("A JPEG-LS frame has subsampled components, which DICOM does not allow.");
            }
        }
        return new JpegLsHeader(BinaryPrimitives.ReadUInt16BigEndian(segment[3..]), BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), components, segment[0], 0);
    }

    private static DicomFormatException Damaged() => new("The header of a JPEG-LS frame is damaged.");
}
