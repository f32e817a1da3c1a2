namespace Sidecar.Dicom.Codecs;

/// <summary>How a result is stored differently from its original, without the change of a sample.</summary>
/// <param name="TransferSyntaxUid">The transfer syntax of the result; null where it stays.</param>
/// <param name="PhotometricInterpretation">The result's value (PS3.5 8.2 ties it to what the codestream does with colours); null where it stays.</param>
public sealed record Transcoding(string? TransferSyntaxUid, string? PhotometricInterpretation);
