using System.CommandLine;
using System.CommandLine.Parsing;
using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Storage;

namespace Sidecar.Commands;

/// <summary><c>sidecar audit</c>: checks the chain, hands the rows out, writes a checkpoint. With the service's own settings; the service may run meanwhile.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Check, export or witness the audit.") { CreateVerify(), CreateExport(), CreateCheckpoint() };

    private static Command CreateVerify()
    {
        var checkpoints = new Option<string?>("--checkpoints") { Description = "File with checkpoints to compare with (default: Audit:CheckpointFile)." };
        var publicKey = new Option<string?>("--public-key") { Description = "PEM file with the key that must have signed them (default: Audit:SigningKeyFile)." };
        var file = new Option<string?>("--file") { Description = "A whole export (NDJSON) to check in place of the database." };
        var command = new Command("verify", "Finds a row that was changed, removed or moved. Exit status 1 if there is one.") { checkpoints, publicKey, file };
        command.SetAction((parsed, token) => WithServices(services => Verify(services, Console.Out, parsed.GetValue(checkpoints), parsed.GetValue(publicKey), parsed.GetValue(file), token)));
        return command;
    }

    private static Command CreateExport()
    {
        var format = new Option<string>("--format") { Description = "ndjson or csv.", DefaultValueFactory = _ => AuditFormats.NdJson };
        format.AcceptOnlyFromAmong(AuditFormats.NdJson, AuditFormats.Csv);
        var output = new Option<string?>("--out") { Description = "File to write (default: standard output)." };
        var from = TimeOption("--from", "From this time on, ISO 8601.");
        var to = TimeOption("--to", "Before this time.");
        var action = new Option<string?>("--action") { Description = "A word such as instanceMasked." };
        var subject = new Option<string?>("--subject") { Description = "A subject or a name, whole." };
        var study = new Option<string?>("--study") { Description = "A Study Instance UID." };
        var job = new Option<string?>("--job") { Description = "The id of a mask job." };
        var command = new Command("export", "Writes rows, oldest first. The export is itself written into the audit.") { format, output, from, to, action, subject, study, job };
        command.SetAction((parsed, token) => WithServices(services => Export(
            services,
            new AuditFilter
            {
                From = parsed.GetValue(from),
                To = parsed.GetValue(to),
                Action = parsed.GetValue(action),
                Subject = parsed.GetValue(subject),
                Study = parsed.GetValue(study),
                Job = parsed.GetValue(job),
            },
            parsed.GetValue(format)!,
            parsed.GetValue(output),
            token)));
        return command;
    }

    private static Command CreateCheckpoint()
    {
        var command = new Command("checkpoint", "Appends a checkpoint to Audit:CheckpointFile now.");
        command.SetAction((_, token) => WithServices(async services =>
        {
            if (services.GetRequiredService<IOptions<AuditOptions>>().Value.CheckpointFile is null)
            {
                throw new InvalidOperationException("Audit:CheckpointFile (SIDECAR_Audit__CheckpointFile) is not set, so there is no place for a checkpoint.");
            }

            var written = await services.GetRequiredService<CheckpointWriter>().Write(token);
            await Console.Out.WriteLineAsync(written is null ? "The audit is empty; nothing was written." : $"row {written.Sequence} {written.Hash}");
            return 0;
        }));
        return command;
    }

    internal static async Task<int> Verify(IServiceProvider services, TextWriter output, string? checkpointFile, string? keyFile, string? export, CancellationToken token)
    {
        if (export is null)
        {
            var options = services.GetRequiredService<IOptions<AuditOptions>>().Value;
            checkpointFile ??= options.CheckpointFile;
            keyFile ??= options.SigningKeyFile;
        }

        using var key = keyFile is null ? null : AuditKey.Read(keyFile);
        var (checkpoints, faults) = checkpointFile is null ? ([], []) : AuditVerification.ReadCheckpoints(checkpointFile, key);
        var verdict = export is null ? await services.GetRequiredService<AuditVerification>().Verify(checkpoints, token) : await VerifyFile(export, checkpoints, token);
        foreach (var fault in faults)
        {
            await output.WriteLineAsync($"FAILED  {fault}");
        }

        await output.WriteLineAsync(verdict.Fault is { } broken ? $"FAILED  {broken} {verdict.Rows} rows before it hold." : $"ok      {verdict.Rows} rows hold; the last one has the hash {verdict.LastHash}");
        if (verdict.Holds && checkpointFile is not null)
        {
            await output.WriteLineAsync($"{(faults.Count == 0 ? "ok    " : "FAILED")}  {checkpoints.Count} checkpoints{(key is null ? "" : $", signed by {key.Fingerprint}")}");
        }
        else if (verdict.Holds)
        {
            await output.WriteLineAsync("note    no checkpoints were given: rows removed at the end together with the head, and a chain computed anew, are not found without them");
        }

        return verdict.Holds && faults.Count == 0 ? 0 : 1;
    }

    private static async Task<AuditVerdict> VerifyFile(string file, IReadOnlyList<Checkpoint> checkpoints, CancellationToken token)
    {
        var walk = new ChainWalk(checkpoints);
        var number = 0;
        await foreach (var line in File.ReadLinesAsync(file, token))
        {
            number++;
            try
            {
                using var json = JsonDocument.Parse(line);
                if (!walk.Take(AuditFormats.Parse(json.RootElement)))
                {
                    return walk.Verdict;
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                return walk.Verdict with { FirstBadRow = walk.Verdict.Rows + 1, Fault = $"Line {number} of {file} is not a row of the audit." };
            }
        }

        return walk.Finish(null);
    }

    private static async Task<int> Export(IServiceProvider services, AuditFilter filter, string format, string? file, CancellationToken token)
    {
        var user = Environment.UserName;
        var rows = services.GetRequiredService<AuditReader>().ReadAll(filter, format, $"os:{user}", user, token);
        await using var output = file is null ? Console.OpenStandardOutput() : PrivateFiles.Create(file);
        await using var writer = new StreamWriter(output, new UTF8Encoding(false));
        await AuditExport.Write(writer, rows, format, token);
        return 0;
    }

    private static Option<DateTimeOffset?> TimeOption(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens.SingleOrDefault()?.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            {
                return time;
            }

            result.AddError($"{name} is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00Z.");
            return null;
        },
    };

    // A broken world is told in one sentence and not as a stack trace.
    private static async Task<int> WithServices(Func<IServiceProvider, Task<int>> work)
    {
        var builder = WebApplication.CreateBuilder([]);
        builder.Configuration.AddEnvironmentVariables("SIDECAR_");
        builder.Logging.ClearProviders();
        ServeCommand.AddSidecar(builder.Services, builder.Configuration, validateAtStart: false);
        await using var app = builder.Build();
        try
        {
            return await work(app.Services);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException or InvalidOperationException or OptionsValidationException)
        {
            await Console.Error.WriteLineAsync($"sidecar audit: {e.Message}");
            return 1;
        }
    }
}
