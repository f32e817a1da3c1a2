namespace Sidecar.Dicom.Files;

/// <summary>A data element tag (PS3.5 7.1): the group in the high 16 bits, the element in the low ones, so that tags sort as the standard sorts them.</summary>
public readonly record struct DicomTag(uint Value)
{
    public static readonly DicomTag FileMetaInformationGroupLength = new(0x00020000);
    public static readonly DicomTag TransferSyntaxUID = new(0x00020010);
    public static readonly DicomTag ImageType = new(0x00080008);
    public static readonly DicomTag DerivationDescription = new(0x00082111);
    public static readonly DicomTag Manufacturer = new(0x00080070);
    public static readonly DicomTag ManufacturerModelName = new(0x00081090);
    public static readonly DicomTag CodeValue = new(0x00080100);
    public static readonly DicomTag CodingSchemeDesignator = new(0x00080102);
    public static readonly DicomTag CodeMeaning = new(0x00080104);
    public static readonly DicomTag DeidentificationMethod = new(0x00120063);
    public static readonly DicomTag DeidentificationMethodCodeSequence = new(0x00120064);
    public static readonly DicomTag SoftwareVersions = new(0x00181020);
    public static readonly DicomTag ContributingEquipmentSequence = new(0x0018A001);
    public static readonly DicomTag ContributionDescription = new(0x0018A003);
    public static readonly DicomTag SamplesPerPixel = new(0x00280002);
    public static readonly DicomTag PhotometricInterpretation = new(0x00280004);
    public static readonly DicomTag PlanarConfiguration = new(0x00280006);
    public static readonly DicomTag NumberOfFrames = new(0x00280008);
    public static readonly DicomTag Rows = new(0x00280010);
    public static readonly DicomTag Columns = new(0x00280011);
    public static readonly DicomTag BitsAllocated = new(0x00280100);
    public static readonly DicomTag BitsStored = new(0x00280101);
    public static readonly DicomTag HighBit = new(0x00280102);
    public static readonly DicomTag PixelRepresentation = new(0x00280103);
    public static readonly DicomTag SmallestImagePixelValue = new(0x00280106);
    public static readonly DicomTag LargestImagePixelValue = new(0x00280107);
    public static readonly DicomTag BurnedInAnnotation = new(0x00280301);
    public static readonly DicomTag PurposeOfReferenceCodeSequence = new(0x0040A170);
    public static readonly DicomTag IconImageSequence = new(0x00880200);
    public static readonly DicomTag MACParametersSequence = new(0x4FFE0001);
    public static readonly DicomTag ExtendedOffsetTable = new(0x7FE00001);
    public static readonly DicomTag ExtendedOffsetTableLengths = new(0x7FE00002);
    public static readonly DicomTag FloatPixelData = new(0x7FE00008);
    public static readonly DicomTag DoubleFloatPixelData = new(0x7FE00009);
    public static readonly DicomTag PixelData = new(0x7FE00010);
    public static readonly DicomTag DigitalSignaturesSequence = new(0xFFFAFFFA);
    public static readonly DicomTag DataSetTrailingPadding = new(0xFFFCFFFC);
    internal static readonly DicomTag Item = new(0xFFFEE000);
    internal static readonly DicomTag ItemDelimitation = new(0xFFFEE00D);
    internal static readonly DicomTag SequenceDelimitation = new(0xFFFEE0DD);

    public DicomTag(ushort group, ushort element)
        : this(((uint)group << 16) | element)
    {
    }

    public ushort Group => (ushort)(Value >> 16);

    public ushort Element => (ushort)Value;

    /// <summary>Whether the element holds the image itself (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25).</summary>
    public bool IsPixelData => this == PixelData || this == FloatPixelData || this == DoubleFloatPixelData;

    public override string ToString() => $"({Group:X4},{Element:X4})";
}
