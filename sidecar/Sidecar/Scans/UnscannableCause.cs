using System.ComponentModel;
using System.Text.Json.Serialization;
using Sidecar.Dicom.Text;

namespace Sidecar.Scans;

[Description("Why an image could not be scanned. unsupported: it cannot be decoded here; damaged: its file cannot be read; archive: Orthanc did not deliver it; detector: the search for text failed on it, or its parts are not installed; software: a fault of this service.")]
[JsonConverter(typeof(JsonStringEnumConverter<UnscannableCause>))]
internal enum UnscannableCause
{
    [JsonStringEnumMemberName("unsupported")]
    Unsupported,
    [JsonStringEnumMemberName("damaged")]
    Damaged,
    [JsonStringEnumMemberName("archive")]
    Archive,
    [JsonStringEnumMemberName("detector")]
    Detector,
    [JsonStringEnumMemberName("software")]
    Software,
}

/// <summary>Why an image could not be looked at: the cause for programs that have words of their own, the sentence for a person.</summary>
internal sealed record Unscannable(UnscannableCause Cause, string Reason)
{
    /// <summary>As the database keeps the cause; one word, lower case.</summary>
    public string CauseWord => Cause.ToString().ToLowerInvariant();

    public static Unscannable? Of(InstanceScan scan) => scan.Status switch
    {
        ScanStatus.Scanned => null,
        ScanStatus.Unsupported => new Unscannable(UnscannableCause.Unsupported, scan.Reason!),
        ScanStatus.Damaged => new Unscannable(UnscannableCause.Damaged, scan.Reason!),
        _ => new Unscannable(UnscannableCause.Detector, scan.Reason!),
    };
}
