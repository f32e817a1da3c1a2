using System.ComponentModel;
using System.Text.Json.Serialization;
using Sidecar.Dicom.Text;
using Sidecar.Scans;

namespace Sidecar.Reviews;

// What callers send and see of findings. No text that was read is in any of it.

[Description("A rectangle of stored pixels: origin at the top left, the far edge is not part of it.")]
internal sealed record FindingRegion(int X, int Y, int Width, int Height);

[Description("open: nobody decided; accepted: to be masked; dismissed: to stay; masked: its image was masked since.")]
[JsonConverter(typeof(JsonStringEnumConverter<FindingState>))]
internal enum FindingState
{
    [JsonStringEnumMemberName("open")]
    Open,
    [JsonStringEnumMemberName("accepted")]
    Accepted,
    [JsonStringEnumMemberName("dismissed")]
    Dismissed,
    [JsonStringEnumMemberName("masked")]
    Masked,
}

[Description("new: not scanned to the end, or scanned without the text detector and nothing was found; clean: scanned, nothing found; findings: something to decide or decided before; inReview: a person has taken it; finalized: a person has said that it is done.")]
[JsonConverter(typeof(JsonStringEnumConverter<ReviewState>))]
internal enum ReviewState
{
    [JsonStringEnumMemberName("new")]
    New,
    [JsonStringEnumMemberName("clean")]
    Clean,
    [JsonStringEnumMemberName("findings")]
    Findings,
    [JsonStringEnumMemberName("inReview")]
    InReview,
    [JsonStringEnumMemberName("finalized")]
    Finalized,
}

[JsonConverter(typeof(JsonStringEnumConverter<StudyScanState>))]
internal enum StudyScanState
{
    [JsonStringEnumMemberName("notScanned")]
    NotScanned,
    [JsonStringEnumMemberName("waiting")]
    Waiting,
    [JsonStringEnumMemberName("scanning")]
    Scanning,
    [JsonStringEnumMemberName("scanned")]
    Scanned,
}

[Description("accept: to be masked (with region: in that place); dismiss: to stay, with a reason; acknowledge: of images that could not be scanned, a person has looked at them; reopen: undecided again.")]
[JsonConverter(typeof(JsonStringEnumConverter<DecisionAction>))]
internal enum DecisionAction
{
    [JsonStringEnumMemberName("accept")]
    Accept,
    [JsonStringEnumMemberName("dismiss")]
    Dismiss,
    [JsonStringEnumMemberName("acknowledge")]
    Acknowledge,
    [JsonStringEnumMemberName("reopen")]
    Reopen,
}

[Description("Everything that was found in a study, and what people decided.")]
internal sealed record StudyFindings(
    string Study,
    ReviewState State,
    StudyScan Scan,
    [property: Description("Images that could not be scanned. Each counts as undecided until somebody has looked at it and said so (acknowledge).")] IReadOnlyList<UnscannableImage> Unscannable,
    [property: Description("Images in which a person who was asked saw text that no finding marks. Each has to be masked by hand.")] IReadOnlyList<MissedImage> Missed,
    [property: Description("The findings in groups of like images and place, the most alarming first. One decision can be made for a whole cluster.")] IReadOnlyList<FindingCluster> Clusters,
    [property: Description("In the order of the clusters, and within one in the order of the images.")] IReadOnlyList<Finding> Findings,
    [property: Description("Templates that fit images of this study in which their masks are not proposed yet.")] IReadOnlyList<TemplateProposal> Templates,
    [property: Description("Stands for the findings and decisions as they are now. Sent with decisions, it has them refused (409, findings-changed) when they are others by then.")] string FindingsVersion);

internal sealed record StudyScan(
    StudyScanState State,
    [property: Description("At least one image was scanned without the text detector: absence of findings says little.")] bool IsWeak,
    [property: Description("Images that were scanned or tried.")] int Images,
    [property: Description("Detector, models and rules of the last scan.")] string? Engine = null,
    DateTimeOffset? ScannedAt = null);

