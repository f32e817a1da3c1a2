using System.Globalization;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>How the samples of a pixel cell are numbers.</summary>
public enum SampleKind
{
    WholeNumber,
    SinglePrecision,
    DoublePrecision,
}

/// <summary>The Image Pixel attributes (PS3.3 C.7.6.3), checked once against each other; whoever holds one may trust it.</summary>
public sealed record PixelLayout
{
    /// <summary>Larger frames are refused, as no detector makes them and every lie about sizes asks for them. Bytes.</summary>
    public const long MaxFrameBytes = 1L << 30;

    /// <summary>More are refused: each frame costs a line of proof.</summary>
    public const int MaxFrames = 1_000_000;

    private static readonly string[] OneSample = ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"];
    private static readonly string[] ThreeSamples = ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"];

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required int Frames { get; init; }

    public required int SamplesPerPixel { get; init; }

    public required int BitsAllocated { get; init; }

    public required int BitsStored { get; init; }

    public required int HighBit { get; init; }

    /// <summary>PixelRepresentation 1: two's complement.</summary>
    public required bool IsSigned { get; init; }

    /// <summary>PlanarConfiguration 1: one plane a sample, in native pixel data.</summary>
    public required bool IsPlanar { get; init; }

    public required string PhotometricInterpretation { get; init; }

    public required SampleKind SampleKind { get; init; }

    /// <summary>Cells that are no whole bytes follow each other bit by bit, over the ends of rows and frames (PS3.5 8.1.1).</summary>
    public bool IsBitPacked => BitsAllocated % 8 != 0;

    /// <summary>Bytes of one sample once unpacked.</summary>
    public int SampleBytes => BitsAllocated <= 8 ? 1 : BitsAllocated <= 16 ? 2 : BitsAllocated / 8;

    /// <summary>Native YBR_FULL_422: two pixels share their chrominance (PS3.3 C.7.6.3.1.2).</summary>
    public bool IsSubsampled => PhotometricInterpretation is "YBR_FULL_422" or "YBR_PARTIAL_422";

    /// <summary>A frame as native pixel data holds it, bit-packed cells unpacked.</summary>
    public FrameShape NativeShape => IsSubsampled
        ? new FrameShape(1, Rows, (Columns + 1) / 2, 4 * SampleBytes, UnitWidth: 2)
        : IsPlanar ? PlanarShape : new FrameShape(1, Rows, Columns, SamplesPerPixel * SampleBytes);

    /// <summary>A frame as one plane a sample, nothing shared between pixels.</summary>
    public FrameShape PlanarShape => new(SamplesPerPixel, Rows, Columns, SampleBytes);

    /// <exception cref="DicomFormatException">An attribute is missing or contradicts another.</exception>
    /// <exception cref="UnsupportedInstanceException">The instance has no image, or one of a kind that cannot be masked.</exception>
    public static PixelLayout Read(Part10File file)
    {
        var pixelData = file.Elements.Where(element => element.Tag.IsPixelData).ToList();
        if (pixelData.Count != 1)
        {
            throw pixelData.Count == 0
                ? new UnsupportedInstanceException("The instance has no pixel data, so there is nothing to mask.")
                : new UnsupportedInstanceException("The instance holds more than one pixel data element.");
        }
        if (file.Elements.FirstOrDefault(element => element.Tag.Group is > 0x7F00 and < 0x7FE0 && element.Tag.Group % 2 == 0 && element.Tag.Element == 0x0010) is { } variable)
        {
            throw new UnsupportedInstanceException($"The instance holds retired variable pixel data {variable.Tag}, which cannot be masked.");
        }
        RefuseContradictions(file);
        var kind = pixelData[0].Tag == DicomTag.FloatPixelData ? SampleKind.SinglePrecision
            : pixelData[0].Tag == DicomTag.DoubleFloatPixelData ? SampleKind.DoublePrecision
            : SampleKind.WholeNumber;
        var bitsAllocated = Require(file, DicomTag.BitsAllocated, "BitsAllocated");
        var bitsStored = kind == SampleKind.WholeNumber && file.ReadUInt16(DicomTag.BitsStored) is > 0 and var said ? said : bitsAllocated;
        var photometricInterpretation = ReadPhotometricInterpretation(file);
        var samples = file.ReadUInt16(DicomTag.SamplesPerPixel) ?? (ThreeSamples.Contains(photometricInterpretation) ? 3 : 1);
        // PS3.5 8.1.1 puts it there today; a value that cannot be right is an old writer's slip that no reader follows.
        var highBit = kind == SampleKind.WholeNumber && file.ReadUInt16(DicomTag.HighBit) is { } high && high >= bitsStored - 1 && high < bitsAllocated ? high : bitsStored - 1;
        var layout = new PixelLayout
        {
            Rows = Require(file, DicomTag.Rows, "Rows"),
            Columns = Require(file, DicomTag.Columns, "Columns"),
            Frames = ReadFrames(file),
            SamplesPerPixel = samples,
            BitsAllocated = bitsAllocated,
            BitsStored = bitsStored,
            HighBit = highBit,
            IsSigned = file.ReadUInt16(DicomTag.PixelRepresentation) == 1,
            IsPlanar = samples > 1 && file.ReadUInt16(DicomTag.PlanarConfiguration) == 1,
            PhotometricInterpretation = photometricInterpretation,
            SampleKind = kind,
        };
        layout.Check();
        return layout;
    }

