using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Sidecar.Scans;

// What callers send and see. Stored types are apart (ScanRun.cs), so that neither drags the other along.

[Description("What to scan: one study, or what a query says of the whole archive. Give one of the two.")]
internal sealed record ScanRequest(
    [property: Description("Study Instance UID. All its images are scanned again.")] string? Study = null,
    ScanQuery? Query = null,
    [property: Description("person (default with study): goes first. bulk (default, and only, with query): only while nobody waits.")] ScanRequestPriority? Priority = null);

[JsonConverter(typeof(JsonStringEnumConverter<ScanRequestPriority>))]
internal enum ScanRequestPriority
{
    [JsonStringEnumMemberName("person")]
    Person,
    [JsonStringEnumMemberName("bulk")]
    Bulk,
}

[Description("arrivals: what comes in, without end. backlog: what was in the archive before this service first saw it, without end. study: one study again. bulk: a query.")]
[JsonConverter(typeof(JsonStringEnumConverter<ScanKindView>))]
internal enum ScanKindView
{
    [JsonStringEnumMemberName("arrivals")]
    Arrivals,
    [JsonStringEnumMemberName("backlog")]
    Backlog,
    [JsonStringEnumMemberName("study")]
    Study,
    [JsonStringEnumMemberName("bulk")]
    Bulk,
}

[Description("running and paused may follow each other; finished: nothing was left to do; cancelled: by a person.")]
[JsonConverter(typeof(JsonStringEnumConverter<ScanStateView>))]
internal enum ScanStateView
{
    [JsonStringEnumMemberName("running")]
    Running,
    [JsonStringEnumMemberName("paused")]
    Paused,
    [JsonStringEnumMemberName("finished")]
    Finished,
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}

internal sealed record ScanCounts(
    [property: Description("Studies not yet looked into: how many images they hold is not known.")] long Studies,
    [property: Description("Series that wait or are being scanned.")] long Series,
    [property: Description("Images of these series. Those that need no scan are passed over.")] long Waiting,
    [property: Description("Images scanned.")] long Scanned,
    [property: Description("Images that could not be scanned, each with its reason in the findings of its study.")] long Unscannable,
    [property: Description("Findings in the images scanned.")] long Findings);

internal sealed record ScanRunView(
    string Id,
    ScanKindView Kind,
    ScanStateView State,
    ScanCounts Counts,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    string? Study = null,
    ScanQuery? Query = null,
    string? Schedule = null,
    [property: Description("May be false of a running run: out of its hours, or its budget is used up until its schedule fires again.")] bool MayWorkNow = false,
    [property: Description("Images that may still be scanned before its schedule fires again; absent where there is no limit.")] long? Budget = null,
    DateTimeOffset? FinishedAt = null)
{
    public static ScanRunView Of(ScanRun run, ScanBacklog? left, DateTimeOffset now) => new(
        run.Id,
        (ScanKindView)run.Kind,
        (ScanStateView)run.State,
        new ScanCounts(left?.Studies ?? 0, left?.Series ?? 0, left?.Instances ?? 0, run.Scanned, run.Unscannable, run.Findings),
        run.CreatedAt,
        run.CreatedByName,
        run.StudyInstanceUid,
        run.Kind == ScanRunKind.Bulk ? run.Query : null,
        run.ScheduleId,
        run.MayWork(now),
        run.Budget is { } budget ? Math.Max(0, budget) : null,
        run.FinishedAt);
}

[Description("Runs under way first, then the newest; at most 100.")]
internal sealed record ScanRunList(IReadOnlyList<ScanRunView> Runs);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ScanRequest))]
[JsonSerializable(typeof(ScanRunView))]
[JsonSerializable(typeof(ScanRunList))]
[JsonSerializable(typeof(ScanScheduleRequest))]
[JsonSerializable(typeof(ScanScheduleView))]
[JsonSerializable(typeof(ScanScheduleList))]
internal sealed partial class ScanJson : JsonSerializerContext;
