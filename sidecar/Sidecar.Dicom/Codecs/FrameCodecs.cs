namespace Sidecar.Dicom.Codecs;

/// <summary>The codecs a masker may use, by transfer syntax.</summary>
public sealed class FrameCodecs
{
    /// <summary>The codecs written in managed code, safe to run in the service's own process.</summary>
    public static FrameCodecs Managed { get; } = new();
}
