using Sidecar.Dicom.Masking;

namespace Sidecar.MaskJobs;

// Stored types. The words of the enums are the words in the database.

/// <summary>A masking that a person asked for.</summary>
internal sealed record MaskJob
{
    public required string Id { get; init; }

    public required string StudyInstanceUid { get; init; }

    public required string StudyOrthancId { get; init; }

    public required MaskJobState State { get; init; }

    public required MaskScope Scope { get; init; }

    public MaskJobPriority Priority { get; init; }

    public required SourceImage Source { get; init; }

    /// <summary>Clipped to the source image.</summary>
    public required IReadOnlyList<Region> Regions { get; init; }

    public required IReadOnlyList<LeftOut> LeftOut { get; init; }

    public string? Reason { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required string CreatedBySubject { get; init; }

    public required string CreatedByName { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When somebody asked that no further instance be started.</summary>
    public DateTimeOffset? CancelledAt { get; init; }

    public string? CancelledByName { get; init; }

    public IReadOnlyList<Mask> Masks => [.. Regions.Select(r => new Mask(new(r.X, r.Y, r.Width, r.Height)))];
}

internal enum MaskJobItemState
{
    Waiting,
    Masked,
    Failed,

    /// <summary>Not begun when the job was cancelled: as it was.</summary>
    Cancelled,
}

/// <summary>One instance of a job.</summary>
internal sealed record MaskJobItem
{
    public required int Ordinal { get; init; }

    public required string OrthancId { get; init; }

    public required string SeriesInstanceUid { get; init; }

    public required string SopInstanceUid { get; init; }

    public int? InstanceNumber { get; init; }

    public required long Frames { get; init; }

    public MaskJobItemState State { get; init; }

    public string? Reason { get; init; }
}

internal enum MaskJobEvent
{
    Start,
    FinishAllMasked,
    FinishWithFailures,
    FinishCancelled,
}

internal static class MaskJobTransitions
{
    /// <summary>The state after <paramref name="happened"/>; null where that cannot happen in <paramref name="state"/>.</summary>
    public static MaskJobState? Next(this MaskJobState state, MaskJobEvent happened) => (state, happened) switch
    {
        (MaskJobState.Queued, MaskJobEvent.Start) => MaskJobState.Running,
        (MaskJobState.Running, MaskJobEvent.Start) => MaskJobState.Running, // again after a restart
        (MaskJobState.Running, MaskJobEvent.FinishAllMasked) => MaskJobState.Succeeded,
        (MaskJobState.Running, MaskJobEvent.FinishWithFailures) => MaskJobState.Failed,
        (MaskJobState.Queued or MaskJobState.Running, MaskJobEvent.FinishCancelled) => MaskJobState.Cancelled,
        _ => null,
    };
}