internal sealed record UnscannableImage(
    [property: Description("For decisions: unscannableIds.")] string Id,
    string SeriesInstanceUid,
    string SopInstanceUid,
    [property: Description("For a person.")] string Reason,
    bool Acknowledged,
    int? InstanceNumber = null,
    [property: Description("The same for programs; absent where an earlier version recorded it.")] UnscannableCause? Cause = null);

internal sealed record MissedImage(
    string SeriesInstanceUid,
    string SopInstanceUid,
    [property: Description("Who saw the text. Only that person can correct it (PUT /api/samples/{id}).")] string SeenBy,
    [property: Description("The subject (sub) of that person.")] string SeenBySubject,
    [property: Description("The question that was answered.")] string SampleId,
    int? InstanceNumber = null);

internal sealed record FindingDevice(string Manufacturer, string Model, string Station);

internal sealed record FindingCluster(
    [property: Description("For decisions: clusterId. The same as long as the same findings are in it.")] string Id,
    FindingKind Kind,
    [property: Description("0 to 1, the highest in the cluster.")] double Confidence,
    [property: Description("Of the first finding.")] FindingRegion Region,
    int Images,
    int Findings,
    [property: Description("Few of the images that are alike (same device, size, colour model and kind of image) show it.")] bool IsOutlier,
    [property: Description("Text is still readable inside or at the edge of a mask.")] bool AfterMasking,
    [property: Description("open where at least one finding is; else accepted, masked or dismissed, whichever comes first among them.")] FindingState State,
    IReadOnlyList<string> SeriesInstanceUids,
    FindingDevice Device,
    int Rows,
    int Columns,
    string Photometric,
    string SopClass,
    [property: Description("Keyword of the attribute whose value the text resembles.")] string? MatchedAttribute = null,
    [property: Description("The template that proposed it, where no scan did.")] string? TemplateId = null);

internal sealed record Finding(
    string Id,
    string ClusterId,
    string SeriesInstanceUid,
    string SopInstanceUid,
    FindingRegion Region,
    [property: Description("0 to 1.")] double Confidence,
    FindingKind Kind,
    bool AfterMasking,
    FindingState State,
    int? InstanceNumber = null,
    [property: Description("Counted from 1; absent: the same in all frames.")] IReadOnlyList<int>? Frames = null,
    [property: Description("Keyword of the attribute whose value the text resembles.")] string? MatchedAttribute = null,
    FindingDecision? Decision = null,
    string? TemplateId = null);

internal sealed record FindingDecision(
    DecisionAction Action,
    string By,
    DateTimeOffset At,
    string? Reason = null,
    [property: Description("Where it is to be masked, when a person moved it; absent: as found.")] FindingRegion? Region = null);

internal sealed record TemplateProposal(string Id, string Name, IReadOnlyList<FindingRegion> Regions, [property: Description("Images of this study that it fits.")] int Images);

internal sealed record DecisionRequest(
    [property: Description("Study Instance UID.")] string Study,
    [property: Description("1 to 1000.")] IReadOnlyList<DecisionEntry> Decisions,
    [property: Description("From the answer that a person saw.")] string? FindingsVersion = null);

[Description("Give exactly one of findingIds, clusterId, unscannableIds and templateId.")]
internal sealed record DecisionEntry(
    DecisionAction Action,
    IReadOnlyList<string>? FindingIds = null,
    string? ClusterId = null,
    IReadOnlyList<string>? UnscannableIds = null,
    [property: Description("With accept only: proposes the template's masks in all images that it fits, and accepts them.")] string? TemplateId = null,
    [property: Description("Required with dismiss; at most 500 characters; kept in the audit.")] string? Reason = null,
    [property: Description("With accept only: mask here instead of where the text was found.")] FindingRegion? Region = null);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StudyFindings))]
[JsonSerializable(typeof(DecisionRequest))]
internal sealed partial class FindingJson : JsonSerializerContext;
