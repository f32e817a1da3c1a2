using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>The rules of progressive scans (ISO/IEC 10918-1 G.1.1), checked before any is decoded, as scans are written anew by them.</summary>
internal static class JpegProgression
{
    /// <summary>More scans than this no encoder writes; each goes over the whole picture.</summary>
    private const int MaxScans = 128;

    private const int NotCoded = -1;

    /// <exception cref="DicomFormatException">A scan's parameters or tables are wrong, or a coefficient's bits do not come in order.</exception>
    /// <exception cref="UnsupportedInstanceException">The frame stops before its DC coefficients are whole.</exception>
    public static void Check(JpegCodestream structure)
    {
        var components = structure.Header.Components.Count;
        var lowBits = new int[components * JpegBlockGeometry.BlockSize];
        Array.Fill(lowBits, NotCoded);
        if (structure.Scans.Count > MaxScans)
        {
            throw Damaged("it has more scans than any encoder writes");
        }
        foreach (var scan in structure.Scans)
        {
            CheckScan(scan);
            foreach (var part in scan.Components)
            {
                for (var k = scan.SpectralStart; k <= scan.SpectralEnd; k++)
                {
                    ref var lowBit = ref lowBits[(part.Index * JpegBlockGeometry.BlockSize) + k];
                    if (lowBit != (scan.ApproximationHigh == 0 ? NotCoded : scan.ApproximationHigh))
                    {
                        throw Damaged("the bits of its coefficients do not come in order");
                    }
                    lowBit = scan.ApproximationLow;
                }
            }
        }
        for (var component = 0; component < components; component++)
        {
            if (lowBits[component * JpegBlockGeometry.BlockSize] != 0)
            {
                throw new UnsupportedInstanceException("The progressive JPEG frames stop before their last scans, so that no exact black can be written.");
            }
        }
    }

    private static void CheckScan(JpegScan scan)
    {
        var isDc = scan.SpectralStart == 0;
        var isRange = isDc ? scan.SpectralEnd == 0
            : scan.SpectralEnd >= scan.SpectralStart && scan.SpectralEnd < JpegBlockGeometry.BlockSize && scan.Components.Count == 1;
        var isStep = scan.ApproximationLow <= 13 && (scan.ApproximationHigh == 0 || scan.ApproximationHigh == scan.ApproximationLow + 1);
        if (!isRange || !isStep)
        {
            throw Damaged("a scan header is damaged");
        }
        var needsDcTable = isDc && scan.ApproximationHigh == 0;
        if (scan.Components.Any(part => (needsDcTable && part.Dc is null) || (!isDc && part.Ac is null)))
        {
            throw Damaged("a Huffman table is missing");
        }
    }

    private static DicomFormatException Damaged(string how) => new($"A JPEG frame is damaged: {how}.");
}
