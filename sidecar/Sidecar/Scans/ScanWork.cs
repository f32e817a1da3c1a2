namespace Sidecar.Scans;

/// <summary>One series of a run that waits to be scanned.</summary>
internal sealed record ScanWork
{
    public const string Columns = "id, run_id, study_instance_uid, study_orthanc_id, series_instance_uid, series_orthanc_id, risk, instances, attempts, claims";

    public string Id { get; init; } = "";

    public string RunId { get; init; } = "";

    public string StudyInstanceUid { get; init; } = "";

    public string StudyOrthancId { get; init; } = "";

    public string SeriesInstanceUid { get; init; } = "";

    public string SeriesOrthancId { get; init; } = "";

    /// <summary>Of burned-in text, by the header: higher goes first.</summary>
    public long Risk { get; init; }

    /// <summary>How many the series had when it was queued.</summary>
    public long Instances { get; init; }

    /// <summary>How often scanning it went wrong.</summary>
    public long Attempts { get; init; }

    public long Claims { get; init; }
}

/// <summary>The right of one node to scan a series, until its lease runs out. <paramref name="Number"/> counts the claims: an older one is worth nothing.</summary>
internal sealed record ScanClaim(ScanWork Work, string Node, long Number);

/// <summary>Another node has the series now, or its run was cancelled.</summary>
internal sealed class ScanClaimLostException(string series) : Exception($"The scan of series {series} was taken over or cancelled.");
