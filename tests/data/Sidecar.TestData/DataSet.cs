using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Sidecar.TestData;

/// <summary>How a sequence and its items say where they end (PS3.5 7.5).</summary>
public enum SequenceLength
{
    Defined,
    Undefined,
}

/// <summary>
/// Attributes in the making, kept in tag order. Values are held as little endian bytes; the writer swaps them where the transfer syntax asks for it.
/// </summary>
public sealed class DataSet
{
    private readonly SortedDictionary<uint, Element> _elements = [];

    internal IEnumerable<Element> Elements => _elements.Values;

    /// <summary>The encoding of the text values set after this. Set SpecificCharacterSet yourself: tests want the two to disagree, too.</summary>
    public Encoding TextEncoding { get; set; } = Encoding.Latin1;

    public DataSet Set(AttributeTag attribute, params object[] values) => Set(attribute.Tag, attribute.Vr, values);

    /// <summary>
    /// Sets an attribute of any tag. Texts are joined by a backslash; numbers are packed as <paramref name="vr"/> says; one byte[] is taken as it is
    /// (little endian, any length: an odd one is padded by the writer unless it was told not to).
    /// </summary>
    public DataSet Set(uint tag, string vr, params object[] values)
    {
        _elements[tag] = new Element(tag, vr, values is [byte[] bytes] ? bytes : Encode(vr, values));
        return this;
    }

    public DataSet Sequence(AttributeTag attribute, SequenceLength length, params DataSet[] items) => Sequence(attribute.Tag, length, items);

    public DataSet Sequence(uint tag, SequenceLength length, params DataSet[] items)
    {
        _elements[tag] = new Element(tag, "SQ", []) { Items = items, Length = length };
        return this;
    }

    public DataSet Remove(uint tag)
    {
        _elements.Remove(tag);
        return this;
    }

    internal void Add(Element element) => _elements[element.Tag] = element;

    internal string? Text(AttributeTag attribute) =>
        _elements.TryGetValue(attribute.Tag, out var element) ? Encoding.ASCII.GetString(element.Value).TrimEnd('\0', ' ') : null;

    private byte[] Encode(string vr, object[] values)
    {
        if (values.All(value => value is string) || IsText(vr))
        {
            return TextEncoding.GetBytes(string.Join('\\', values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture))));
        }

        using var bytes = new MemoryStream();
        Span<byte> eight = stackalloc byte[8];
        foreach (var value in values)
        {
            if (vr is "FD")
            {
                BinaryPrimitives.WriteDoubleLittleEndian(eight, Convert.ToDouble(value, CultureInfo.InvariantCulture));
            }
            else if (vr is "FL")
            {
                BinaryPrimitives.WriteSingleLittleEndian(eight, Convert.ToSingle(value, CultureInfo.InvariantCulture));
            }
            else if (vr is "AT")
            {
                // A tag is two 16-bit numbers, group first (PS3.5 6.2), not one 32-bit number.
                var tag = Convert.ToUInt32(value, CultureInfo.InvariantCulture);
                BinaryPrimitives.WriteUInt32LittleEndian(eight, (tag << 16) | (tag >> 16));
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(eight, Convert.ToInt64(value, CultureInfo.InvariantCulture));
            }

            bytes.Write(eight[..ByteCount(vr)]);
        }

        return bytes.ToArray();
    }

    private static bool IsText(string vr) =>
        vr is "AE" or "AS" or "CS" or "DA" or "DS" or "DT" or "IS" or "LO" or "LT" or "PN" or "SH" or "ST" or "TM" or "UC" or "UI" or "UR" or "UT";

    private static int ByteCount(string vr) => vr switch
    {
        "US" or "SS" or "OW" => 2,
        "UL" or "SL" or "FL" or "AT" or "OL" => 4,
        "FD" or "UV" or "SV" or "OV" => 8,
        _ => throw new ArgumentException($"Numbers cannot be packed as {vr}; give the bytes.", nameof(vr)),
    };
}

/// <summary>One data element: a value, a sequence of items, or fragments.</summary>
internal sealed record Element(uint Tag, string Vr, byte[] Value)
{
    public IReadOnlyList<DataSet>? Items { get; init; }

    public SequenceLength Length { get; init; }

    /// <summary>Bytes that change places together in big endian, where the VR does not say it.</summary>
    public int? SwapUnit { get; init; }

    /// <summary>Encapsulated Pixel Data (PS3.5 A.4): the Basic Offset Table's bytes first, then the fragments.</summary>
    public IReadOnlyList<byte[]>? Fragments { get; init; }
}
