using Sidecar.Dicom.Pixels;

namespace Sidecar.Scans;

/// <summary>A row of <c>scan_findings</c>, as far as a scan needs it. Decisions are others' to write.</summary>
internal sealed record StoredFinding
{
    public const string Columns = "id, orthanc_id, md5, frames, x, y, width, height, kind, state";

    public string Id { get; init; } = "";

    public string OrthancId { get; init; } = "";

    public string Md5 { get; init; } = "";

    /// <summary>Null: all.</summary>
    public string? Frames { get; init; }

    public long X { get; init; }

    public long Y { get; init; }

    public long Width { get; init; }

    public long Height { get; init; }

    public string Kind { get; init; } = "";

    /// <summary>open, accepted, dismissed, masked or gone.</summary>
    public string State { get; init; } = "";

    public Region Region => new((int)X, (int)Y, (int)Width, (int)Height);
}
