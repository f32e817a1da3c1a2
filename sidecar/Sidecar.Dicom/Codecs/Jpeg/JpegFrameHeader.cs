using System.Buffers.Binary;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>A component of a frame (ISO/IEC 10918-1 B.2.2).</summary>
/// <param name="Id">Its identifier, which scans refer to.</param>
/// <param name="Horizontal">Horizontal sampling factor.</param>
/// <param name="Vertical">Vertical sampling factor.</param>
/// <param name="QuantizationTable">Which quantization table it uses.</param>
internal sealed record JpegComponent(byte Id, int Horizontal, int Vertical, int QuantizationTable);

/// <summary>The frame header: process, precision, size and components.</summary>
internal sealed record JpegFrameHeader(byte Process, int Precision, int Rows, int Columns, IReadOnlyList<JpegComponent> Components)
{
    public bool IsLossless => Process == JpegMarker.StartOfFrameLossless;

    public bool IsProgressive => Process == JpegMarker.StartOfFrameProgressive;

    public int MaxHorizontal => Components.Max(component => component.Horizontal);

    public int MaxVertical => Components.Max(component => component.Vertical);

    public static JpegFrameHeader Read(byte marker, ReadOnlySpan<byte> content)
    {
        if (marker > JpegMarker.StartOfFrameLossless)
        {
            throw new UnsupportedInstanceException(marker > 0xC8
                ? "The JPEG frames use arithmetic coding, which is not supported."
                : "The JPEG frames are hierarchical, which is not supported.");
        }
        if (content.Length < 6 || content.Length < 6 + (3 * content[5]))
        {
            throw Damaged();
        }
        var components = new JpegComponent[content[5]];
        for (var i = 0; i < components.Length; i++)
        {
            var entry = content.Slice(6 + (3 * i), 3);
            var (horizontal, vertical) = (entry[1] >> 4, entry[1] & 15);
            if (horizontal is < 1 or > 4 || vertical is < 1 or > 4)
            {
                throw Damaged();
            }
            // A.2.2: the factors of a lone component mean nothing.
            components[i] = components.Length == 1
                ? new JpegComponent(entry[0], 1, 1, entry[2])
                : new JpegComponent(entry[0], horizontal, vertical, entry[2]);
        }
        return new JpegFrameHeader(
            marker, content[0], BinaryPrimitives.ReadUInt16BigEndian(content[1..]), BinaryPrimitives.ReadUInt16BigEndian(content[3..]), components);
    }

    /// <summary>Compares with what the data set says, before anything is allocated.</summary>
    /// <exception cref="DicomFormatException">They contradict each other.</exception>
    public void Check(PixelLayout layout)
    {
        if (Rows == 0)
        {
            throw new UnsupportedInstanceException("The JPEG frames state their height behind the picture (DNL), which is not supported.");
        }
        if (Rows != layout.Rows || Columns != layout.Columns || Components.Count != layout.SamplesPerPixel)
        {
            throw new DicomFormatException(
                $"A JPEG frame is {Columns}×{Rows} with {Components.Count} components, but the header says {layout.Columns}×{layout.Rows} with {layout.SamplesPerPixel}.");
        }
        var isRightPrecision = IsLossless ? Precision is >= 2 and <= 16 : Precision == 8 || (Precision == 12 && Process != JpegMarker.StartOfFrameBaseline);
        if (!isRightPrecision || Precision > 8 * layout.SampleBytes || layout.SampleBytes > 2 || layout.IsBitPacked)
        {
            throw new DicomFormatException($"The JPEG frames have {Precision} bits a sample, which does not fit BitsAllocated {layout.BitsAllocated}.");
        }
        if (Precision < layout.BitsStored && layout.IsSigned)
        {
            throw new UnsupportedInstanceException(
                $"The JPEG frames have {Precision} bits a sample and BitsStored is {layout.BitsStored}, so the sign bit of the samples is not known.");
        }
    }

    private static DicomFormatException Damaged() => new("The frame header of a JPEG frame is damaged.");
}