    /// <summary>Readers disagree on which of two values counts.</summary>
    private static void RefuseContradictions(Part10File file)
    {
        foreach (var same in file.Elements.Where(element => element.Tag.Group == 0x0028).GroupBy(element => element.Tag).Where(group => group.Count() > 1))
        {
            var first = file.ReadValue(same.First());
            if (same.Skip(1).Any(element => !file.ReadValue(element).AsSpan().SequenceEqual(first)))
            {
                throw new DicomFormatException($"Element {same.Key} stands twice with different values, so the pixels are in doubt. Repair the file first.");
            }
        }
    }

    /// <summary>ACR-NEMA did not know the attribute: its images have one sample, shown with the lowest value black.</summary>
    private static string ReadPhotometricInterpretation(Part10File file) =>
        file.ReadText(DicomTag.PhotometricInterpretation)?.Trim().ToUpperInvariant() is { Length: > 0 } text ? text
        : file.ReadUInt16(DicomTag.SamplesPerPixel) is null or 1 && file.Find(new DicomTag(0x0028, 0x1101)) is null ? "MONOCHROME2"
        : throw new DicomFormatException("PhotometricInterpretation is missing, so black cannot be computed.");

    private void Check()
    {
        if (Rows == 0 || Columns == 0)
        {
            throw new DicomFormatException($"The image size {Columns}×{Rows} is empty.");
        }
        if (Frames > MaxFrames)
        {
            throw new DicomFormatException($"The header claims {Frames} frames, more than {MaxFrames}.");
        }
        var isOneSample = OneSample.Contains(PhotometricInterpretation);
        if (!isOneSample && !ThreeSamples.Contains(PhotometricInterpretation))
        {
            throw new UnsupportedInstanceException($"The colour model {PhotometricInterpretation} is not supported.");
        }
        if (SamplesPerPixel != (isOneSample ? 1 : 3))
        {
            throw new DicomFormatException($"SamplesPerPixel {SamplesPerPixel} does not fit {PhotometricInterpretation}.");
        }
        if (SampleKind != SampleKind.WholeNumber)
        {
            if (BitsAllocated != (SampleKind == SampleKind.SinglePrecision ? 32 : 64) || SamplesPerPixel != 1)
            {
                throw new DicomFormatException($"BitsAllocated {BitsAllocated} does not fit floating point pixel data.");
            }
        }
        else if (BitsAllocated is not (1 or 8 or 12 or 16 or 32 or 64))
        {
            throw new UnsupportedInstanceException($"BitsAllocated {BitsAllocated} is not supported.");
        }
        if (BitsStored < 1 || BitsStored > BitsAllocated || HighBit < BitsStored - 1 || HighBit >= BitsAllocated)
        {
            throw new DicomFormatException($"BitsAllocated {BitsAllocated}, BitsStored {BitsStored} and HighBit {HighBit} contradict each other.");
        }
        if (IsBitPacked && SamplesPerPixel != 1)
        {
            throw new UnsupportedInstanceException($"BitsAllocated {BitsAllocated} with {SamplesPerPixel} samples a pixel is not supported.");
        }
        if (PlanarShape.FrameBytes > MaxFrameBytes)
        {
            throw new DicomFormatException($"The header claims frames of {Columns}×{Rows} pixels, more than {MaxFrameBytes >> 20} MiB each.");
        }
    }

    private static int Require(Part10File file, DicomTag tag, string keyword) =>
        file.ReadUInt16(tag) ?? throw new DicomFormatException($"{keyword} {tag} is missing, so the pixel data cannot be read.");

    private static int ReadFrames(Part10File file)
    {
        // Multi-valued by mistake in some files: the first value counts.
        var text = file.ReadText(DicomTag.NumberOfFrames)?.Split('\\')[0].Trim();
        if (string.IsNullOrEmpty(text))
        {
            return 1;
        }
        // 0 is an image without frames, which cannot be; the length of the pixel data says whether it is one.
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var frames) && frames >= 0
            ? Math.Max(frames, 1)
            : throw new DicomFormatException("NumberOfFrames is not a positive number.");
    }
}
