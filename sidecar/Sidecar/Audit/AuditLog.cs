using System.Data.Common;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>One thing that happened. Identifies images by UID only: no patient's name, no recognised text.</summary>
internal sealed record AuditEvent(string Action, string Subject, string Name)
{
    public string? JobId { get; init; }

    public string? StudyInstanceUid { get; init; }

    public string? SopInstanceUid { get; init; }

    /// <summary>What belongs to this action: regions, hashes, reasons.</summary>
    public JsonObject Details { get; init; } = [];
}

/// <summary>Appends to the audit table, inside the transaction of the thing it tells.</summary>
internal sealed class AuditLog(TimeProvider time)
{
    private static readonly string Software = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Numbers without gaps: the database has one writer at a time, and a rolled back transaction takes its number back.</summary>
    public Task Append(DbTransaction transaction, AuditEvent happened) =>
        transaction.Connection!.ExecuteAsync(
            """
            INSERT INTO audit_events (sequence, at, action, subject, name, job_id, study_instance_uid, sop_instance_uid, software_version, details)
            SELECT COALESCE(MAX(sequence), 0) + 1, @at, @Action, @Subject, @Name, @JobId, @StudyInstanceUid, @SopInstanceUid, @Software, @details FROM audit_events
            """,
            new
            {
                at = Instant.ToText(time.GetUtcNow()),
                happened.Action,
                happened.Subject,
                happened.Name,
                happened.JobId,
                happened.StudyInstanceUid,
                happened.SopInstanceUid,
                Software,
                details = happened.Details.ToJsonString(JsonSerializerOptions.Web),
            },
            transaction);
}
