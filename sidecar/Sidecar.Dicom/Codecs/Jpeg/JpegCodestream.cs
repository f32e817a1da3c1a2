using System.Buffers.Binary;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>A marker segment of the codestream.</summary>
/// <param name="Marker">Its second byte.</param>
/// <param name="Segment">All of it, marker and length included.</param>
internal sealed record JpegSegment(byte Marker, Range Segment);

/// <summary>A Huffman table where it is defined.</summary>
/// <param name="Segment">The marker segment that defines it.</param>
/// <param name="Selector">Class in the high four bits, destination in the low ones.</param>
/// <param name="Table">The table.</param>
internal sealed record JpegHuffmanDefinition(JpegSegment Segment, byte Selector, HuffmanTable Table)
{
    private HuffmanLookup? lookup;

    /// <summary>To decode with it.</summary>
    public HuffmanLookup Lookup => lookup ??= new HuffmanLookup(Table);
}

/// <summary>One component's part in a scan.</summary>
/// <param name="Index">Index of the component in the frame header.</param>
/// <param name="Dc">Table for DC coefficients, or for differences in the lossless process; null where none is defined.</param>
/// <param name="Ac">Table for AC coefficients; null where none is defined.</param>
/// <param name="DcQuantizer">Quantizer of its DC coefficient; 0 where none is defined.</param>
internal sealed record JpegScanComponent(int Index, JpegHuffmanDefinition? Dc, JpegHuffmanDefinition? Ac, int DcQuantizer);

/// <summary>A scan (ISO/IEC 10918-1 B.2.3) with the tables in force at its start.</summary>
internal sealed record JpegScan
{
    public required IReadOnlyList<JpegScanComponent> Components { get; init; }

    /// <summary>Ss: first coefficient, or the predictor of the lossless process.</summary>
    public required int SpectralStart { get; init; }

    /// <summary>Se: last coefficient.</summary>
    public required int SpectralEnd { get; init; }

    /// <summary>Ah: bit position of the scan before this one, 0 in the first.</summary>
    public required int ApproximationHigh { get; init; }

    /// <summary>Al: bit position of this scan, or the point transform of the lossless process.</summary>
    public required int ApproximationLow { get; init; }

    /// <summary>MCUs from one restart marker to the next; 0 where there are none.</summary>
    public required int RestartInterval { get; init; }

    /// <summary>The entropy-coded bytes, restart markers included.</summary>
    public required Range Entropy { get; init; }
}

/// <summary>The structure of one JPEG frame: all but the entropy-coded bits. Parsed once, before anything of its size is allocated.</summary>
internal sealed class JpegCodestream
{
    private readonly List<JpegSegment> segments = [];
    private readonly List<JpegScan> scans = [];
    private readonly List<JpegHuffmanDefinition> definitions = [];
    private readonly JpegHuffmanDefinition?[] huffman = new JpegHuffmanDefinition?[32];
    private readonly int[] dcQuantizers = new int[4];
    private JpegFrameHeader? header;
    private int restartInterval;

    private JpegCodestream()
    {
    }

    public JpegFrameHeader Header => header!;

    /// <summary>All marker segments in order, from the frame's first marker to its end marker, those two excepted.</summary>
    public IReadOnlyList<JpegSegment> Segments => segments;

    public IReadOnlyList<JpegScan> Scans => scans;

    public IReadOnlyList<JpegHuffmanDefinition> HuffmanDefinitions => definitions;

    /// <summary>Whether the codestream says JFIF, so that three components are YCbCr.</summary>
    public bool IsJfif { get; private set; }

    /// <summary>The transform of an Adobe segment; null where there is none.</summary>
    public byte? AdobeTransform { get; private set; }

    /// <summary>Bytes up to and with the end marker, or to the end where it is missing.</summary>
    public int End { get; private set; }

