namespace Sidecar.Dicom.Pixels;

/// <summary>A decoded frame's shape, and the bytes of one black unit for each of its planes.</summary>
public sealed record FrameFormat(FrameShape Shape, IReadOnlyList<byte[]> BlackUnits)
{
    /// <summary>Whether units are made of samples; else of what a codec computes samples from, and no sample is known.</summary>
    public bool HoldsSamples { get; init; } = true;
}
