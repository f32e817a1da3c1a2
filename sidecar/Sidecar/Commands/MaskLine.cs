using System.Text.Json;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Commands;

/// <summary>One line of results.</summary>
internal sealed record MaskLine
{
    public const string Masked = "masked";

    public required string File { get; init; }

    public string? Output { get; init; }

    public required string Status { get; init; }

    public string? Reason { get; init; }

    public int? Frames { get; init; }

    public string? TransferSyntax { get; init; }

    public string? OutputTransferSyntax { get; init; }

    public string? Sha256 { get; init; }

    public string? OutputSha256 { get; init; }

    public long? ChangedOutside { get; init; }

    public IReadOnlyList<Region>? Regions { get; init; }

    public IReadOnlyList<string>? FrameXxh64 { get; init; }

    /// <summary>By hand: a serializer would have to be compiled at each start, which takes longer than masking a file.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("file", File);
        json.WriteString("output", Output);
        json.WriteString("status", Status);
        json.WriteString("reason", Reason);
        WriteNumber("frames", Frames);
        json.WriteString("transferSyntax", TransferSyntax);
        json.WriteString("outputTransferSyntax", OutputTransferSyntax);
        json.WriteString("sha256", Sha256);
        json.WriteString("outputSha256", OutputSha256);
        WriteNumber("changedOutside", ChangedOutside);
        WriteList("regions", Regions, region =>
        {
            json.WriteStartObject();
            json.WriteNumber("x", region.X);
            json.WriteNumber("y", region.Y);
            json.WriteNumber("width", region.Width);
            json.WriteNumber("height", region.Height);
            json.WriteEndObject();
        });
        WriteList("frameXxh64", FrameXxh64, json.WriteStringValue);
        json.WriteEndObject();

        void WriteNumber(string name, long? number)
        {
            if (number is { } value)
            {
                json.WriteNumber(name, value);
            }
            else
            {
                json.WriteNull(name);
            }
        }

        void WriteList<T>(string name, IReadOnlyList<T>? values, Action<T> write)
            where T : class
        {
            if (values is null)
            {
                json.WriteNull(name);
                return;
            }
            json.WriteStartArray(name);
            foreach (var value in values)
            {
                write(value);
            }
            json.WriteEndArray();
        }
    }

    public static MaskLine Fail(InputFile file, string reason) => new() { File = file.Name, Status = "failed", Reason = reason };

    public static MaskLine From(InputFile file, MaskOutcome outcome, string? transferSyntax) => outcome switch
    {
        MaskOutcome.Masked { Proof: var proof } => new MaskLine
        {
            File = file.Name,
            Output = file.Output,
            Status = Masked,
            Frames = proof.Frames,
            TransferSyntax = proof.TransferSyntaxUid,
            OutputTransferSyntax = proof.OutputTransferSyntaxUid,
            Sha256 = proof.Sha256,
            OutputSha256 = proof.OutputSha256,
            ChangedOutside = proof.ChangedOutside,
            Regions = proof.Regions,
            FrameXxh64 = proof.FrameXxh64,
        },
        MaskOutcome.Unsupported refused => new MaskLine { File = file.Name, Status = "unsupported", Reason = refused.Reason, TransferSyntax = transferSyntax },
        MaskOutcome.Failed failed => Fail(file, failed.Reason) with { TransferSyntax = transferSyntax },
        _ => throw new InvalidOperationException($"Unknown outcome {outcome.GetType().Name}."),
    };
}
