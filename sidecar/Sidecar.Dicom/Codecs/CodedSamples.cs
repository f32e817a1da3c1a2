using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>
/// How the header of a JPEG-LS or JPEG 2000 codestream describes its samples, held against the data set. Frames of both decode to one plane,
/// colour-by-pixel; the low bits of a cell are the codestream's sample, bit for bit, and the bits above are clear or repeat the sign.
/// </summary>
/// <param name="Columns">Samples in a line.</param>
/// <param name="Rows">Lines.</param>
/// <param name="Components">Components, which are the samples of a pixel.</param>
/// <param name="Precision">Bits of a sample.</param>
public readonly record struct CodedSamples(int Columns, int Rows, int Components, int Precision)
{
    /// <exception cref="DicomFormatException">The codestream contradicts the layout.</exception>
    /// <exception cref="UnsupportedInstanceException">The layout is of a kind that the codestreams cannot hold exactly.</exception>
    public void CheckAgainst(PixelLayout layout)
    {
        if (Columns != layout.Columns || Rows != layout.Rows || Components != layout.SamplesPerPixel)
        {
            throw new DicomFormatException(
                $"A compressed frame holds {Columns}×{Rows} pixels of {Components} samples, but the header says {layout.Columns}×{layout.Rows} of {layout.SamplesPerPixel}.");
        }
        if (layout.SampleKind != SampleKind.WholeNumber || layout.SampleBytes > 4 || layout.BitsAllocated == 12)
        {
            throw new UnsupportedInstanceException($"Pixel data of {layout.BitsAllocated} bits of this kind is not supported in this transfer syntax.");
        }
        if (Precision > layout.BitsAllocated)
        {
            throw new DicomFormatException($"A compressed frame holds samples of {Precision} bits, but BitsAllocated is {layout.BitsAllocated}.");
        }
        if (layout.HighBit != layout.BitsStored - 1 && Precision <= layout.HighBit)
        {
            throw new UnsupportedInstanceException($"The compressed frames hold {Precision} bits a sample, but HighBit says that samples lie higher in their cells.");
        }
    }

    /// <summary>The shape that frames decode to, and black in it.</summary>
    public static FrameFormat Describe(PixelLayout layout, BlackSample black)
    {
        var shape = new FrameShape(1, layout.Rows, layout.Columns, layout.SamplesPerPixel * layout.SampleBytes);
        return new FrameFormat(shape, black.FillUnits(shape, layout.SampleBytes, isBigEndian: false));
    }

    /// <summary>Whether a sample of so many bits can hold black.</summary>
    public static bool CanHoldBlack(int precision, PixelLayout layout, BlackSample black)
    {
        var shift = 64 - precision;
        return black.Cells.All(cell => layout.IsSigned
            ? ((long)cell << shift >> shift) == (long)cell << (64 - layout.BitsAllocated) >> (64 - layout.BitsAllocated)
            : cell << shift >> shift == cell);
    }
}
