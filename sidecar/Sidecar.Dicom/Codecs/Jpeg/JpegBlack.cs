using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>The DC coefficients that make a block black; all other coefficients of it are 0.</summary>
internal static class JpegBlack
{
    /// <returns>One coefficient a component.</returns>
    public static short[] Compute(JpegCodestream structure, PixelLayout layout, BlackSample black)
    {
        if (layout.PhotometricInterpretation == "PALETTE COLOR")
        {
            throw new UnsupportedInstanceException("The pixels are indices into a palette, yet compressed with loss: no block of them can be made black.");
        }
        var precision = structure.Header.Precision;
        var (half, highest) = (1 << (precision - 1), (1 << precision) - 1);
        int[] samples = structure.Header.Components.Count == 1 ? [(int)black.Cells[0] & highest]
            : IsRgb(structure, layout) ? [0, 0, 0]
            : [0, half, half];
        return [.. samples.Select((sample, component) => ToDc(sample - half, sample == highest, FindQuantizer(structure, component)))];
    }

    /// <summary>
    /// Which colours the coded components are: what the codestream says, as decoders read it (JFIF, the Adobe segment, then component names), and only
    /// where it says nothing what the data set says.
    /// </summary>
    public static bool IsRgb(JpegCodestream structure, PixelLayout layout)
    {
        if (structure.IsJfif)
        {
            return false;
        }
        if (structure.AdobeTransform is { } transform)
        {
            return transform == 0;
        }
        return string.Concat(structure.Header.Components.Select(component => (char)component.Id)) switch
        {
            "RGB" => true,
            "\u0001\u0002\u0003" => false,
            _ => layout.PhotometricInterpretation == "RGB",
        };
    }

    private static int FindQuantizer(JpegCodestream structure, int component)
    {
        var quantizer = structure.Scans.SelectMany(scan => scan.Components).FirstOrDefault(part => part.Index == component)?.DcQuantizer ?? 0;
        return quantizer != 0 ? quantizer : throw new DicomFormatException("A JPEG frame is damaged: a component or its quantization table is missing.");
    }

    /// <summary>
    /// A block of one value has 8 times that value as its DC coefficient. The ends of the range are overshot, since decoders clip them; values within are
    /// not, as the next higher one might not fit BitsStored.
    /// </summary>
    private static short ToDc(int level, bool isHighest, int quantizer) => (short)(
        isHighest ? DivideUp(8 * level, quantizer)
        : level < 0 ? -DivideUp(-8 * level, quantizer)
        : 8 * level / quantizer);

    private static int DivideUp(int value, int divisor) => (value + divisor - 1) / divisor;
}
