using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>Walks the entropy-coded segments of one scan, between which restart markers count from 0 to 7 and over again.</summary>
/// <param name="entropy">All of them.</param>
internal ref struct JpegLsSegments(ReadOnlySpan<byte> entropy)
{
    private ReadOnlySpan<byte> rest = entropy;
    private int index;

    /// <summary>Loads the bits of the next segment.</summary>
    /// <returns>Its bytes as they stand in the codestream.</returns>
    /// <exception cref="DicomFormatException">The restart marker before it is missing.</exception>
    public ReadOnlySpan<byte> LoadNext(JpegLsBits bits)
    {
        if (index > 0)
        {
            while (rest.Length > 2 && rest[0] == 0xFF && rest[1] == 0xFF)
            {
                rest = rest[1..];
            }
            rest = rest.Length >= 2 && rest[0] == 0xFF && rest[1] == JpegLsMarker.Restart0 + ((index - 1) & 7)
                ? rest[2..]
                : throw new DicomFormatException("A JPEG-LS frame is damaged: a restart marker is missing.");
        }
        index++;
        var segment = rest[..bits.Load(rest)];
        rest = rest[segment.Length..];
        return segment;
    }
}