    /// <summary>Checks a frame whose components are each in one scan, in all but the progressive process.</summary>
    /// <exception cref="DicomFormatException">A component is in none, or in several.</exception>
    public void CheckEachComponentIsInOneScan()
    {
        var scansOf = new int[Header.Components.Count];
        foreach (var component in scans.SelectMany(scan => scan.Components))
        {
            scansOf[component.Index]++;
        }
        if (scansOf.AsSpan().ContainsAnyExcept(1))
        {
            throw Damaged("a component is missing or comes twice");
        }
    }

    /// <exception cref="DicomFormatException">The codestream is damaged or contradicts the layout.</exception>
    /// <exception cref="UnsupportedInstanceException">The codestream is of a kind that is not supported.</exception>
    public static JpegCodestream Read(ReadOnlySpan<byte> bytes, PixelLayout layout) => Read(bytes, header => header.Check(layout));

    /// <summary>As <see cref="Read(ReadOnlySpan{byte}, PixelLayout)"/>, for codestreams that no data set is there for.</summary>
    internal static JpegCodestream ReadUnchecked(ReadOnlySpan<byte> bytes) => Read(bytes, _ => { });

    private static JpegCodestream Read(ReadOnlySpan<byte> bytes, Action<JpegFrameHeader> check)
    {
        if (bytes.Length < 4 || bytes[0] != 0xFF || bytes[1] != JpegMarker.StartOfImage)
        {
            throw new DicomFormatException("A frame is not JPEG: it does not begin with a JPEG marker.");
        }
        var codestream = new JpegCodestream();
        codestream.ReadSegments(bytes, check);
        if (codestream.header is null || codestream.scans.Count == 0)
        {
            throw Damaged("it holds no picture");
        }
        return codestream;
    }

    private void ReadSegments(ReadOnlySpan<byte> bytes, Action<JpegFrameHeader> check)
    {
        var position = 2;
        while (true)
        {
            // B.1.1.2: any marker may have fill bytes before it.
            var start = position;
            while (position + 1 < bytes.Length && bytes[position] == 0xFF && bytes[position + 1] == 0xFF)
            {
                position++;
            }
            if (position + 1 >= bytes.Length)
            {
                // Some writers leave out the end marker; the scans say for themselves whether they are whole.
                End = bytes.Length;
                return;
            }
            if (bytes[position] != 0xFF)
            {
                throw Damaged("a marker is missing");
            }
            var marker = bytes[position + 1];
            position += 2;
            if (marker == JpegMarker.EndOfImage)
            {
                End = position;
                return;
            }
            if (JpegMarker.IsBare(marker) || marker == 0)
            {
                throw Damaged("a marker is in the wrong place");
            }
            var length = position + 2 <= bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(bytes[position..]) : 0;
            if (length < 2 || position + length > bytes.Length)
            {
                throw Damaged("a marker segment has a wrong length");
            }
            var content = bytes.Slice(position + 2, length - 2);
            position += length;
            segments.Add(new JpegSegment(marker, start..position));
            ReadSegment(marker, content, check);
            if (marker == JpegMarker.StartOfScan)
            {
                var end = FindEntropyEnd(bytes, position);
                AddScan(content, position..end);
                position = end;
            }
        }
    }

    private void ReadSegment(byte marker, ReadOnlySpan<byte> content, Action<JpegFrameHeader> check)
    {
        if (JpegMarker.IsStartOfFrame(marker))
        {
            if (header is not null)
            {
                throw Damaged("it has two frame headers");
            }
            header = JpegFrameHeader.Read(marker, content);
            check(header);
            return;
        }
        switch (marker)
        {
            case JpegMarker.DefineHuffmanTables:
                ReadHuffmanTables(content);
                break;
            case JpegMarker.DefineQuantizationTables:
                ReadQuantizationTables(content);
                break;
            case JpegMarker.DefineRestartInterval:
                restartInterval = content.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(content) : throw Damaged("its restart interval is damaged");
                break;
            case JpegMarker.DefineNumberOfLines:
                throw new UnsupportedInstanceException("The JPEG frames state their height behind the picture (DNL), which is not supported.");
            case JpegMarker.App0 when content.StartsWith("JFIF\0"u8):
                IsJfif = true;
                break;
            case JpegMarker.App14 when content.StartsWith("Adobe"u8) && content.Length >= 12:
                AdobeTransform = content[11];
                break;
        }
    }

