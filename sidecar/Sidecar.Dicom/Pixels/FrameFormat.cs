namespace Sidecar.Dicom.Pixels;

/// <summary>A decoded frame's shape, and the bytes of one black unit for each of its planes.</summary>
public sealed record FrameFormat(FrameShape Shape, IReadOnlyList<byte[]> BlackUnits);
