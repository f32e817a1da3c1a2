using System.Buffers.Binary;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs;

/// <summary>What a JPEG 2000 codestream (ISO/IEC 15444-1 Annex A) says of itself before its first tile. Allocates nothing.</summary>
/// <param name="Start">Bytes before the codestream: 0, or the boxes of a JP2 file, which PS3.5 A.4.4 forbids but some devices write.</param>
/// <param name="Length">Bytes of the codestream, a padding byte included.</param>
/// <param name="Columns">Samples in a row.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Components">Components, all of this size, precision and sign.</param>
/// <param name="Precision">Bits of a sample.</param>
/// <param name="IsSigned">Whether the codestream calls its samples signed. Some files differ here from PixelRepresentation.</param>
/// <param name="UsesColorTransform">Whether the first three components went through the multiple component transform (Annex G).</param>
/// <param name="IsReversible">Whether the wavelet is the reversible 5/3.</param>
/// <param name="Progression">The order of packets (table A.16): 0 to 4.</param>
/// <param name="DecompositionLevels">How often the wavelet halves the picture: 0 to 32.</param>
/// <param name="CodeBlockWidthExponent">log2 of the columns of a code-block: 2 to 10.</param>
/// <param name="CodeBlockHeightExponent">log2 of its rows; together 12 at most.</param>
/// <param name="BypassesArithmeticCoder">Whether the low bit-planes are raw bits (table A.19). High-throughput code-blocks have none such.</param>
public sealed record Jpeg2000Header(
    int Start, int Length, int Columns, int Rows, int Components, int Precision, bool IsSigned, bool UsesColorTransform, bool IsReversible,
    int Progression, int DecompositionLevels, int CodeBlockWidthExponent, int CodeBlockHeightExponent, bool BypassesArithmeticCoder)
{
    private const int HighThroughputCodeBlocks = 0x40;

    private const ushort StartOfCodestream = 0xFF4F;
    private const ushort ImageAndTileSize = 0xFF51;
    private const ushort CodingStyleDefault = 0xFF52;
    private const ushort StartOfTilePart = 0xFF90;

    // As many tiles as the standard's 16-bit tile index can name.
    private const long MaxTiles = 65535;

    /// <exception cref="DicomFormatException">This is no JPEG 2000 codestream, or its header is damaged.</exception>
    /// <exception cref="UnsupportedInstanceException">Components differ from each other, or the file around the codestream changes what its samples mean.</exception>
    public static Jpeg2000Header Read(ReadOnlySpan<byte> frame)
    {
        var (start, length) = FindCodestream(frame);
        var rest = frame.Slice(start, length);
        if (rest.Length < 4 || BinaryPrimitives.ReadUInt16BigEndian(rest) != StartOfCodestream)
        {
            throw new DicomFormatException("A compressed frame is no JPEG 2000 codestream, although the transfer syntax says so.");
        }
        rest = rest[2..];
        Jpeg2000Header? size = null;
        Jpeg2000Header? complete = null;
        while (true)
        {
            if (rest.Length < 4)
            {
                throw Damaged();
            }
            var marker = BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (marker == StartOfTilePart)
            {
                return complete ?? throw Damaged();
            }
            var segmentLength = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (marker < 0xFF00 || segmentLength < 2 || rest.Length < 2 + segmentLength)
            {
                throw Damaged();
            }
            var segment = rest[4..(2 + segmentLength)];
            rest = rest[(2 + segmentLength)..];
            if (marker == ImageAndTileSize)
            {
                size = ReadSize(segment, start, length);
            }
            else if (marker == CodingStyleDefault)
            {
                complete = ReadCodingStyle(size ?? throw Damaged(), segment);
            }
        }
    }

    private static Jpeg2000Header ReadCodingStyle(Jpeg2000Header size, ReadOnlySpan<byte> segment)
    {
        // Scod, progression, layers (2), transform, levels, code-block width, height, style, wavelet (A.6.1)
        if (segment.Length < 10 || segment[1] > 4 || segment[5] > 32 || segment[6] > 8 || segment[7] > 8 || segment[6] + segment[7] > 8)
        {
            throw Damaged();
        }
        return size with
        {
            UsesColorTransform = segment[4] != 0,
            IsReversible = segment[9] == 1,
            Progression = segment[1],
            DecompositionLevels = segment[5],
            CodeBlockWidthExponent = segment[6] + 2,
            CodeBlockHeightExponent = segment[7] + 2,
            BypassesArithmeticCoder = (segment[8] & (1 | HighThroughputCodeBlocks)) == 1,
        };
    }

    private static Jpeg2000Header ReadSize(ReadOnlySpan<byte> segment, int start, int length)
    {
        if (segment.Length < 36)
        {
            throw Damaged();
        }
        Span<uint> numbers = stackalloc uint[8];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadUInt32BigEndian(segment[(2 + (4 * i))..]);
        }
        var (right, bottom, left, top) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        var (tileWidth, tileHeight, tileLeft, tileTop) = (numbers[4], numbers[5], numbers[6], numbers[7]);
        var components = BinaryPrimitives.ReadUInt16BigEndian(segment[34..]);
        if (right <= left || bottom <= top || right - left > ushort.MaxValue || bottom - top > ushort.MaxValue || tileWidth == 0 || tileHeight == 0
            || tileLeft > left || tileTop > top || components == 0 || segment.Length < 36 + (3 * components))
        {
            throw Damaged();
        }
        var tiles = (((long)right - tileLeft + tileWidth - 1) / tileWidth) * (((long)bottom - tileTop + tileHeight - 1) / tileHeight);
        if (tiles > MaxTiles)
        {
            throw Damaged();
        }
        var first = segment.Slice(36, 3);
        for (var i = 0; i < components; i++)
        {
            var component = segment.Slice(36 + (3 * i), 3);
            if (component[1] != 1 || component[2] != 1)
            {
                throw new UnsupportedInstanceException("A JPEG 2000 frame has subsampled components, which cannot be masked exactly.");
            }
            if (component[0] != first[0])
            {
                throw new UnsupportedInstanceException("The components of a JPEG 2000 frame differ in precision, which is not supported.");
            }
        }
        return new Jpeg2000Header(start, length, (int)(right - left), (int)(bottom - top), components, (first[0] & 0x7F) + 1, (first[0] & 0x80) != 0,
            false, false, 0, 0, 0, 0, false);
    }

    private static (int Start, int Length) FindCodestream(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 12 || !frame[4..8].SequenceEqual("jP  "u8))
        {
            return (0, frame.Length);
        }
        for (var position = 0L; position + 8 <= frame.Length;)
        {
            var (headerBytes, boxBytes) = ReadBox(frame[(int)position..]);
            var content = frame.Slice((int)position + headerBytes, boxBytes - headerBytes);
            switch (BinaryPrimitives.ReadUInt32BigEndian(frame[((int)position + 4)..]))
            {
                case 0x6A703263: // jp2c
                    return ((int)position + headerBytes, content.Length);
                case 0x6A703268: // jp2h
                    CheckHeaderBox(content);
                    break;
                default:
                    break;
            }
            position += boxBytes;
        }
        throw new DicomFormatException("A compressed frame is a JP2 file without a codestream.");
    }

    /// <summary>Palettes, reordered channels and sYCC are applied by some decoders and not by others, so the samples have no one meaning.</summary>
    private static void CheckHeaderBox(ReadOnlySpan<byte> boxes)
    {
        while (boxes.Length >= 8)
        {
            var (headerBytes, boxBytes) = ReadBox(boxes);
            var type = boxes[4..8];
            var content = boxes[headerBytes..boxBytes];
            if (type.SequenceEqual("pclr"u8) || type.SequenceEqual("cmap"u8) || type.SequenceEqual("cdef"u8)
                || (type.SequenceEqual("colr"u8) && content.Length >= 7 && content[0] == 1 && BinaryPrimitives.ReadUInt32BigEndian(content[3..]) == 18))
            {
                throw new UnsupportedInstanceException("A compressed frame is a JP2 file that gives its samples another meaning, which DICOM does not allow.");
            }
            boxes = boxes[boxBytes..];
        }
    }

    private static (int HeaderBytes, int BoxBytes) ReadBox(ReadOnlySpan<byte> box)
    {
        long length = BinaryPrimitives.ReadUInt32BigEndian(box);
        var headerBytes = 8;
        if (length == 1 && box.Length >= 16)
        {
            length = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(box[8..]), long.MaxValue);
            headerBytes = 16;
        }
        else if (length == 0)
        {
            length = box.Length;
        }
        return length >= headerBytes && length <= box.Length
            ? (headerBytes, (int)length)
            : throw new DicomFormatException("A compressed frame is a damaged JP2 file.");
    }

    private static DicomFormatException Damaged() => new("The header of a JPEG 2000 frame is damaged.");
}
