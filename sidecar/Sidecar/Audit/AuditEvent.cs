using System.Text.Json.Nodes;

namespace Sidecar.Audit;

/// <summary>One thing that happened. Identifies images by UID only: no patient's name, no recognised text.</summary>
internal sealed record AuditEvent(string Action, string Subject, string Name)
{
    public string? JobId { get; init; }

    public string? StudyInstanceUid { get; init; }

    public string? SeriesInstanceUid { get; init; }

    public string? SopInstanceUid { get; init; }

    /// <summary>What belongs to this action: regions, hashes, reasons.</summary>
    public JsonObject Details { get; init; } = [];
}

/// <summary>An event as it is stored, word for word, with its place in the chain.</summary>
internal sealed record AuditRow
{
    /// <summary>The columns in the names that Dapper matches.</summary>
    public const string Columns =
        "sequence, at, action, subject, name, job_id, study_instance_uid, series_instance_uid, sop_instance_uid, software_version, details, hash";

    /// <summary>1 for the first row, without gaps.</summary>
    public required long Sequence { get; init; }

    public required string At { get; init; }

    public required string Action { get; init; }

    public required string Subject { get; init; }

    public required string Name { get; init; }

    public string? JobId { get; init; }

    public string? StudyInstanceUid { get; init; }

    public string? SeriesInstanceUid { get; init; }

    public string? SopInstanceUid { get; init; }

    public required string SoftwareVersion { get; init; }

    /// <summary>A JSON object, as text: its bytes are part of the hash.</summary>
    public required string Details { get; init; }

    /// <summary>SHA-256 of this row and the one before it, lower-case hexadecimal; see <see cref="AuditChain"/>.</summary>
    public string? Hash { get; init; }
}
