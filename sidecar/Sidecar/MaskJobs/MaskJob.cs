using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;

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

    /// <summary>Clipped to the source image. Empty for scope images, where each item has masks of its own.</summary>
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

    /// <summary>Of the images that were approved, where a second person has to confirm (<see cref="MaskJobPlan.ImagesVersion"/>). Null for a job of findings, whose items know the file that was looked at.</summary>
    public string? ImagesVersion { get; init; }

    /// <summary>What the second person said. Null where nobody was asked or has answered.</summary>
    public SecondPerson? Decision { get; init; }

    /// <summary>The job whose originals this one puts back; null for a masking.</summary>
    public string? RestoresJobId { get; init; }

    /// <summary>What is burned into <paramref name="item"/>: its own masks, else the job's.</summary>
    public IReadOnlyList<Mask> MasksOf(MaskJobItem item) => [.. item.Masks is { } own ? own.Select(m => m.ToMask()) : Regions.Select(r => new Mask(new(r.X, r.Y, r.Width, r.Height)))];
}

/// <summary>Who confirmed a masking, or declined it: the job's state tells which.</summary>
internal sealed record SecondPerson(DateTimeOffset At, string Subject, string Name, string? Reason);

internal enum MaskJobItemState
{
    Waiting,
    Masked,

    /// <summary>The original is back in the archive: of the job that put it back, and of the one that had masked it.</summary>
    Restored,
    Failed,

    /// <summary>Not begun when the job was cancelled or declined: as it was.</summary>
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

    /// <summary>Of this instance alone; null where the job's regions are meant.</summary>
    public IReadOnlyList<StoredMask>? Masks { get; init; }

    /// <summary>MD5 of the file that was looked at: of another one nothing is masked. Null where the job takes the image as it finds it.</summary>
    public string? Md5 { get; init; }

    /// <summary>The findings that its masks cover.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    public MaskJobItemState State { get; init; }

    public string? Reason { get; init; }
}

/// <summary>A mask of one instance as it is stored.</summary>
/// <param name="Frames">All where null; else as <see cref="FrameNumbers"/> writes them.</param>
internal sealed record StoredMask(int X, int Y, int Width, int Height, string? Frames = null)
{
    public Mask ToMask() => new(new(X, Y, Width, Height), Frames is null ? null : FrameNumbers.Parse(Frames).ToHashSet());
}

internal enum MaskJobEvent
{
    Confirm,
    Decline,
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
        (MaskJobState.AwaitingConfirmation, MaskJobEvent.Confirm) => MaskJobState.Queued,
        (MaskJobState.AwaitingConfirmation, MaskJobEvent.Decline) => MaskJobState.Declined,
        (MaskJobState.Queued, MaskJobEvent.Start) => MaskJobState.Running,
        (MaskJobState.Running, MaskJobEvent.Start) => MaskJobState.Running, // again after a restart
        (MaskJobState.Running, MaskJobEvent.FinishAllMasked) => MaskJobState.Succeeded,
        (MaskJobState.Running, MaskJobEvent.FinishWithFailures) => MaskJobState.Failed,
        (MaskJobState.AwaitingConfirmation or MaskJobState.Queued or MaskJobState.Running, MaskJobEvent.FinishCancelled) => MaskJobState.Cancelled,
        _ => null,
    };
}
