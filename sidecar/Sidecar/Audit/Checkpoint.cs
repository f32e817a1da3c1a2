using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sidecar.Audit;

/// <summary>How the chain stood at one time, kept outside the database: a row's number and hash.</summary>
internal sealed record Checkpoint(long Sequence, string Hash, string At, string? Signature = null)
{
    /// <summary>What is signed.</summary>
    [JsonIgnore]
    public string SignedText => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"sidecar-audit-checkpoint-1\n{Sequence}\n{Hash}\n{At}\n");
}

/// <summary>Checkpoints in a file, one JSON object a line, only ever appended to.</summary>
internal static class CheckpointFile
{
    /// <summary>Appends one line; returns when it would survive a power cut.</summary>
    public static void Append(string path, Checkpoint checkpoint)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite });
        // A line that a power cut left without its end stays a line of its own.
        var torn = file.Length > 0 && file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() != '\n';
        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.UTF8.GetBytes((torn ? "\n" : "") + JsonSerializer.Serialize(checkpoint, CheckpointJson.Default.Checkpoint) + "\n"));
        file.Flush(flushToDisk: true);
    }

    /// <summary>All checkpoints of a file, and those refused: lines that are none, and with a key those that it did not sign.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static (IReadOnlyList<Checkpoint> Checkpoints, IReadOnlyList<string> Faults) Read(string path, AuditKey? key)
    {
        List<Checkpoint> checkpoints = [];
        List<string> faults = [];
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (Parse(line) is not { } checkpoint)
            {
                faults.Add($"Line {number} of {path} is not a checkpoint.");
            }
            else if (key is not null && !key.Verify(checkpoint.SignedText, checkpoint.Signature))
            {
                faults.Add($"Line {number} of {path} (row {checkpoint.Sequence}) is not signed by the key {key.Fingerprint[..16]}.");
            }
            else
            {
                checkpoints.Add(checkpoint);
            }
        }

        return (checkpoints, faults);
    }

    private static Checkpoint? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, CheckpointJson.Default.Checkpoint);
        }
        catch (JsonException)
        {
            return null; // told by the caller, with its line
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Checkpoint))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
