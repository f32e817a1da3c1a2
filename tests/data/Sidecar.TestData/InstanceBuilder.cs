using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Sidecar.TestData;

/// <summary>What the offset tables of encapsulated Pixel Data hold (PS3.5 A.4).</summary>
public enum OffsetTable
{
    Empty,
    Basic,
    Extended,
}

/// <summary>
/// Builds one DICOM Part 10 file, byte by byte the same in each run. A new builder makes a small valid 8-bit Secondary Capture; each method changes one
/// thing and the last call wins, so that anything the standard forbids can be built too.
/// </summary>
public sealed class InstanceBuilder
{
    private readonly DataSet _dataSet = new();
    private readonly DataSet _fileMeta = new();
    private readonly List<(int Bit, Func<int, int, int, bool> IsSet)> _highBits = [];
    private PixelFormat? _format;
    private IReadOnlyList<SampleFrame> _frames = [];
    private IReadOnlyList<IReadOnlyList<byte[]>>? _fragments;
    private string _transferSyntax = TransferSyntaxes.ExplicitLittleEndian;
    private OffsetTable _offsetTable;
    private string _eightBitVr = "OB";
    private bool _padOddValues = true;
    private bool _preamble = true;
    private bool _meta = true;
    private byte[] _tail = [];

    public InstanceBuilder(string seed = "instance")
    {
        Sop(SopClasses.SecondaryCapture).Identify(Uids.From(seed + "/study"), Uids.From(seed + "/series"), Uids.From(seed));
        Set(Tags.Modality, "OT").Set(Tags.PatientName, "TEST^PATIENT").Set(Tags.PatientID, "TEST-1").Set(Tags.StudyDate, "20260314");
        var format = PixelFormat.Grey(64, 48);
        Image(format, SampleFrame.Noise(format));
    }

    public InstanceBuilder Sop(string sopClassUid) => Set(Tags.SOPClassUID, sopClassUid);

    public InstanceBuilder Identify(string studyInstanceUid, string seriesInstanceUid, string sopInstanceUid) =>
        Set(Tags.StudyInstanceUID, studyInstanceUid).Set(Tags.SeriesInstanceUID, seriesInstanceUid).Set(Tags.SOPInstanceUID, sopInstanceUid);

    public InstanceBuilder Syntax(string transferSyntaxUid)
    {
        _transferSyntax = transferSyntaxUid;
        return this;
    }

    public InstanceBuilder Set(AttributeTag attribute, params object[] values) => Set(attribute.Tag, attribute.Vr, values);

    /// <inheritdoc cref="DataSet.Set(uint, string, object[])"/>
    public InstanceBuilder Set(uint tag, string vr, params object[] values)
    {
        _dataSet.Set(tag, vr, values);
        return this;
    }

    public InstanceBuilder Remove(AttributeTag attribute)
    {
        _dataSet.Remove(attribute.Tag);
        return this;
    }

    public InstanceBuilder Sequence(AttributeTag attribute, SequenceLength length, params DataSet[] items) => Sequence(attribute.Tag, length, items);

    public InstanceBuilder Sequence(uint tag, SequenceLength length, params DataSet[] items)
    {
        _dataSet.Sequence(tag, length, items);
        return this;
    }

    /// <summary>A private block with one element in it: the creator at (gggg,0010), the value at (gggg,1000 + <paramref name="offset"/>) (PS3.5 7.8).</summary>
    public InstanceBuilder Private(ushort group, string creator, byte offset, string vr, params object[] values)
    {
        Set(((uint)group << 16) | 0x0010, "LO", creator);
        return Set(((uint)group << 16) | 0x1000u | offset, vr, values);
    }

    /// <summary>A change of any attribute of the file meta information (group 0002).</summary>
    public InstanceBuilder FileMeta(uint tag, string vr, params object[] values)
    {
        _fileMeta.Set(tag, vr, values);
        return this;
    }

    /// <summary>Texts set after this are encoded so; the attribute is written as named.</summary>
    public InstanceBuilder Charset(string specificCharacterSet, Encoding encoding)
    {
        _dataSet.TextEncoding = encoding;
        return Set(Tags.SpecificCharacterSet, specificCharacterSet);
    }

    /// <summary>Sets the Image Pixel module's attributes from <paramref name="format"/> and keeps the frames for <see cref="Build"/>.</summary>
    public InstanceBuilder Image(PixelFormat format, params IReadOnlyList<SampleFrame> frames)
    {
        (_format, _frames, _fragments) = (format, frames, null);
        Set(Tags.SamplesPerPixel, format.SamplesPerPixel).Set(Tags.PhotometricInterpretation, format.PhotometricInterpretation);
        Set(Tags.Rows, format.Rows).Set(Tags.Columns, format.Columns);
        Set(Tags.BitsAllocated, format.BitsAllocated).Set(Tags.BitsStored, format.BitsStored).Set(Tags.HighBit, format.HighBit);
        Set(Tags.PixelRepresentation, format.IsSigned ? 1 : 0);
        Remove(Tags.PlanarConfiguration).Remove(Tags.NumberOfFrames);
        if (format.SamplesPerPixel > 1)
        {
            Set(Tags.PlanarConfiguration, format.PlanarConfiguration);
        }

        if (frames.Count > 1)
        {
            Set(Tags.NumberOfFrames, frames.Count);
        }

        format.Palette?.WriteTo(_dataSet);
        return this;
    }

