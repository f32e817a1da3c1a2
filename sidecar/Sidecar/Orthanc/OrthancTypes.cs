using System.Text.Json;
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
    bool IsStable = true);

/// <summary>Of an instance in the answer of <c>POST /tools/bulk-content</c>: which file it is, and no more, for a series has thousands.</summary>
internal sealed record InstanceFileAnswer([property: JsonPropertyName("ID")] string Id, string? FileUuid = null, InstanceFileMetadata? Metadata = null);

internal sealed record InstanceFileMetadata(string? TransferSyntax = null);

/// <summary>Body of <c>POST /tools/bulk-content</c>.</summary>
internal sealed record BulkQuestion(IReadOnlyCollection<string> Resources, bool Metadata);

/// <summary>What is read of an instance's tags by keyword. What is no text is as good as absent; of pixels it only matters that they are there.</summary>
internal sealed record InstanceTags
{
    [JsonPropertyName("StudyInstanceUID"), JsonConverter(typeof(TextConverter))]
    public string? StudyInstanceUid { get; init; }

    [JsonPropertyName("SeriesInstanceUID"), JsonConverter(typeof(TextConverter))]
    public string? SeriesInstanceUid { get; init; }

    [JsonPropertyName("SOPInstanceUID"), JsonConverter(typeof(TextConverter))]
    public string? SopInstanceUid { get; init; }

    [JsonConverter(typeof(TextConverter))]
    public string? Modality { get; init; }

    [JsonConverter(typeof(TextConverter))]
    public string? InstanceNumber { get; init; }

    [JsonConverter(typeof(TextConverter))]
    public string? Rows { get; init; }

    [JsonConverter(typeof(TextConverter))]
    public string? Columns { get; init; }

    [JsonConverter(typeof(TextConverter))]
    public string? NumberOfFrames { get; init; }

    [JsonConverter(typeof(PresenceConverter))]
    public bool PixelData { get; init; }

    [JsonConverter(typeof(PresenceConverter))]
    public bool FloatPixelData { get; init; }

    [JsonConverter(typeof(PresenceConverter))]
    public bool DoubleFloatPixelData { get; init; }

    internal sealed class TextConverter : JsonConverter<string?>
    {
        public override bool HandleNull => true;

        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                return reader.GetString()!.Trim(' ', '\0');
            }

            reader.TrySkip(); // all of the value is there, but perhaps not of the document
            return null;
        }

        public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }

    internal sealed class PresenceConverter : JsonConverter<bool>
    {
        public override bool HandleNull => true;

        public override bool Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            reader.TrySkip(); // all of the value is there, but perhaps not of the document
            return true;
        }

        public override void Write(Utf8JsonWriter writer, bool value, JsonSerializerOptions options) => writer.WriteBooleanValue(value);
    }
}

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
[JsonSerializable(typeof(List<InstanceFileAnswer>))]
[JsonSerializable(typeof(BulkQuestion))]
[JsonSerializable(typeof(InstanceTags))]
[JsonSerializable(typeof(Dictionary<string, InstanceTags>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(ChangesAnswer))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(Dictionary<string, int>))]
internal sealed partial class OrthancJson : JsonSerializerContext;
