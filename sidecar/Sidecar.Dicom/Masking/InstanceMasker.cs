using Sidecar.Dicom.Codecs;

namespace Sidecar.Dicom.Masking;

/// <summary>Burns masks into one DICOM instance and proves the result. Holds no state; one object serves all threads.</summary>
public sealed class InstanceMasker(FrameCodecs codecs)
{
    /// <summary>
    /// Copies the Part 10 file in <paramref name="original"/> to <paramref name="result"/>, burns <paramref name="masks"/> into it, updates the
    /// attributes PS3.15 E.3.1 asks for, reads the result back and compares. Memory stays bounded by a few frames.
    /// </summary>
    /// <param name="original">Seekable and readable, at position 0.</param>
    /// <param name="result">Seekable, readable, writable and empty. Holds nothing usable unless the outcome is <see cref="MaskOutcome.Masked"/>.</param>
    /// <param name="masks">At least one.</param>
    /// <param name="token">Checked between frames.</param>
    /// <exception cref="IOException">A stream failed: the world is broken, not the instance.</exception>
    public MaskOutcome BurnMasks(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token) =>
        new MaskOutcome.Unsupported($"Masking is not built yet; {codecs} is not used.");
}