    /// <summary>Takes frames that were compressed elsewhere, each as one or more fragments, instead of the frames given to <see cref="Image"/>.</summary>
    public InstanceBuilder Encapsulate(string transferSyntaxUid, IReadOnlyList<IReadOnlyList<byte[]>> fragmentsOfFrames, OffsetTable offsetTable = OffsetTable.Empty)
    {
        _fragments = fragmentsOfFrames;
        return Syntax(transferSyntaxUid).Offsets(offsetTable);
    }

    /// <summary>Which offset table RLE or given fragments are written with. Extended asks for one fragment a frame (PS3.3 C.7.6.3.1.8).</summary>
    public InstanceBuilder Offsets(OffsetTable offsetTable)
    {
        _offsetTable = offsetTable;
        return this;
    }

    /// <summary>An overlay plane with its own data (PS3.3 C.9.2). Its origin is 1-based, as stored.</summary>
    public InstanceBuilder Overlay(int index, int columns, int rows, Func<int, int, int, bool> isSet, int frames = 1, int originRow = 1, int originColumn = 1)
    {
        var group = (0x6000u + (2u * (uint)index)) << 16;
        var bits = new byte[((columns * rows * frames) + 7) / 8];
        for (var bit = 0; bit < columns * rows * frames; bit++)
        {
            var pixel = bit % (columns * rows);
            bits[bit / 8] |= (byte)(isSet(bit / (columns * rows), pixel % columns, pixel / columns) ? 1 << (bit % 8) : 0);
        }

        Set(group | 0x0010, "US", rows).Set(group | 0x0011, "US", columns).Set(group | 0x0040, "CS", "G");
        Set(group | 0x0050, "SS", originRow, originColumn).Set(group | 0x0100, "US", 1).Set(group | 0x0102, "US", 0);
        if (frames > 1)
        {
            Set(group | 0x0015, "IS", frames).Set(group | 0x0051, "US", 1);
        }

        return Set(group | 0x3000, "OW", bits);
    }

    /// <summary>An overlay plane in an unused bit of the pixels themselves (retired, PS3.3 C.9.2 note; the field is full of them).</summary>
    public InstanceBuilder OverlayInHighBit(int index, int bit, Func<int, int, int, bool> isSet)
    {
        var group = (0x6000u + (2u * (uint)index)) << 16;
        _highBits.Add((bit, isSet));
        Set(group | 0x0010, "US", _format!.Rows).Set(group | 0x0011, "US", _format.Columns).Set(group | 0x0040, "CS", "G");
        return Set(group | 0x0050, "SS", 1, 1).Set(group | 0x0100, "US", _format.BitsAllocated).Set(group | 0x0102, "US", bit);
    }

    /// <summary>An Icon Image Sequence (PS3.3 F.7) with one 8-bit grey icon.</summary>
    public InstanceBuilder Icon(int columns, int rows, SequenceLength length = SequenceLength.Defined)
    {
        var format = PixelFormat.Grey(columns, rows);
        var icon = new DataSet().Set(Tags.SamplesPerPixel, 1).Set(Tags.PhotometricInterpretation, "MONOCHROME2").Set(Tags.Rows, rows).Set(Tags.Columns, columns)
            .Set(Tags.BitsAllocated, 8).Set(Tags.BitsStored, 8).Set(Tags.HighBit, 7).Set(Tags.PixelRepresentation, 0)
            .Set(Tags.PixelData.Tag, "OW", PixelPacker.Pack(format, SampleFrame.Noise(format)[0], 0, []));
        return Sequence(Tags.IconImageSequence, length, icon);
    }

    /// <summary>Values of odd length are written as they are, which the standard forbids and files do.</summary>
    public InstanceBuilder OddLengths()
    {
        _padOddValues = false;
        return this;
    }

    /// <summary>Data Set Trailing Padding (FFFC,FFFC) of this many bytes.</summary>
    public InstanceBuilder TrailingPadding(int bytes) => Set(Tags.DataSetTrailingPadding, new byte[bytes]);

    /// <summary>Bytes after the end of the data set that belong to no element.</summary>
    public InstanceBuilder Append(byte[] tail)
    {
        _tail = tail;
        return this;
    }

    public InstanceBuilder WithoutPreamble()
    {
        _preamble = false;
        return this;
    }

    /// <summary>Neither preamble nor file meta information: a bare data set.</summary>
    public InstanceBuilder WithoutFileMeta()
    {
        (_preamble, _meta) = (false, false);
        return this;
    }

