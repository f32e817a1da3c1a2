using System.Text.Json.Serialization;

namespace Sidecar.Orthanc;

/// <summary>The four levels of Orthanc's resources, as its paths spell them.</summary>
internal enum OrthancLevel
{
    Patients,
    Studies,
    Series,
    Instances,
}

/// <summary>Orthanc's own id of a resource: SHA-1 of the DICOM ids, as five groups of hexadecimal digits.</summary>
internal readonly record struct OrthancId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>Answer of <c>POST /instances</c>.</summary>
internal sealed record StoreAnswer([property: JsonPropertyName("ID")] string? Id, string? Status);

/// <summary>Answer of <c>/attachments/dicom/info</c>. <see cref="Uuid"/> changes whenever the instance is stored again.</summary>
internal sealed record FileInfoAnswer(string Uuid, [property: JsonPropertyName("UncompressedMD5")] string UncompressedMd5, long UncompressedSize);

internal sealed record LookupAnswer([property: JsonPropertyName("ID")] string Id, string Type);

internal sealed record SystemAnswer(string Version, bool? OverwriteInstances = null, string? IngestTranscoding = null);

internal sealed record ResourceAnswer(
    [property: JsonPropertyName("ID")] string Id,
    IReadOnlyDictionary<string, string>? MainDicomTags = null,
    IReadOnlyList<string>? Instances = null,
    IReadOnlyList<string>? Series = null,
    IReadOnlyList<string>? Studies = null,
    string? ParentSeries = null,
    string? ParentStudy = null,
    string? ParentPatient = null,
    string? FileUuid = null,
    IReadOnlyDictionary<string, string>? PatientMainDicomTags = null,
    string? LastUpdate = null,
    long FileSize = 0,
    bool IsStable = true,
    IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>Body of <c>POST /tools/bulk-content</c>.</summary>
internal sealed record BulkQuestion(IReadOnlyCollection<string> Resources, bool Metadata);

/// <summary>A page of <c>/changes</c>. <see cref="Last"/> is the number of its last row; of an empty page, the number of the newest row there ever was.</summary>
internal sealed record ChangesAnswer(IReadOnlyList<ChangeAnswer> Changes, bool Done, long Last);

internal sealed record ChangeAnswer(long Seq, string ChangeType, [property: JsonPropertyName("ID")] string Id, string Date);

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(StoreAnswer))]
[JsonSerializable(typeof(FileInfoAnswer))]
[JsonSerializable(typeof(List<LookupAnswer>))]
[JsonSerializable(typeof(SystemAnswer))]
[JsonSerializable(typeof(ResourceAnswer))]
[JsonSerializable(typeof(List<ResourceAnswer>))]
[JsonSerializable(typeof(BulkQuestion))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(ChangesAnswer))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(Dictionary<string, int>))]
internal sealed partial class OrthancJson : JsonSerializerContext;
