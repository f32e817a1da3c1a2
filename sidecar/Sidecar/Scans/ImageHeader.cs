using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;

namespace Sidecar.Scans;

/// <summary>Attributes that say which images are alike. Null where absent.</summary>
internal sealed record ImageHeader(int? Rows, int? Columns, string? Modality, string? Manufacturer, string? Model, string? Station, string? Photometric, string? SopClass)
{
    private static readonly DicomTag SopClassUid = new(0x00080016);
    private static readonly DicomTag ModalityTag = new(0x00080060);
    private static readonly DicomTag StationName = new(0x00081010);
    private static readonly DicomTag EncapsulatedDocument = new(0x00420011);

    /// <summary>There are neither pixels nor a document: nothing that text could be burned into.</summary>
    public bool HoldsNoImage { get; private init; }

    /// <summary>Reads the header of a file; null where it cannot be read here (damaged, or deflated as a whole).</summary>
    /// <param name="stream">Seekable; left somewhere.</param>
    public static ImageHeader? Read(Stream stream)
    {
        try
        {
            var meta = FileMeta.Read(stream);
            if (meta.TransferSyntaxUid == TransferSyntaxUids.DeflatedExplicitLittleEndian)
            {
                return null;
            }

            var file = Part10File.Read(stream, meta);
            return new ImageHeader(
                Number(file, DicomTag.Rows),
                Number(file, DicomTag.Columns),
                Text(file, ModalityTag),
                Text(file, DicomTag.Manufacturer),
                Text(file, DicomTag.ManufacturerModelName),
                Text(file, StationName),
                Text(file, DicomTag.PhotometricInterpretation),
                Text(file, SopClassUid))
            {
                HoldsNoImage = file.Find(EncapsulatedDocument) is null && !file.Elements.Any(e => e.Tag.IsPixelData) && file.Find(DicomTag.Rows) is null,
            };
        }
        catch (DicomFormatException)
        {
            return null; // the scanner says what is wrong with it
        }
    }

    private static int? Number(Part10File file, DicomTag tag) => file.ReadUInt16(tag);

    // These name devices and kinds of images; PS3.5 6.2 allows them 64 characters.
    private static string? Text(Part10File file, DicomTag tag) =>
        file.Find(tag) is { ValueLength: > 0 and <= 256 } element && file.ReadText(element)?.Split('\\')[0].Trim() is { Length: > 0 } text ? text.Replace("\0", "", StringComparison.Ordinal) : null;
}
