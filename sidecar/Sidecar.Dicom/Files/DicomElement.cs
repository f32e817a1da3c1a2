namespace Sidecar.Dicom.Files;

/// <summary>Where one data element lies in its file. Offsets count bytes from the start of the file; ends are the first byte not part of it.</summary>
public sealed class DicomElement
{
    public required DicomTag Tag { get; init; }

    /// <summary>As written in the file; <see cref="Vr.None"/> in implicit VR.</summary>
    public required Vr Vr { get; init; }

    /// <summary>First byte of the tag.</summary>
    public required long Start { get; init; }

    public required long ValueStart { get; init; }

    /// <summary>End of the value, before a sequence delimitation item.</summary>
    public required long ValueEnd { get; init; }

    /// <summary>End of the element, a sequence delimitation item included.</summary>
    public required long End { get; init; }

    public required bool HasUndefinedLength { get; init; }

    /// <summary>The items of a sequence; null for every other element.</summary>
    public IReadOnlyList<DicomItem>? Items { get; init; }

    /// <summary>How the elements in <see cref="Items"/> are written: UN hides implicit VR little endian (PS3.5 6.2.2 note 2).</summary>
    public DatasetEncoding? ItemEncoding { get; init; }

    /// <summary>The fragments of encapsulated pixel data, the basic offset table first (PS3.5 A.4); null for native values.</summary>
    public IReadOnlyList<Fragment>? Fragments { get; init; }

    public long ValueLength => ValueEnd - ValueStart;
}

/// <summary>One item of a sequence.</summary>
public sealed record DicomItem(long Start, long ValueStart, long ValueEnd, long End, bool HasUndefinedLength, IReadOnlyList<DicomElement> Elements);

/// <summary>One fragment of encapsulated pixel data: its value, after the 8 bytes of its item header.</summary>
public readonly record struct Fragment(long ValueStart, long ValueEnd)
{
    /// <summary>First byte of the item tag.</summary>
    public long Start => ValueStart - 8;

    public long Length => ValueEnd - ValueStart;
}
