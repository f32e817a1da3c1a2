using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>A region to be burned black, in all frames or in the frames named (0-based).</summary>
public sealed record Mask(Region Region, IReadOnlySet<int>? Frames = null)
{
    public bool AppliesTo(int frame) => Frames is null || Frames.Contains(frame);
}
