using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Restart markers between entropy-coded segments (ISO/IEC 10918-1 E.1.4): they count from 0 to 7 and over again.</summary>
internal static class RestartMarkers
{
    /// <summary>The bytes behind restart marker number <paramref name="index"/>, which must be next.</summary>
    public static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> entropy, int index)
    {
        while (entropy.Length > 2 && entropy[0] == 0xFF && entropy[1] == 0xFF)
        {
            entropy = entropy[1..];
        }
        return entropy.Length >= 2 && entropy[0] == 0xFF && entropy[1] == JpegMarker.Restart0 + (index & 7)
            ? entropy[2..]
            : throw new DicomFormatException("A JPEG frame is damaged: a restart marker is missing.");
    }

    public static void Write(Stream result, int index)
    {
        result.WriteByte(0xFF);
        result.WriteByte((byte)(JpegMarker.Restart0 + (index & 7)));
    }
}