    private void ReadHuffmanTables(ReadOnlySpan<byte> content)
    {
        while (content.Length > 0)
        {
            if (content.Length < 17)
            {
                throw Damaged("a Huffman table is truncated");
            }
            var selector = content[0];
            var counts = content.Slice(1, 16);
            var total = 0;
            foreach (var count in counts)
            {
                total += count;
            }
            if ((selector & 0xEC) != 0 || total > 256 || content.Length < 17 + total)
            {
                throw Damaged("a Huffman table is damaged");
            }
            var definition = new JpegHuffmanDefinition(segments[^1], selector, new HuffmanTable(counts, content.Slice(17, total)));
            definitions.Add(definition);
            huffman[selector] = definition;
            content = content[(17 + total)..];
        }
    }

    private void ReadQuantizationTables(ReadOnlySpan<byte> content)
    {
        while (content.Length > 0)
        {
            var isWide = content[0] >> 4 == 1;
            var size = isWide ? 129 : 65;
            if (content[0] >> 4 > 1 || (content[0] & 15) > 3 || content.Length < size)
            {
                throw Damaged("a quantization table is damaged");
            }
            dcQuantizers[content[0] & 15] = isWide ? BinaryPrimitives.ReadUInt16BigEndian(content[1..]) : content[1];
            content = content[size..];
        }
    }

    private void AddScan(ReadOnlySpan<byte> content, Range entropy)
    {
        var frame = header ?? throw Damaged("a scan comes before the frame header");
        if (content.Length < 1 || content[0] is < 1 or > 4 || content.Length < 4 + (2 * content[0]))
        {
            throw Damaged("a scan header is damaged");
        }
        var components = new JpegScanComponent[content[0]];
        for (var i = 0; i < components.Length; i++)
        {
            var id = content[1 + (2 * i)];
            var tables = content[2 + (2 * i)];
            var index = 0;
            while (index < frame.Components.Count && frame.Components[index].Id != id)
            {
                index++;
            }
            if (index == frame.Components.Count || (tables & 0xCC) != 0 || components.Take(i).Any(earlier => earlier.Index >= index))
            {
                throw Damaged("a scan header is damaged");
            }
            components[i] = new JpegScanComponent(
                index, huffman[tables >> 4], huffman[0x10 | (tables & 15)], frame.Components[index].QuantizationTable <= 3 ? dcQuantizers[frame.Components[index].QuantizationTable] : 0);
        }
        var parameters = content[(1 + (2 * components.Length))..];
        scans.Add(new JpegScan
        {
            Components = components,
            SpectralStart = parameters[0],
            SpectralEnd = parameters[1],
            ApproximationHigh = parameters[2] >> 4,
            ApproximationLow = parameters[2] & 15,
            RestartInterval = restartInterval,
            Entropy = entropy,
        });
        if (scans.Count > 512)
        {
            throw Damaged("it has more scans than any encoder writes");
        }
    }

    /// <summary>The first marker that is no restart marker, fill bytes before it included.</summary>
    private static int FindEntropyEnd(ReadOnlySpan<byte> bytes, int start)
    {
        for (var position = start; ; position += 2)
        {
            var next = bytes[position..].IndexOf((byte)0xFF);
            if (next < 0 || position + next + 1 >= bytes.Length)
            {
                return next < 0 ? bytes.Length : position + next;
            }
            position += next;
            if (bytes[position + 1] == 0xFF)
            {
                position--;
                continue;
            }
            if (bytes[position + 1] != 0 && !JpegMarker.IsRestart(bytes[position + 1]))
            {
                while (position > start && bytes[position - 1] == 0xFF)
                {
                    position--;
                }
                return position;
            }
        }
    }

    private static DicomFormatException Damaged(string how) => new($"A JPEG frame is damaged: {how}.");
}
