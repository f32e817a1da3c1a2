using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Sidecar.Reviews;

[Description("An image to look at: is there text in it that names a patient? What the scan made of it is not told.")]
internal sealed record Sample(string Id, string StudyInstanceUid, string SeriesInstanceUid, string SopInstanceUid);

internal sealed record SampleAnswer([property: Description("true: there is text that a mask should cover.")] bool HasText);

[Description("How often text was missed, by people who looked at random images in which nothing was found.")]
internal sealed record MissRate(
    int Reviewed,
    int Missed,
    [property: Description("Upper end of the exact two-sided 95 % interval (Clopper–Pearson) of the share of such images that hold text after all; 1 where none was looked at.")] double UpperBound95,
    [property: Description("By modality and device.")] IReadOnlyList<StratumMissRate> ByStratum);

internal sealed record StratumMissRate(string Modality, string Manufacturer, string Model, int Reviewed, int Missed, double UpperBound95);

internal sealed record FindingCount(
    [property: Description("Modality, station, kind, or day as YYYY-MM-DD (UTC).")] string Name,
    int Findings,
    [property: Description("Images with one of them.")] int Images);

internal sealed record FindingCounts(
    IReadOnlyList<FindingCount> ByModality,
    IReadOnlyList<FindingCount> ByStation,
    IReadOnlyList<FindingCount> ByKind,
    [property: Description("By the day they were found.")] IReadOnlyList<FindingCount> ByDay);

internal sealed record ScanQueue(
    [property: Description("Images whose series wait for a scan or are being scanned.")] long Waiting,
    [property: Description("For how long the oldest of them could have been begun.")] double OldestSeconds);

internal sealed record ThroughputDay(string Day, int Instances, long Frames);

internal sealed record Throughput([property: Description("Images by the day of their last scan (UTC), and their frames.")] IReadOnlyList<ThroughputDay> ByDay);

internal sealed record Dashboard(
    MissRate MissRate,
    FindingCounts Findings,
    ScanQueue Queue,
    Throughput Throughput,
    ReviewCounts Reviews,
    [property: Description("The days that findings and throughput are counted over, today included.")] int Days);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Sample))]
[JsonSerializable(typeof(SampleAnswer))]
[JsonSerializable(typeof(Dashboard))]
internal sealed partial class SampleJson : JsonSerializerContext;
