using System.Text.Encodings.Web;
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

/// <summary>Writes results as NDJSON, and progress to standard error: a running count on a terminal, else only the end.</summary>
internal sealed class MaskReport : IDisposable
{
    private readonly Stream lines;
    private readonly int total;
    private readonly Lock turn = new();

    /// <summary>Names of files as people write them; the lines go to files and terminals, never into a web page.</summary>
    private readonly Utf8JsonWriter json;
    private int done;
    private int masked;

    private MaskReport(Stream lines, int total)
    {
        (this.lines, this.total) = (lines, total);
        json = new Utf8JsonWriter(lines, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <param name="path">A file, or - for standard output.</param>
    /// <param name="total">Files to come.</param>
    /// <exception cref="WrongUsageException">The file cannot be created.</exception>
    public static MaskReport Open(string path, int total)
    {
        try
        {
            return new MaskReport(path == "-" ? new BufferedStream(Console.OpenStandardOutput()) : File.Create(path), total);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new WrongUsageException($"The results file {path} cannot be written: {broken.Message}");
        }
    }

    public void Write(MaskLine line)
    {
        lock (turn)
        {
            line.WriteTo(json);
            json.Flush();
            json.Reset();
            lines.WriteByte((byte)'\n');
            done++;
            masked += line.Status == MaskLine.Masked ? 1 : 0;
            if (!Console.IsErrorRedirected)
            {
                Console.Error.Write($"\r{done} of {total} files");
            }
        }
    }

    public void Dispose()
    {
        json.Dispose();
        lines.Dispose();
        var start = Console.IsErrorRedirected ? "" : "\r";
        Console.Error.WriteLine($"{start}{masked} of {done} files masked{(masked == done ? "" : $", {done - masked} not: see their lines")}.");
    }
}
