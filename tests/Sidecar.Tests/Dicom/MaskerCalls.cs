using Sidecar.Dicom.Codecs;
using Xunit;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Tests.Dicom;

/// <summary>One call of the masker on bytes.</summary>
internal static class MaskerCalls
{
    public static (MaskOutcome Outcome, byte[] Result) BurnMasks(byte[] file, params IReadOnlyList<Mask> masks)
    {
        using var original = new MemoryStream(file, writable: false);
        using var result = new MemoryStream();
        var outcome = new InstanceMasker(FrameCodecs.Managed).BurnMasks(original, result, masks, CancellationToken.None);
        return (outcome, result.ToArray());
    }

    /// <summary>The result of a call that must succeed.</summary>
    public static byte[] Masked(byte[] file, params IReadOnlyList<Mask> masks)
    {
        var (outcome, result) = BurnMasks(file, masks);
        Assert.True(outcome is MaskOutcome.Masked, outcome.ToString());
        return result;
    }

    /// <summary>The reason of a call that must fail or be refused, whose result nobody would use.</summary>
    public static string Refused(byte[] file, params IReadOnlyList<Mask> masks)
    {
        var (outcome, _) = BurnMasks(file, masks);
        return outcome switch
        {
            MaskOutcome.Unsupported refused => refused.Reason,
            MaskOutcome.Failed failed => failed.Reason,
            _ => throw new Xunit.Sdk.XunitException("It was masked."),
        };
    }

    public static Mask Mask(int x, int y, int width, int height, params IReadOnlyList<int> frames) =>
        new(new Region(x, y, width, height), frames.Count == 0 ? null : frames.ToHashSet());

}
