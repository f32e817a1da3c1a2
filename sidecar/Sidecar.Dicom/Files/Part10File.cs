using System.Globalization;
using System.Text;

namespace Sidecar.Dicom.Files;

/// <summary>
/// The index of one DICOM Part 10 file (PS3.10 7): where each element lies. Reads headers, not pixels. Deflated data sets are expanded first, see
/// <see cref="DeflatedFile"/>.
/// </summary>
public sealed class Part10File
{
    private const long MaxValueLength = 16 << 20;

    private readonly Dictionary<uint, DicomElement> byTag = [];

    private Part10File(Stream stream, FileMeta meta, DatasetEncoding encoding, List<DicomElement> elements)
    {
        (Stream, Meta, Encoding, Elements) = (stream, meta, encoding, elements);
        foreach (var element in elements)
        {
            byTag.TryAdd(element.Tag.Value, element);
        }
    }

    /// <summary>What the index was made from.</summary>
    public Stream Stream { get; }

    public FileMeta Meta { get; }

    /// <summary>The encoding of the data set as found, which new elements follow.</summary>
    public DatasetEncoding Encoding { get; }

    /// <summary>The elements of the data set's top level, in the file's order.</summary>
    public IReadOnlyList<DicomElement> Elements { get; }

    /// <exception cref="DicomFormatException">The bytes are no data set.</exception>
    public static Part10File Read(Stream stream, FileMeta meta)
    {
        var parser = new DatasetParser(stream);
        var encoding = parser.Recognise(meta.DatasetStart, meta.DatasetEncoding);
        return new Part10File(stream, meta, encoding, parser.ParseDataset(meta.DatasetStart, encoding));
    }

    /// <summary>The first element with this tag at the top level.</summary>
    public DicomElement? Find(DicomTag tag) => byTag.GetValueOrDefault(tag.Value);

    /// <summary>The value of an element; null where it is absent or empty.</summary>
    /// <exception cref="DicomFormatException">It is longer than 16 MiB, which no attribute read here is.</exception>
    public byte[]? ReadValue(DicomTag tag) => Find(tag) is { ValueLength: > 0 } element ? ReadValue(element) : null;

    public byte[] ReadValue(DicomElement element)
    {
        if (element.ValueLength > MaxValueLength)
        {
            throw new DicomFormatException($"The file is damaged: element {element.Tag} claims {element.ValueLength} bytes.");
        }
        var value = new byte[element.ValueLength];
        Stream.Position = element.ValueStart;
        Stream.ReadExactly(value);
        return value;
    }

    /// <summary>A text value byte for byte as ISO 8859-1, without padding at its end; null where absent or empty. Not for display: character sets are not applied.</summary>
    public string? ReadText(DicomTag tag) => Find(tag) is { } element ? ReadText(element) : null;

    public string? ReadText(DicomElement element) =>
        System.Text.Encoding.Latin1.GetString(ReadValue(element)).TrimEnd(' ', '\0') is { Length: > 0 } text ? text : null;

    /// <summary>
    /// The first number of a value that should be US; null where absent or empty. Some writers use UL, SL or a text, as their VR tells.
    /// </summary>
    /// <exception cref="DicomFormatException">It is a text that is no number from 0 to 65535, or a number beyond.</exception>
    public int? ReadUInt16(DicomTag tag)
    {
        if (Find(tag) is not { ValueLength: >= 2 } element)
        {
            return null;
        }
        var value = ReadValue(element);
        if (element.Vr == new Vr("IS") || element.Vr == new Vr("DS"))
        {
            return ushort.TryParse(ReadText(element)?.Split('\\')[0], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new DicomFormatException($"The file is damaged: element {tag} is no number.");
        }
        if (value.Length >= 4 && (element.Vr == new Vr("UL") || element.Vr == new Vr("SL")))
        {
            return Encoding.ReadUInt32(value) is var wide and <= ushort.MaxValue ? (int)wide : throw new DicomFormatException($"The file is damaged: element {tag} is larger than its VR US allows.");
        }
        return Encoding.ReadUInt16(value);
    }
}
