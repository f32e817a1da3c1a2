using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sidecar.Dicom.Masking;

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

    public IReadOnlyList<RegionEntry>? Regions { get; init; }

    public IReadOnlyList<string>? FrameXxh64 { get; init; }

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
            Regions = [.. proof.Regions.Select(region => new RegionEntry { X = region.X, Y = region.Y, Width = region.Width, Height = region.Height })],
            FrameXxh64 = proof.FrameXxh64,
        },
        MaskOutcome.Unsupported refused => new MaskLine { File = file.Name, Status = "unsupported", Reason = refused.Reason, TransferSyntax = transferSyntax },
        MaskOutcome.Failed failed => Fail(file, failed.Reason) with { TransferSyntax = transferSyntax },
        _ => throw new InvalidOperationException($"Unknown outcome {outcome.GetType().Name}."),
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(MaskLine))]
internal sealed partial class MaskJson : JsonSerializerContext
{
    /// <summary>Names of files as people write them; the lines go to files and terminals, never into a web page.</summary>
    public static MaskJson Readable { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>Writes results as NDJSON, and progress to standard error: a running count on a terminal, else only the end.</summary>
internal sealed class MaskReport : IAsyncDisposable
{
    private readonly TextWriter lines;
    private readonly int total;
    private readonly SemaphoreSlim turn = new(1);
    private int done;
    private int masked;

    private MaskReport(TextWriter lines, int total) => (this.lines, this.total) = (lines, total);

    /// <param name="path">A file, or - for standard output.</param>
    /// <param name="total">Files to come.</param>
    /// <exception cref="WrongUsageException">The file cannot be created.</exception>
    public static MaskReport Open(string path, int total)
    {
        try
        {
            return new MaskReport(path == "-" ? new StreamWriter(Console.OpenStandardOutput()) : new StreamWriter(path), total);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new WrongUsageException($"The results file {path} cannot be written: {broken.Message}");
        }
    }

    public async Task Write(MaskLine line, CancellationToken token)
    {
        await turn.WaitAsync(token);
        try
        {
            await lines.WriteLineAsync(JsonSerializer.Serialize(line, MaskJson.Readable.MaskLine).AsMemory(), token);
            done++;
            masked += line.Status == MaskLine.Masked ? 1 : 0;
            if (!Console.IsErrorRedirected)
            {
                await Console.Error.WriteAsync($"\r{done} of {total} files".AsMemory(), token);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await lines.DisposeAsync();
        var start = Console.IsErrorRedirected ? "" : "\r";
        await Console.Error.WriteLineAsync($"{start}{masked} of {done} files masked{(masked == done ? "" : $", {done - masked} not: see their lines")}.");
        turn.Dispose();
    }
}
