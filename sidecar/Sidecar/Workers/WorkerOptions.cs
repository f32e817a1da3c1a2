using System.ComponentModel.DataAnnotations;

namespace Sidecar.Workers;

/// <summary>Settings of the worker processes that run native codecs. Section <c>Workers</c>.</summary>
public sealed record WorkerOptions
{
    public const string Section = "Workers";

    /// <summary>Worker processes at most; 0 means one for each processor. They are started when the first frame needs one.</summary>
    [Range(0, 64)]
    public int Count { get; init; }

    /// <summary>Memory one worker may use, in MiB. A frame of 30 million samples in JPEG 2000 needs about 500.</summary>
    [Range(128, 65536)]
    public int MemoryLimitMebibytes { get; init; } = 1536;

    /// <summary>Time one frame may take, whatever its size, before its worker is killed. Damaged streams can keep a codec busy for very long.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan FrameDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time added to <see cref="FrameDeadline"/> for each million samples. JPEG 2000 takes about 0.2 s for them on a free processor.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DeadlinePerMillionSamples { get; init; } = TimeSpan.FromSeconds(2);

    internal TimeSpan DeadlineFor(long samples) => FrameDeadline + (DeadlinePerMillionSamples * (samples / 1_000_000.0));

    internal int ActualCount => Count > 0 ? Count : Environment.ProcessorCount;
}
