using System.ComponentModel;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Audit;

[Description("One row of the audit. details belongs to the action; hash covers this row and the one before it.")]
internal sealed record AuditEventView(
    long Sequence,
    DateTimeOffset At,
    string Action,
    string Subject,
    string Name,
    string SoftwareVersion,
    JsonElement Details,
    string? JobId = null,
    string? StudyInstanceUid = null,
    string? SeriesInstanceUid = null,
    string? SopInstanceUid = null,
    string? Hash = null);

[Description("Newest first. next is the value of before for the page that follows; absent on the last one.")]
internal sealed record AuditPage(IReadOnlyList<AuditEventView> Events, long? Next = null);

[Description("What a walk along the whole chain found just now.")]
internal sealed record AuditChainView(
    bool Holds,
    [property: Description("Rows that hold, from the first on.")] long Rows,
    string LastHash,
    [property: Description("Checkpoints that were compared; 0 where no file is set.")] int Checkpoints,
    [property: Description("Whether each of them had to be signed by the service's key.")] bool Signed,
    long? FirstBadRow = null,
    [property: Description("For a person.")] string? Fault = null,
    string? LastCheckpointAt = null);

/// <summary>The filters of a reading, from the query.</summary>
internal sealed record AuditQuery
{
    [FromQuery, Description("From this time on, ISO 8601.")]
    public DateTimeOffset? From { get; init; }

    [FromQuery, Description("Before this time.")]
    public DateTimeOffset? To { get; init; }

    [FromQuery, Description("A word such as instanceMasked.")]
    public string? Action { get; init; }

    [FromQuery, Description("A subject or a name, whole.")]
    public string? Subject { get; init; }

    [FromQuery, Description("A Study Instance UID.")]
    public string? Study { get; init; }

    [FromQuery, Description("The id of a mask job.")]
    public string? Job { get; init; }

    public AuditFilter ToFilter() => new() { From = From, To = To, Action = Text(Action), Subject = Text(Subject), Study = Text(Study), Job = Text(Job) };

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}

/// <summary>The audit over HTTP, for those with the permission.</summary>
internal static class AuditEndpoints
{
    private const int DefaultRows = 100;
    private const int MostRows = 500;

    public static void MapAudit(this WebApplication app)
    {
        var audit = app.MapGroup("/api/audit").WithTags("Audit").RequireAuthorization(PermissionOptions.AuditPermission)
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden);
        audit.MapGet("/", ReadPage).WithName("readAudit").WithSummary("Rows of the audit. Reading is written into the audit, too.").ProducesProblem(400);
        audit.MapGet("/export", Export).WithName("exportAudit").WithSummary("All rows that the filters let through, oldest first, as a file.")
            .Produces<string>(200, "application/x-ndjson", "text/csv").ProducesProblem(400);
        audit.MapGet("/chain", CheckChain).WithName("checkAuditChain").WithSummary("Computes every hash again. Takes about a second for 100,000 rows.");
    }

    private static async Task<Results<Ok<AuditPage>, ProblemHttpResult>> ReadPage(
        [AsParameters] AuditQuery query,
        [FromQuery, Description("Only rows with a lower number.")] long? before,
        [FromQuery, Description("Rows of a page, 1 to 500; 100 without it.")] int? limit,
        ClaimsPrincipal user,
        AuditReader reader,
        CancellationToken token)
    {
        var most = limit ?? DefaultRows;
        if (most is < 1 or > MostRows)
        {
            return Problems.Of(400, "invalid-request", "Invalid request", $"limit must be 1 to {MostRows}.");
        }

        var rows = await reader.ReadPage(query.ToFilter(), before, most, user.Subject(), user.DisplayName(), token);
        return TypedResults.Ok(new AuditPage([.. rows.Select(ToView)], rows.Count == most ? rows[^1].Sequence : null));
    }

    private static Results<PushStreamHttpResult, ProblemHttpResult> Export(
        [AsParameters] AuditQuery query,
        [FromQuery, Description("ndjson or csv.")] string format,
        ClaimsPrincipal user,
        AuditReader reader,
        CancellationToken token)
    {
        if (format is not (AuditFormats.NdJson or AuditFormats.Csv))
        {
            return Problems.Of(400, "invalid-request", "Invalid request", "format must be ndjson or csv.");
        }

        return TypedResults.Stream(
            async body =>
            {
                await using var writer = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true);
                await AuditExport.Write(writer, reader.ReadAll(query.ToFilter(), format, user.Subject(), user.DisplayName(), token), format, token);
            },
            format == AuditFormats.Csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            $"audit.{format}");
    }

    private static async Task<Ok<AuditChainView>> CheckChain(AuditVerification verification, IOptions<AuditOptions> options, ClaimsPrincipal user, Database database, AuditLog audit, CancellationToken token)
    {
        var (verdict, checkpoints, signed) = await verification.VerifyWithCheckpoints(options.Value.CheckpointFile, options.Value.SigningKeyFile, token);
        var looked = new AuditEvent("auditVerified", user.Subject(), user.DisplayName()) { Details = new() { ["holds"] = verdict.Holds, ["rows"] = verdict.Rows, ["firstBadRow"] = verdict.FirstBadRow } };
        await audit.AppendAlone(database, looked, token);
        return TypedResults.Ok(new AuditChainView(verdict.Holds, verdict.Rows, verdict.LastHash, checkpoints.Count, signed, verdict.FirstBadRow, verdict.Fault, checkpoints.Count > 0 ? checkpoints[^1].At : null));
    }

    private static AuditEventView ToView(AuditRow row)
    {
        using var details = JsonDocument.Parse(row.Details);
        return new AuditEventView(
            row.Sequence, Instant.FromText(row.At), row.Action, row.Subject, row.Name, row.SoftwareVersion, details.RootElement.Clone(),
            row.JobId, row.StudyInstanceUid, row.SeriesInstanceUid, row.SopInstanceUid, row.Hash);
    }
}

internal static class AuditExport
{
    public static async Task Write(TextWriter writer, IAsyncEnumerable<AuditRow> rows, string format, CancellationToken token)
    {
        if (format == AuditFormats.Csv)
        {
            await writer.WriteAsync(AuditFormats.CsvHeader.AsMemory(), token);
        }

        await foreach (var row in rows.WithCancellation(token))
        {
            await writer.WriteAsync((format == AuditFormats.Csv ? AuditFormats.ToCsv(row) : AuditFormats.ToNdJson(row)).AsMemory(), token);
        }

        await writer.FlushAsync(token);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, NumberHandling = JsonNumberHandling.Strict, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(AuditChainView))]
internal sealed partial class AuditJson : JsonSerializerContext;
