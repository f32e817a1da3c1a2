using System.Text.Json;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

// The tables' rows as they are read. Words and texts become types here.

/// <summary>How many items of a job are in a state.</summary>
internal sealed record CountRow
{
    public string JobId { get; init; } = "";

    public string State { get; init; } = "";

    public long Items { get; init; }
}

/// <summary>What the audit tells of an item that was masked just now.</summary>
internal sealed record MaskedItemRow
{
    public string SeriesInstanceUid { get; init; } = "";

    public string SopInstanceUid { get; init; } = "";

    public string? Masks { get; init; }
}

internal sealed record JobRow
{
    public const string Columns =
        "id, study_instance_uid, study_orthanc_id, state, scope, priority, source_series_instance_uid, source_sop_instance_uid, regions, left_out, reason, instances, frames, created_at, created_by_subject, created_by_name, started_at, finished_at, cancelled_at, cancelled_by_name, claims, images_version, decided_at, decided_by_subject, decided_by_name, decision_reason, restores_job_id";

    public string Id { get; init; } = "";

    public string StudyInstanceUid { get; init; } = "";

    public string StudyOrthancId { get; init; } = "";

    public string State { get; init; } = "";

    public string Scope { get; init; } = "";

    public string Priority { get; init; } = "";

    public string SourceSeriesInstanceUid { get; init; } = "";

    public string SourceSopInstanceUid { get; init; } = "";

    public string Regions { get; init; } = "";

    public string LeftOut { get; init; } = "";

    public string? Reason { get; init; }

    public long Instances { get; init; }

    public long Frames { get; init; }

    public string CreatedAt { get; init; } = "";

    public string CreatedBySubject { get; init; } = "";

    public string CreatedByName { get; init; } = "";

    public string? StartedAt { get; init; }

    public string? FinishedAt { get; init; }

    public string? CancelledAt { get; init; }

    public string? CancelledByName { get; init; }

    public long Claims { get; init; }

    public string? ImagesVersion { get; init; }

    public string? DecidedAt { get; init; }

    public string? DecidedBySubject { get; init; }

    public string? DecidedByName { get; init; }

    public string? DecisionReason { get; init; }

    public string? RestoresJobId { get; init; }

    public MaskJob ToJob() => new()
    {
        Id = Id,
        StudyInstanceUid = StudyInstanceUid,
        StudyOrthancId = StudyOrthancId,
        State = Enum.Parse<MaskJobState>(State, ignoreCase: true),
        Scope = Enum.Parse<MaskScope>(Scope, ignoreCase: true),
        Priority = Enum.Parse<MaskJobPriority>(Priority, ignoreCase: true),
        Source = new SourceImage(SourceSeriesInstanceUid, SourceSopInstanceUid),
        Regions = JsonSerializer.Deserialize(Regions, StoreJson.Default.IReadOnlyListRegion)!,
        LeftOut = JsonSerializer.Deserialize(LeftOut, StoreJson.Default.IReadOnlyListLeftOut)!,
        Reason = Reason,
        CreatedAt = Instant.FromText(CreatedAt),
        CreatedBySubject = CreatedBySubject,
        CreatedByName = CreatedByName,
        StartedAt = StartedAt is null ? null : Instant.FromText(StartedAt),
        FinishedAt = FinishedAt is null ? null : Instant.FromText(FinishedAt),
        CancelledAt = CancelledAt is null ? null : Instant.FromText(CancelledAt),
        CancelledByName = CancelledByName,
        ImagesVersion = ImagesVersion,
        RestoresJobId = RestoresJobId,
        Decision = DecidedAt is null ? null : new SecondPerson(Instant.FromText(DecidedAt), DecidedBySubject!, DecidedByName!, DecisionReason),
    };
}

internal sealed record ItemRow
{
    public string JobId { get; init; } = "";

    public long Ordinal { get; init; }

    public string OrthancId { get; init; } = "";

    public string SeriesInstanceUid { get; init; } = "";

    public string SopInstanceUid { get; init; } = "";

    public long? InstanceNumber { get; init; }

    public long Frames { get; init; }

    public string State { get; init; } = "";

    public string? Cause { get; init; }

    public string? Reason { get; init; }

    public string? Masks { get; init; }

    public string? Md5 { get; init; }

    public MaskJobItem ToItem() => new()
    {
        Ordinal = (int)Ordinal,
        OrthancId = OrthancId,
        SeriesInstanceUid = SeriesInstanceUid,
        SopInstanceUid = SopInstanceUid,
        InstanceNumber = (int?)InstanceNumber,
        Frames = Frames,
        Masks = Masks is null ? null : JsonSerializer.Deserialize(Masks, StoreJson.Default.IReadOnlyListStoredMask)!,
        Md5 = Md5,
        State = Enum.Parse<MaskJobItemState>(State, ignoreCase: true),
        Reason = Reason,
    };
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<Region>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<LeftOut>))]
[System.Text.Json.Serialization.JsonSerializable(typeof(IReadOnlyList<StoredMask>))]
internal sealed partial class StoreJson : System.Text.Json.Serialization.JsonSerializerContext;
