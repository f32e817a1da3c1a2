using System.Text.Json.Serialization;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>What a found text seems to be. The words are those of the JSON contracts and of the database.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FindingKind>))]
public enum FindingKind
{
    /// <summary>Text of no known kind, or text nobody could read.</summary>
    [JsonStringEnumMemberName("other")]
    Other,

    [JsonStringEnumMemberName("personName")]
    PersonName,

    [JsonStringEnumMemberName("date")]
    Date,

    [JsonStringEnumMemberName("identifier")]
    Identifier,

    [JsonStringEnumMemberName("institution")]
    Institution,

    /// <summary>On the list of harmless markers: side letters, units, scales. Shown like the others, only ranked last.</summary>
    [JsonStringEnumMemberName("harmless")]
    Harmless,
}

/// <summary>Text found in an instance: a proposal for a mask.</summary>
public sealed record ScanFinding
{
    /// <summary>In stored pixels, with the room around the letters that a mask needs.</summary>
    public required Region Region { get; init; }

    /// <summary>0-based, ascending; null: the same in all frames.</summary>
    public IReadOnlyList<int>? Frames { get; init; }

    /// <summary>0 to 1: how sure it is that this is text.</summary>
    public required double Confidence { get; init; }

    public FindingKind Kind { get; init; }

    /// <summary>Keyword of the attribute whose value the text resembles, for example PatientName; null where none does.</summary>
    public string? MatchedAttribute { get; init; }

    /// <summary>As read. PHI: for `sidecar scan --show-text` alone, never stored, logged or sent.</summary>
    [JsonIgnore]
    public string? Text { get; init; }
}
