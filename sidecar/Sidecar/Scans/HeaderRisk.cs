using System.Text.Json;

namespace Sidecar.Scans;

/// <summary>
/// How probable burned-in text is in a series, by the header of one of its images. It orders the queue and leaves nothing out. The weights are
/// rough: captured screens and ultrasound nearly always have text, reconstructed slices hardly ever.
/// </summary>
internal static class HeaderRisk
{
    /// <param name="tags">By keyword, as Orthanc simplifies them.</param>
    public static int Of(JsonElement tags)
    {
        var sopClass = Text(tags, "SOPClassUID");
        var modality = Text(tags, "Modality");
        var risk = modality switch
        {
            "US" or "IVUS" or "SC" or "OT" => 300,
            "XC" or "ES" or "GM" or "OP" or "OPT" or "DOC" => 150,
            "XA" or "RF" or "MG" or "CR" or "DX" or "IO" or "PX" => 100,
            "NM" or "PT" or "BMD" or "ECG" => 80,
            "CT" or "MR" => 20,
            _ => 60,
        };

        // PS3.3 C.7.6.1.1.5: NO is a promise that devices also break.
        risk += Text(tags, "BurnedInAnnotation") switch { "YES" => 500, "NO" => -20, _ => 0 };
        if (sopClass.StartsWith("1.2.840.10008.5.1.4.1.1.7", StringComparison.Ordinal))
        {
            risk += 250; // Secondary Capture, and its multi-frame kinds
        }

        // PS3.3 C.8.6.1: from a digitized film, a workstation, a video signal…
        risk += Text(tags, "ConversionType") is { Length: > 0 } conversion && conversion != "DI" ? 150 : 0;
        risk += Text(tags, "ImageType").Contains("SCREEN SAVE", StringComparison.OrdinalIgnoreCase) ? 250 : 0;
        risk += Text(tags, "ImageType").StartsWith("DERIVED\\SECONDARY", StringComparison.OrdinalIgnoreCase) ? 40 : 0;
        // PS3.3 C.8.5.5: what lies outside of the regions is the device's screen.
        risk += tags.TryGetProperty("SequenceOfUltrasoundRegions", out var regions) && regions.ValueKind == JsonValueKind.Array && regions.GetArrayLength() > 0 ? 50 : 0;
        risk += Text(tags, "Manufacturer").Length == 0 ? 30 : 0;
        return Math.Max(0, risk);
    }

    private static string Text(JsonElement tags, string keyword) =>
        tags.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim(' ', '\0') : "";
}
