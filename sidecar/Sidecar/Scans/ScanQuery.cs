using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sidecar.Scans;

[Description("Which images of the archive are scanned. What is left out does not limit; with neverScanned and olderEngine, either is enough.")]
internal sealed record ScanQuery(
    [property: Description("Modality (0008,0060), for example US.")] string? Modality = null,
    [property: Description("StudyDate from this day on, as 2026-11-22.")] DateOnly? DateFrom = null,
    [property: Description("StudyDate to this day, included. Studies without a date are left out where a day is given.")] DateOnly? DateTo = null,
    [property: Description("StationName (0008,1010), exactly.")] string? Station = null,
    [property: Description("Only images that were never looked at.")] bool NeverScanned = false,
    [property: Description("Only images last looked at by another version of the engine than today's.")] bool OlderEngine = false)
{
    /// <summary>PS3.5 6.2: CS has 16 characters, SH 16; some systems write more.</summary>
    private const int LongestText = 64;

    /// <summary>What is wrong with it, for a person; null where nothing is.</summary>
    public string? Fault() =>
        Modality is { Length: > LongestText } || Station is { Length: > LongestText } ? $"modality and station have at most {LongestText} characters."
        : DateFrom > DateTo ? "dateFrom is after dateTo."
        : null;

    /// <param name="studyDate">As Orthanc has it; null where the study has none.</param>
    public bool TakesStudyOf(string? studyDate)
    {
        if (DateFrom is null && DateTo is null)
        {
            return true;
        }

        return DateOnly.TryParseExact(studyDate?.Trim(), ["yyyyMMdd", "yyyy.MM.dd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            && (DateFrom is null || date >= DateFrom) && (DateTo is null || date <= DateTo);
    }

    public bool TakesSeriesOf(string? modality, string? station) =>
        (Modality is null || string.Equals(Modality, modality?.Trim(), StringComparison.OrdinalIgnoreCase)) && (Station is null || Station == station?.Trim());

    /// <param name="ledger">The image's row; null where it has none, or one of another file.</param>
    /// <param name="engine">Today's.</param>
    /// <param name="since">When the run began: what was scanned since then by today's engine is not scanned again.</param>
    public bool TakesImageWith(LedgerRow? ledger, string engine, DateTimeOffset since)
    {
        if (ledger is null)
        {
            return true;
        }

        if (ledger.Engine != engine)
        {
            return OlderEngine || !NeverScanned;
        }

        return !NeverScanned && !OlderEngine && ledger.ScannedAt < since;
    }

    public string ToJson() => JsonSerializer.Serialize(this, ScanStoreJson.Default.ScanQuery);

    public System.Text.Json.Nodes.JsonNode? ToNode() => JsonSerializer.SerializeToNode(this, ScanStoreJson.Default.ScanQuery);

    public static ScanQuery FromJson(string text) => JsonSerializer.Deserialize(text, ScanStoreJson.Default.ScanQuery)!;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScanQuery))]
internal sealed partial class ScanStoreJson : JsonSerializerContext;
