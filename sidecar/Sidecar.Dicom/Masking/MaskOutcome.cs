using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>What became of one instance. Reasons are one line for a person; they never hold an attribute's value that could name a patient.</summary>
public abstract record MaskOutcome
{
    private MaskOutcome()
    {
    }

    /// <summary>The output holds the masked instance, and <see cref="Proof"/> was checked against it after it was written.</summary>
    public sealed record Masked(MaskProof Proof) : MaskOutcome;

    /// <summary>The instance is sound, but this software cannot mask it exactly. Nothing usable was written.</summary>
    public sealed record Unsupported(string Reason) : MaskOutcome;

    /// <summary>The instance is damaged, or the result did not pass its proof. Nothing usable was written.</summary>
    public sealed record Failed(string Reason) : MaskOutcome;
}

/// <summary>What was measured on the result, decoded afresh, against the original.</summary>
public sealed record MaskProof
{
    /// <summary>Number of frames of the instance.</summary>
    public required int Frames { get; init; }

    /// <summary>Transfer Syntax UID of the original.</summary>
    public required string TransferSyntaxUid { get; init; }

    /// <summary>Transfer Syntax UID of the result.</summary>
    public required string OutputTransferSyntaxUid { get; init; }

    /// <summary>The regions as burned: clipped to the image and snapped outward where the pixel format asks for it.</summary>
    public required IReadOnlyList<Region> Regions { get; init; }

    /// <summary>Samples outside <see cref="Regions"/> that differ from the original. 0, or the outcome is not <see cref="MaskOutcome.Masked"/>.</summary>
    public required long ChangedOutside { get; init; }

    /// <summary>SHA-256 of the original file, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>SHA-256 of the result, lower-case hexadecimal.</summary>
    public required string OutputSha256 { get; init; }

    /// <summary>
    /// XXH64 (seed 0) of each frame of the result as decoded, the black of the regions included: 16 lower-case hexadecimal digits a frame. Which bytes
    /// those are for each transfer syntax is said in docs/conformance.md. A fingerprint; the cryptographic statement is the SHA-256 of both files.
    /// </summary>
    public required IReadOnlyList<string> FrameXxh64 { get; init; }
}
