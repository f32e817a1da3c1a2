using Sidecar.Dicom.Text;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>What the ledger says of one image, as far as it decides whether to look at it again.</summary>
internal sealed record LedgerRow
{
    public const string Columns = "orthanc_id, series_orthanc_id, md5, uuid, engine, is_weak, scanned_at AS scanned_at_text";

    public string OrthancId { get; init; } = "";

    public string SeriesOrthancId { get; init; } = "";

    public string Md5 { get; init; } = "";

    /// <summary>Orthanc's, of the file that was looked at.</summary>
    public string Uuid { get; init; } = "";

    public string Engine { get; init; } = "";

    public long IsWeak { get; init; }

    public string ScannedAtText { get; init; } = "";

    public DateTimeOffset ScannedAt => Instant.FromText(ScannedAtText);
}

/// <summary>One image that was looked at, to be recorded.</summary>
internal sealed record ScannedImage
{
    public required string OrthancId { get; init; }

    public required string SopInstanceUid { get; init; }

    /// <summary>Of the file that was read.</summary>
    public required string Md5 { get; init; }

    /// <summary>Orthanc's, of that file.</summary>
    public required string Uuid { get; init; }

    public int? InstanceNumber { get; init; }

    /// <summary>Null where the file could not be read far enough.</summary>
    public ImageHeader? Header { get; init; }

    /// <summary>0 where unknown.</summary>
    public int Frames { get; init; }

    /// <summary>Why it could not be looked at; null where it was.</summary>
    public Unscannable? Unscannable { get; init; }

    public IReadOnlyList<ScanFinding> Findings { get; init; } = [];
}
