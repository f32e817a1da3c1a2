using Sidecar.Dicom.Text;

namespace Sidecar.Reviews;

// The tables' rows as they are read. Words and numbers become types here.

/// <summary>A finding with what the ledger knows of its image.</summary>
internal sealed record FindingRow
{
    /// <summary>Findings that count, for a study; those of another file than the ledger's (gone) are left out. Whose mask is burned counts as masked, also before its image is scanned again.</summary>
    public const string Select =
        """
        SELECT f.id, f.orthanc_id, f.series_instance_uid, f.sop_instance_uid, f.md5, f.frames, f.x, f.y, f.width, f.height, f.confidence, f.kind, f.matched_attribute, f.after_masking, f.template_id,
               f.decided_at, f.decided_by_name, f.decision_reason, f.decided_x, f.decided_y, f.decided_width, f.decided_height,
               CASE WHEN f.state = 'accepted' AND
        """ + "\n" + IsBurned + "\n" +
        """
               THEN 'masked' ELSE f.state END AS state,
               s.instance_number, s.frames AS image_frames, s.rows, s.columns, s.manufacturer, s.model, s.station, s.photometric, s.sop_class
        FROM scan_findings f LEFT JOIN scanned_instances s ON s.orthanc_id = f.orthanc_id
        WHERE f.study_instance_uid = @study AND f.state <> 'gone'
        """;

    /// <summary>
    /// A condition on <c>scan_findings f</c>: a mask job has burned it, and its image was not scanned again since. (If it was, and the text was found once more, the row has the new file's MD5.)
    /// </summary>
    public const string IsBurned =
        "EXISTS (SELECT 1 FROM mask_job_findings b JOIN mask_job_items i ON i.job_id = b.job_id AND i.orthanc_id = b.orthanc_id WHERE b.finding_id = f.id AND i.state = 'masked' AND i.md5 = f.md5)";

    public string Id { get; init; } = "";

    public string OrthancId { get; init; } = "";

    public string SeriesInstanceUid { get; init; } = "";

    public string SopInstanceUid { get; init; } = "";

    public string Md5 { get; init; } = "";

    public string? Frames { get; init; }

    public long X { get; init; }

    public long Y { get; init; }

    public long Width { get; init; }

    public long Height { get; init; }

    /// <summary>Per mille.</summary>
    public long Confidence { get; init; }

    public string Kind { get; init; } = "";

    public string? MatchedAttribute { get; init; }

    public long AfterMasking { get; init; }

    public string? TemplateId { get; init; }

    public string State { get; init; } = "";

    public string? DecidedAt { get; init; }

    public string? DecidedByName { get; init; }

    public string? DecisionReason { get; init; }

    public long? DecidedX { get; init; }

    public long? DecidedY { get; init; }

    public long? DecidedWidth { get; init; }

    public long? DecidedHeight { get; init; }

    public long? InstanceNumber { get; init; }

    public long? ImageFrames { get; init; }

    public long? Rows { get; init; }

    public long? Columns { get; init; }

    public string? Manufacturer { get; init; }

    public string? Model { get; init; }

    public string? Station { get; init; }

    public string? Photometric { get; init; }

    public string? SopClass { get; init; }

    public FindingRegion Region => new((int)X, (int)Y, (int)Width, (int)Height);

    public FindingRegion? DecidedRegion =>
        (DecidedX, DecidedY, DecidedWidth, DecidedHeight) is ({ } x, { } y, { } width, { } height) ? new((int)x, (int)y, (int)width, (int)height) : null;

    public FindingKind FindingKind => Enum.Parse<FindingKind>(Kind, ignoreCase: true);

    public FindingState FindingState => Enum.Parse<FindingState>(State, ignoreCase: true);

    public ImageLayout Layout => new(Manufacturer ?? "", Model ?? "", Station ?? "", (int)(Rows ?? 0), (int)(Columns ?? 0), Photometric ?? "", SopClass ?? "");
}

/// <summary>What makes two images alike for a person who decides about both at once.</summary>
internal sealed record ImageLayout(string Manufacturer, string Model, string Station, int Rows, int Columns, string Photometric, string SopClass);

/// <summary>An image of the ledger that could not be scanned.</summary>
internal sealed record UnscannableRow
{
    public string OrthancId { get; init; } = "";

    public string SeriesInstanceUid { get; init; } = "";

    public string SopInstanceUid { get; init; } = "";

    public long? InstanceNumber { get; init; }

    public string Md5 { get; init; } = "";

    public string? Reason { get; init; }

    public string? Cause { get; init; }

    public string? AcknowledgedAt { get; init; }
}

/// <summary>An image in which a person saw text that no finding marks.</summary>
internal sealed record MissedRow
{
    public string Id { get; init; } = "";

    public string AskedSubject { get; init; } = "";

    public string AskedName { get; init; } = "";

    public string SeriesInstanceUid { get; init; } = "";

    public string SopInstanceUid { get; init; } = "";

    public long? InstanceNumber { get; init; }
}

/// <summary>How many scanned images of a study have a layout.</summary>
internal sealed record LayoutRow
{
    public string? Manufacturer { get; init; }

    public string? Model { get; init; }

    public string? Station { get; init; }

    public long? Rows { get; init; }

    public long? Columns { get; init; }

    public string? Photometric { get; init; }

    public string? SopClass { get; init; }

    public long Images { get; init; }

    public ImageLayout Layout => new(Manufacturer ?? "", Model ?? "", Station ?? "", (int)(Rows ?? 0), (int)(Columns ?? 0), Photometric ?? "", SopClass ?? "");
}
