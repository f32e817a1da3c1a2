using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Sidecar.Reviews;

internal sealed record ReviewPatient(string Name, string Id);

[Description("A study as the work list shows it. What DICOM says of it is read from the image archive at this moment and stored nowhere here.")]
internal sealed record ReviewView(
    string StudyInstanceUid,
    ReviewState State,
    IReadOnlyList<string> Modalities,
    IReadOnlyList<string> Stations,
    [property: Description("Images that were scanned or tried.")] int Images,
    [property: Description("All that count, decided or not.")] int Findings,
    [property: Description("Groups of these: findings of one kind at one place of images that are alike take one decision.")] int FindingGroups,
    [property: Description("What keeps the study from being finalized: undecided, notApplied, unscannable and missed.")] int Open,
    [property: Description("Findings that nobody has decided about.")] int Undecided,
    [property: Description("Decisions that these take: groups with at least one undecided finding.")] int UndecidedGroups,
    [property: Description("Findings that were accepted and are not masked yet.")] int NotApplied,
    [property: Description("Images that could not be scanned and that nobody has acknowledged.")] int Unscannable,
    [property: Description("Images without a finding in which a person saw text; each until it is masked.")] int Missed,
    [property: Description("At least one image was scanned without the text detector.")] bool IsWeak,
    DateTimeOffset ArrivedAt,
    [property: Description("False where the study left the image archive.")] bool IsInArchive,
    [property: Description("As DICOM writes it: YYYYMMDD.")] string? StudyDate = null,
    string? Description = null,
    ReviewPatient? Patient = null,
    string? OpenedBy = null,
    DateTimeOffset? OpenedAt = null,
    string? FinalizedBy = null,
    DateTimeOffset? FinalizedAt = null);

internal sealed record ReviewCounts(int New, int Clean, int Findings, int InReview, int Finalized);

internal sealed record ReviewList(
    [property: Description("Of all studies, whatever the filters.")] ReviewCounts Counts,
    [property: Description("Studies that the filters let through.")] int Total,
    IReadOnlyList<ReviewView> Items);

[Description("oldest and newest by arrival; risk: the most alarming undecided finding first.")]
[JsonConverter(typeof(JsonStringEnumConverter<ReviewSort>))]
internal enum ReviewSort
{
    [JsonStringEnumMemberName("oldest")]
    Oldest,
    [JsonStringEnumMemberName("newest")]
    Newest,
    [JsonStringEnumMemberName("risk")]
    Risk,
}

internal sealed record ReviewTake([property: Description("inReview: I take this study.")] ReviewState State);

internal sealed record ReviewReason([property: Description("At most 500 characters; kept in the audit.")] string? Reason = null);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ReviewList))]
[JsonSerializable(typeof(ReviewView))]
[JsonSerializable(typeof(ReviewTake))]
[JsonSerializable(typeof(ReviewReason))]
internal sealed partial class ReviewJson : JsonSerializerContext;
