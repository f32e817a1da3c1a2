namespace Sidecar.Dicom.Files;

/// <summary>The file meta information (PS3.10 7.1) as far as it is needed: the transfer syntax, and where the data set starts.</summary>
public sealed record FileMeta(string TransferSyntaxUid, long DatasetStart)
{
    private const int PreambleLength = 128;
    private DicomElement? syntaxElement;
    private DicomElement? groupLength;

    /// <summary>PS3.5 A.1 to A.5: everything but two syntaxes is explicit VR little endian.</summary>
    public DatasetEncoding DatasetEncoding => TransferSyntaxUid switch
    {
        "1.2.840.10008.1.2" => DatasetEncoding.ImplicitLittleEndian,
        "1.2.840.10008.1.2.2" => DatasetEncoding.ExplicitBigEndian,
        _ => DatasetEncoding.ExplicitLittleEndian,
    };

    /// <exception cref="DicomFormatException">The stream is no Part 10 file, with the reason.</exception>
    public static FileMeta Read(Stream stream)
    {
        if (stream.Length == 0)
        {
            throw new DicomFormatException("The file is empty.");
        }
        var head = new byte[PreambleLength + 4];
        stream.Position = 0;
        var read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (read < head.Length || !head.AsSpan(PreambleLength).SequenceEqual("DICM"u8))
        {
            throw new DicomFormatException(LooksLikeBareDataset(head.AsSpan(0, read))
                ? "This is a DICOM data set without preamble and file meta information, so its transfer syntax is unknown. Convert it to a Part 10 file first."
                : "This is not a DICOM file: the DICM prefix is missing at byte 128.");
        }
        var elements = new DatasetParser(stream).ParseFileMeta(head.Length);
        var syntax = elements.Find(element => element.Tag == DicomTag.TransferSyntaxUID);
        if (elements.Count(element => element.Tag == DicomTag.TransferSyntaxUID) > 1)
        {
            // Readers disagree on which one counts (fo-dicom's GH1376 is such a file), and so would they on the masked pixels.
            throw new DicomFormatException("The file meta information stands twice, so the transfer syntax is in doubt. Repair the file first.");
        }
        if (syntax is null || syntax.ValueLength is 0 or > 66)
        {
            throw new DicomFormatException("The file meta information has no Transfer Syntax UID, so the data set cannot be read.");
        }
        var uid = new byte[syntax.ValueLength];
        stream.Position = syntax.ValueStart;
        stream.ReadExactly(uid);
        var start = elements[^1].End;
        return new FileMeta(System.Text.Encoding.Latin1.GetString(uid).Trim(' ', '\0'), start)
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
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)(DatasetStart - groupLength.End + value.Length - syntaxElement.ValueLength));
            edits.Replace(groupLength.ValueStart, groupLength.ValueEnd, length);
        }
    }

    private static bool LooksLikeBareDataset(ReadOnlySpan<byte> head) =>
        head.Length >= 8 && (head[0] is 2 or 8 && head[1] == 0 || head[0] == 0 && head[1] is 2 or 8);
}
