using System.ComponentModel;
using System.Text.Json.Serialization;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

// What callers send and see. Stored types are apart (MaskJob.cs), so that neither drags the other along.

[Description("A rectangle of stored pixels: origin at the top left, the far edge is not part of it.")]
internal sealed record Region(int X, int Y, int Width, int Height);

[Description("The image on which the regions were drawn.")]
internal sealed record SourceImage(string SeriesInstanceUid, string SopInstanceUid);

[Description("image: only the source; series: the source's series; study: the series named. Of series only the instances with the source's Rows and Columns. images: made by applying accepted findings, each image with masks of its own; cannot be asked for by itself.")]
[JsonConverter(typeof(JsonStringEnumConverter<MaskScope>))]
internal enum MaskScope
{
    [JsonStringEnumMemberName("image")]
    Image,
    [JsonStringEnumMemberName("series")]
    Series,
    [JsonStringEnumMemberName("study")]
    Study,
    [JsonStringEnumMemberName("images")]
    Images,
}

[Description("interactive: a person waits for it; bulk: begun and continued only while nobody waits.")]
[JsonConverter(typeof(JsonStringEnumConverter<MaskJobPriority>))]
internal enum MaskJobPriority
{
    [JsonStringEnumMemberName("interactive")]
    Interactive,
    [JsonStringEnumMemberName("bulk")]
    Bulk,
}

[Description("awaitingConfirmation: approved, nothing is burned until a second person confirms it (queued) or declines it (declined: nothing was changed). queued and running end in succeeded (every instance masked), failed (at least one failed; the others stay masked) or cancelled (at least one was not begun; those that were, are masked or failed).")]
[JsonConverter(typeof(JsonStringEnumConverter<MaskJobState>))]
internal enum MaskJobState
{
    [JsonStringEnumMemberName("awaitingConfirmation")]
    AwaitingConfirmation,
    [JsonStringEnumMemberName("queued")]
    Queued,
    [JsonStringEnumMemberName("running")]
    Running,
    [JsonStringEnumMemberName("succeeded")]
    Succeeded,
    [JsonStringEnumMemberName("failed")]
    Failed,
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
    [JsonStringEnumMemberName("declined")]
    Declined,
}

[Description("Why instances are left out: another size, a transfer syntax that cannot be masked, no image, or pixels that cannot be masked.")]
[JsonConverter(typeof(JsonStringEnumConverter<LeftOutCode>))]
internal enum LeftOutCode
{
    [JsonStringEnumMemberName("size")]
    Size,
    [JsonStringEnumMemberName("transferSyntax")]
    TransferSyntax,
    [JsonStringEnumMemberName("notAnImage")]
    NotAnImage,
    [JsonStringEnumMemberName("pixels")]
    Pixels,
}

[Description("What to burn and where. All frames of each instance in scope are masked.")]
internal sealed record MaskJobRequest(
    string StudyInstanceUid,
    SourceImage Source,
    IReadOnlyList<Region> Regions,
    MaskScope Scope,
    [property: Description("Only, and required, for scope study.")] IReadOnlyList<string>? SeriesInstanceUids = null,
    [property: Description("At most 500 characters; kept in the audit.")] string? Reason = null,
    MaskJobPriority Priority = MaskJobPriority.Interactive,
    [property: Description("From the preview that a person saw. Without it, the images are masked as they are at the start of the job.")] string? ImagesVersion = null);

[Description("Burns the masks of all accepted findings of a study that are not masked yet.")]
internal sealed record ApplyFindingsRequest(
    [property: Description("Study Instance UID.")] string Study,
    [property: Description("At most 500 characters; kept in the audit.")] string? Reason = null);

[Description("What a job would change; nothing is changed.")]
internal sealed record MaskJobPreview(int Instances, long Frames, IReadOnlyList<SeriesPreview> Series, IReadOnlyList<LeftOut> LeftOut,
    [property: Description("Stands for the images in scope as they are now. Sent with the job, it has the job refused (409, images-changed) when they are others by then.")] string ImagesVersion);

internal sealed record SeriesPreview(string SeriesInstanceUid, string Modality, int Instances, long Frames);

internal sealed record LeftOut(string SeriesInstanceUid, LeftOutCode Code, [property: Description("For a person.")] string Message, int Instances);

internal sealed record MaskFailure(
    string SeriesInstanceUid,
    string SopInstanceUid,
    [property: Description("For a person; the original of this instance is untouched.")] string Reason,
    int? InstanceNumber = null,
    [property: Description("The same for programs; absent where an earlier version recorded the failure.")] RefusalCause? Cause = null);

internal sealed record MaskJobView(
    string Id,
    string StudyInstanceUid,
    MaskJobState State,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    [property: Description("The subject (sub) of who approved it: that person can neither confirm nor decline it.")] string CreatedBySubject,
    MaskScope Scope,
    SourceImage Source,
    [property: Description("As burned: clipped to the source image. Empty for scope images.")] IReadOnlyList<Region> Regions,
    [property: Description("Instances in the job.")] int Total,
    [property: Description("Instances masked.")] int Done,
    [property: Description("Instances failed.")] int Failed,
    long Frames,
    IReadOnlyList<string> MaskedSopInstanceUids,
    IReadOnlyList<MaskFailure> Failures,
    IReadOnlyList<LeftOut> LeftOut,
    DateTimeOffset? StartedAt = null,
    DateTimeOffset? FinishedAt = null,
    string? Reason = null,
    [property: Description("Measured on this job; absent until something is.")] double? SecondsLeft = null,
    [property: Description("Instances that were not begun when the job was cancelled.")] int Cancelled = 0,
    [property: Description("When somebody asked to stop. Instances already begun are brought to their end.")] DateTimeOffset? CancelledAt = null,
    string? CancelledBy = null,
    [property: Description("What the second person said; absent until then, and where none was asked.")] SecondPersonView? Decision = null,
    [property: Description("The job whose originals this one puts back; absent for a masking.")] string? RestoresJob = null,
    [property: Description("Instances whose originals were put back since.")] int Restored = 0,
    [property: Description("Until then at least one original of the job is kept, encrypted, and can be restored; absent where none is.")] DateTimeOffset? RestorableUntil = null);

[Description("Who confirmed a masking that another person approved; in a job of state declined, who declined it.")]
internal sealed record SecondPersonView(DateTimeOffset At, string By, string? Reason = null);

[Description("A second person's word on a masking.")]
internal sealed record MaskJobDecision([property: Description("At most 500 characters. Needed to decline; kept in the audit and in the certificate.")] string? Reason = null);

[Description("At most 50. Of a study: newest first. Of all that wait for a second person: oldest first.")]
internal sealed record MaskJobList(
    IReadOnlyList<MaskJobView> Jobs,
    [property: Description("Where the list goes on: the before or after of the next request. Absent where there are no more.")] string? Next = null);

[Description("Asks for the originals of a job that are still kept.")]
internal sealed record RestoreRequest([property: Description("Needed; at most 500 characters, kept in the audit.")] string? Reason = null);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MaskJobRequest))]
[JsonSerializable(typeof(ApplyFindingsRequest))]
[JsonSerializable(typeof(MaskJobPreview))]
[JsonSerializable(typeof(MaskJobView))]
[JsonSerializable(typeof(MaskJobList))]
[JsonSerializable(typeof(MaskJobDecision))]
[JsonSerializable(typeof(RestoreRequest))]
internal sealed partial class MaskJobJson : JsonSerializerContext;
