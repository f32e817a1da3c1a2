using System.Buffers.Binary;
using Sidecar.Dicom.Codecs;

namespace Sidecar.Dicom.Files;

/// <summary>The file meta information (PS3.10 7.1) as far as it is needed: the transfer syntax, and where the data set starts.</summary>
public sealed record FileMeta(string TransferSyntaxUid, long DatasetStart)
{
    private const int PreambleLength = 128;

    /// <summary>Group 0010 holds the patient; no data set starts behind it.</summary>
    private const int MaxFirstGroup = 0x10;

    private DicomElement? syntaxElement;
    private DicomElement? groupLength;

    /// <summary>PS3.5 A.1 to A.5: everything but two syntaxes is explicit VR little endian.</summary>
    public DatasetEncoding DatasetEncoding => TransferSyntaxUid switch
    {
        TransferSyntaxUids.ImplicitLittleEndian => DatasetEncoding.ImplicitLittleEndian,
        TransferSyntaxUids.ExplicitBigEndian => DatasetEncoding.ExplicitBigEndian,
        _ => DatasetEncoding.ExplicitLittleEndian,
    };

    /// <summary>
    /// Whether the file names no transfer syntax, so that <see cref="TransferSyntaxUid"/> is the native one its first element is written in. Files older
    /// than PS3.10 are so, and what some software keeps of network transfers.
    /// </summary>
    public bool IsAssumed { get; private init; }

    /// <summary>Reads the group 0002 elements at the start of a file, with or without the preamble before them. Where there are none, the data set speaks for itself.</summary>
    /// <exception cref="DicomFormatException">The stream is no DICOM file, or says nothing clear about its transfer syntax; with the reason.</exception>
    public static FileMeta Read(Stream stream)
    {
        if (stream.Length == 0)
        {
            throw new DicomFormatException("The file is empty.");
        }
        var head = new byte[PreambleLength + 4];
        var hasPreamble = ReadAt(stream, 0, head) == head.Length && head.AsSpan(PreambleLength).SequenceEqual("DICM"u8);
        var start = hasPreamble ? head.Length : 0;
        var elements = new DatasetParser(stream).ParseFileMeta(start);
        var syntax = elements.Find(element => element.Tag == DicomTag.TransferSyntaxUID);
        if (elements.Count(element => element.Tag == DicomTag.TransferSyntaxUID) > 1)
        {
            // Readers disagree on which one counts (fo-dicom's GH1376 is such a file), and so would they on the masked pixels.
            throw new DicomFormatException("The file meta information stands twice, so the transfer syntax is in doubt. Repair the file first.");
        }
        var datasetStart = elements.Count > 0 ? elements[^1].End : start;
        if (syntax is null || syntax.ValueLength == 0)
        {
            return new FileMeta(AssumeTransferSyntax(stream, datasetStart, isDicom: hasPreamble || elements.Count > 0), datasetStart) { IsAssumed = true };
        }
        if (syntax.ValueLength > 66)
        {
            throw new DicomFormatException("The Transfer Syntax UID in the file meta information is damaged, so the data set cannot be read.");
        }
        var uid = new byte[syntax.ValueLength];
        stream.Position = syntax.ValueStart;
        stream.ReadExactly(uid);
        return new FileMeta(System.Text.Encoding.Latin1.GetString(uid).Trim(' ', '\0'), datasetStart)
        {
            syntaxElement = syntax,
            groupLength = elements.Find(element => element.Tag == DicomTag.FileMetaInformationGroupLength && element.ValueLength == 4),
        };
    }

    /// <summary>Replaces the transfer syntax and repairs the group's length.</summary>
    internal void PlanTransferSyntax(FileEdits edits, string uid)
    {
        // PS3.5 9.1: a UID is padded with a zero byte.
        var value = System.Text.Encoding.ASCII.GetBytes(uid.Length % 2 == 0 ? uid : uid + '\0');
        var writer = new ElementWriter(DatasetEncoding.ExplicitLittleEndian);
        edits.Replace(syntaxElement!.Start, syntaxElement.End, writer.Element(DicomTag.TransferSyntaxUID, "UI", value));
        if (groupLength is not null)
        {
            var length = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)(DatasetStart - groupLength.End + value.Length - syntaxElement.ValueLength));
            edits.Replace(groupLength.ValueStart, groupLength.ValueEnd, length);
        }
    }

    /// <summary>
    /// The first element tells byte order and VR, as data sets start with a low group. Implicit VR big endian, which ACR-NEMA allowed, leaves the order of
    /// 8-bit pixels open and is not read.
    /// </summary>
    private static string AssumeTransferSyntax(Stream stream, long start, bool isDicom)
    {
        var head = new byte[8];
        if (ReadAt(stream, start, head) == head.Length)
        {
            var isExplicit = new Vr((ushort)((head[4] << 8) | head[5])).IsKnown;
            if (head[1] == 0 && head[0] is > 0 and <= MaxFirstGroup)
            {
                if (isExplicit)
                {
                    return TransferSyntaxUids.ExplicitLittleEndian;
                }
                if (BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4)) is var length && (length == uint.MaxValue || length <= stream.Length - start - head.Length))
                {
                    return TransferSyntaxUids.ImplicitLittleEndian;
                }
            }
            if (head[0] == 0 && head[1] is > 0 and <= MaxFirstGroup && isExplicit)
            {
                return TransferSyntaxUids.ExplicitBigEndian;
            }
        }
        throw new DicomFormatException(isDicom
            ? "The file names no transfer syntax, and its data set is not written in one that can be told by itself."
            : "This is not a DICOM file: the DICM prefix is missing at byte 128, and it does not start with a data set either.");
    }

    private static int ReadAt(Stream stream, long position, byte[] bytes)
    {
        stream.Position = position;
        return stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
    }
}