    public byte[] Build()
    {
        AddPixelData();
        using var file = new MemoryStream();
        if (_preamble)
        {
            file.Write(new byte[128]);
            file.Write("DICM"u8);
        }

        if (_meta)
        {
            WriteFileMeta(file);
        }

        using var body = new MemoryStream();
        new DataSetWriter(body, _transferSyntax != TransferSyntaxes.ImplicitLittleEndian, _transferSyntax == TransferSyntaxes.ExplicitBigEndian, _padOddValues)
            .Write(_dataSet);
        body.Write(_tail);
        var content = body.GetBuffer().AsSpan(0, (int)body.Length);
        if (_transferSyntax == TransferSyntaxes.DeflatedExplicitLittleEndian)
        {
            using (var deflate = new DeflateStream(file, CompressionLevel.Optimal, leaveOpen: true))
            {
                deflate.Write(content);
            }

            // PS3.5 A.5: padded to an even length.
            if (file.Length % 2 != 0)
            {
                file.WriteByte(0);
            }
        }
        else
        {
            file.Write(content);
        }

        return file.ToArray();
    }

    private void AddPixelData()
    {
        if (_fragments is { } fragments)
        {
            AddFragments(fragments);
        }
        else if (_format is { } format && _frames.Count > 0)
        {
            if (_transferSyntax == TransferSyntaxes.RleLossless)
            {
                var interleaved = format with { PlanarConfiguration = 0 };
                var encoded = new byte[_frames.Count][];
                Parallel.For(0, encoded.Length, index => encoded[index] = RleEncoder.EncodeFrame(
                    PixelPacker.Pack(interleaved, _frames[index], index, _highBits), format.Columns, format.Rows, format.SamplesPerPixel, format.BitsAllocated / 8));
                AddFragments([.. encoded.Select(fragment => new[] { fragment })]);
                return;
            }

            var bytes = format.BitsAllocated == 1
                ? PixelPacker.PackBits(format, _frames)
                : PackFrames(format);

            // PS3.5 A.1 and A.2: OW in implicit VR; in explicit VR OB or OW for 8 bits or less, OW for more.
            // In big endian, readers (pydicom, gdcm) take 32-bit pixels as 32-bit numbers, not as pairs of OW words.
            var vr = format.BitsAllocated <= 8 && _transferSyntax != TransferSyntaxes.ImplicitLittleEndian ? _eightBitVr : "OW";
            _dataSet.Add(new Element(Tags.PixelData.Tag, vr, bytes) { SwapUnit = format.BitsAllocated == 32 ? 4 : null });
        }
    }

    private byte[] PackFrames(PixelFormat format)
    {
        using var bytes = new MemoryStream();
        for (var index = 0; index < _frames.Count; index++)
        {
            bytes.Write(PixelPacker.Pack(format, _frames[index], index, _highBits));
        }

        return bytes.ToArray();
    }

    /// <summary>Pixels of 8 bits or less as OW, two in a word, as PS3.5 A.2 allows; in big endian their bytes then change places.</summary>
    public InstanceBuilder EightBitPixelsAsWords()
    {
        _eightBitVr = "OW";
        return this;
    }

    private void AddFragments(IReadOnlyList<IReadOnlyList<byte[]>> fragmentsOfFrames)
    {
        var padded = fragmentsOfFrames.Select(frame => frame.Select(Even).ToArray()).ToArray();
        var offsets = new List<long>();
        var offset = 0L;
        foreach (var frame in padded)
        {
            offsets.Add(offset);
            offset += frame.Sum(fragment => 8L + fragment.Length);
        }

        var basic = new byte[_offsetTable == OffsetTable.Basic ? 4 * offsets.Count : 0];
        for (var index = 0; index < basic.Length / 4; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(basic.AsSpan(4 * index), (uint)offsets[index]);
        }

        if (_offsetTable == OffsetTable.Extended)
        {
            _dataSet.Set(0x7FE00001, "OV", [.. offsets.Cast<object>()]);

            // The lengths are those of the bit streams, before padding (PS3.3 C.7.6.3.1.9).
            _dataSet.Set(0x7FE00002, "OV", [.. fragmentsOfFrames.Select(frame => (object)frame.Single().LongLength)]);
        }

        _dataSet.Add(new Element(Tags.PixelData.Tag, "OB", []) { Fragments = [basic, .. padded.SelectMany(frame => frame)] });
    }

    private void WriteFileMeta(MemoryStream file)
    {
        var meta = new DataSet().Set(0x00020001, "OB", new byte[] { 0, 1 })
            .Set(0x00020002, "UI", _dataSet.Text(Tags.SOPClassUID) ?? "").Set(0x00020003, "UI", _dataSet.Text(Tags.SOPInstanceUID) ?? "")
            .Set(0x00020010, "UI", _transferSyntax).Set(0x00020012, "UI", Uids.From("Sidecar.TestData"))
            .Set(0x00020013, "SH", "SIDECAR_TESTDATA");
        foreach (var element in _fileMeta.Elements)
        {
            meta.Add(element);
        }

        using var content = new MemoryStream();
        new DataSetWriter(content, explicitVr: true, bigEndian: false, padOddValues: true).Write(meta);
        new DataSetWriter(file, explicitVr: true, bigEndian: false, padOddValues: true).Write(new DataSet().Set(0x00020000, "UL", content.Length));
        content.WriteTo(file);
    }

    private static byte[] Even(byte[] fragment) => fragment.Length % 2 == 0 ? fragment : [.. fragment, 0];
}
