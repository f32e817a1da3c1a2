namespace Sidecar.Dicom.Text;

/// <summary>A Part 10 file to be scanned.</summary>
public interface IScanSource
{
    /// <summary>What the caller calls it; comes back in <see cref="InstanceScan.Name"/>.</summary>
    string Name { get; }

    /// <summary>Opens the file: seekable, at position 0, closed by the scanner. May be called more than once.</summary>
    /// <exception cref="IOException">The file is not to be had: the world is broken, not the instance.</exception>
    Stream Open();
}

public enum ScanStatus
{
    Scanned,

    /// <summary>There is nothing to look at, or nothing this software can decode.</summary>
    Unsupported,

    /// <summary>The file cannot be read as DICOM, or a frame of it cannot be decoded. Never counts as free of text.</summary>
    Damaged,

    /// <summary>The detector failed on it, or was not to be had. Never counts as free of text.</summary>
    Failed,
}

/// <summary>What a scan made of one instance.</summary>
public sealed record InstanceScan
{
    public required string Name { get; init; }

    public required ScanStatus Status { get; init; }

    /// <summary>One sentence for a person; null where <see cref="Status"/> is Scanned.</summary>
    public string? Reason { get; init; }

    /// <summary>0 where unknown.</summary>
    public int Frames { get; init; }

    public IReadOnlyList<ScanFinding> Findings { get; init; } = [];
}

/// <summary>Finds burned-in text in instances that belong together. Holds no state between calls; one object serves all threads.</summary>
public interface ISeriesScanner
{
    /// <summary>Names detector, models, reader and rules with their versions: a scan by another engine may find something else.</summary>
    string Engine { get; }

    /// <summary>True where the neural detector is not installed and a weaker way stands in for it.</summary>
    bool IsWeak { get; }

    /// <summary>
    /// Scans the instances of one series (any mixture of sizes and transfer syntaxes is accepted). What is alike in many of them is looked at once.
    /// Memory stays bounded by a few frames, whatever their number.
    /// </summary>
    /// <returns>One result for each instance, in the order given.</returns>
    /// <exception cref="IOException">A source failed.</exception>
    IReadOnlyList<InstanceScan> Scan(IReadOnlyList<IScanSource> instances, CancellationToken token);
}
