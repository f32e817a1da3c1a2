namespace Sidecar.TestData;

/// <summary>An attribute's tag and the value representation PS3.6 gives it.</summary>
public readonly record struct AttributeTag(uint Tag, string Vr);

/// <summary>The attributes the builders set, by the standard's keywords (PS3.6).</summary>
public static class Tags
{
    public static readonly AttributeTag SpecificCharacterSet = new(0x00080005, "CS");
    public static readonly AttributeTag ImageType = new(0x00080008, "CS");
    public static readonly AttributeTag SOPClassUID = new(0x00080016, "UI");
    public static readonly AttributeTag SOPInstanceUID = new(0x00080018, "UI");
    public static readonly AttributeTag StudyDate = new(0x00080020, "DA");
    public static readonly AttributeTag SeriesDate = new(0x00080021, "DA");
    public static readonly AttributeTag AcquisitionDate = new(0x00080022, "DA");
    public static readonly AttributeTag ContentDate = new(0x00080023, "DA");
    public static readonly AttributeTag StudyTime = new(0x00080030, "TM");
    public static readonly AttributeTag SeriesTime = new(0x00080031, "TM");
    public static readonly AttributeTag ContentTime = new(0x00080033, "TM");
    public static readonly AttributeTag AccessionNumber = new(0x00080050, "SH");
    public static readonly AttributeTag Modality = new(0x00080060, "CS");
    public static readonly AttributeTag Manufacturer = new(0x00080070, "LO");
    public static readonly AttributeTag InstitutionName = new(0x00080080, "LO");
    public static readonly AttributeTag ReferringPhysicianName = new(0x00080090, "PN");
    public static readonly AttributeTag StudyDescription = new(0x00081030, "LO");
    public static readonly AttributeTag SeriesDescription = new(0x0008103E, "LO");
    public static readonly AttributeTag ManufacturerModelName = new(0x00081090, "LO");
    public static readonly AttributeTag DerivationDescription = new(0x00082111, "ST");
    public static readonly AttributeTag ReferencedImageSequence = new(0x00081140, "SQ");
    public static readonly AttributeTag ReferencedSOPClassUID = new(0x00081150, "UI");
    public static readonly AttributeTag ReferencedSOPInstanceUID = new(0x00081155, "UI");
    public static readonly AttributeTag PatientName = new(0x00100010, "PN");
    public static readonly AttributeTag PatientID = new(0x00100020, "LO");
    public static readonly AttributeTag PatientBirthDate = new(0x00100030, "DA");
    public static readonly AttributeTag PatientSex = new(0x00100040, "CS");
    public static readonly AttributeTag DeidentificationMethod = new(0x00120063, "LO");
    public static readonly AttributeTag BodyPartExamined = new(0x00180015, "CS");
    public static readonly AttributeTag CineRate = new(0x00180040, "IS");
    public static readonly AttributeTag SliceThickness = new(0x00180050, "DS");
    public static readonly AttributeTag KVP = new(0x00180060, "DS");
    public static readonly AttributeTag FrameTime = new(0x00181063, "DS");
    public static readonly AttributeTag ImagerPixelSpacing = new(0x00181164, "DS");
    public static readonly AttributeTag PatientPosition = new(0x00185100, "CS");
    public static readonly AttributeTag ViewPosition = new(0x00185101, "CS");
    public static readonly AttributeTag StudyInstanceUID = new(0x0020000D, "UI");
    public static readonly AttributeTag SeriesInstanceUID = new(0x0020000E, "UI");
    public static readonly AttributeTag StudyID = new(0x00200010, "SH");
    public static readonly AttributeTag SeriesNumber = new(0x00200011, "IS");
    public static readonly AttributeTag AcquisitionNumber = new(0x00200012, "IS");
    public static readonly AttributeTag InstanceNumber = new(0x00200013, "IS");
    public static readonly AttributeTag PatientOrientation = new(0x00200020, "CS");
    public static readonly AttributeTag ImagePositionPatient = new(0x00200032, "DS");
    public static readonly AttributeTag ImageOrientationPatient = new(0x00200037, "DS");
    public static readonly AttributeTag FrameOfReferenceUID = new(0x00200052, "UI");
    public static readonly AttributeTag PositionReferenceIndicator = new(0x00201040, "LO");
    public static readonly AttributeTag SliceLocation = new(0x00201041, "DS");
    public static readonly AttributeTag SamplesPerPixel = new(0x00280002, "US");
    public static readonly AttributeTag PhotometricInterpretation = new(0x00280004, "CS");
    public static readonly AttributeTag PlanarConfiguration = new(0x00280006, "US");
    public static readonly AttributeTag NumberOfFrames = new(0x00280008, "IS");
    public static readonly AttributeTag FrameIncrementPointer = new(0x00280009, "AT");
    public static readonly AttributeTag Rows = new(0x00280010, "US");
    public static readonly AttributeTag Columns = new(0x00280011, "US");
    public static readonly AttributeTag PixelSpacing = new(0x00280030, "DS");
    public static readonly AttributeTag BitsAllocated = new(0x00280100, "US");
    public static readonly AttributeTag BitsStored = new(0x00280101, "US");
    public static readonly AttributeTag HighBit = new(0x00280102, "US");
    public static readonly AttributeTag PixelRepresentation = new(0x00280103, "US");
    public static readonly AttributeTag BurnedInAnnotation = new(0x00280301, "CS");
    public static readonly AttributeTag WindowCenter = new(0x00281050, "DS");
    public static readonly AttributeTag WindowWidth = new(0x00281051, "DS");
    public static readonly AttributeTag RescaleIntercept = new(0x00281052, "DS");
    public static readonly AttributeTag RescaleSlope = new(0x00281053, "DS");
    public static readonly AttributeTag RescaleType = new(0x00281054, "LO");
    public static readonly AttributeTag LossyImageCompression = new(0x00282110, "CS");
    public static readonly AttributeTag IconImageSequence = new(0x00880200, "SQ");
    public static readonly AttributeTag DigitalSignaturesSequence = new(0xFFFAFFFA, "SQ");
    public static readonly AttributeTag PixelData = new(0x7FE00010, "OW");
    public static readonly AttributeTag DataSetTrailingPadding = new(0xFFFCFFFC, "OB");
}

/// <summary>Storage SOP classes (PS3.4 B.5).</summary>
public static class SopClasses
{
    public const string SecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
    public const string ComputedRadiography = "1.2.840.10008.5.1.4.1.1.1";
    public const string CT = "1.2.840.10008.5.1.4.1.1.2";
    public const string Ultrasound = "1.2.840.10008.5.1.4.1.1.6.1";
    public const string UltrasoundMultiFrame = "1.2.840.10008.5.1.4.1.1.3.1";
    public const string MultiFrameGrayscaleByteSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7.2";
    public const string MultiFrameGrayscaleWordSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7.3";
    public const string MultiFrameTrueColorSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7.4";
    public const string EncapsulatedPdf = "1.2.840.10008.5.1.4.1.1.104.1";
}

/// <summary>Transfer Syntax UIDs (PS3.6 A) that the builders write themselves. Any other UID goes with fragments made elsewhere.</summary>
public static class TransferSyntaxes
{
    public const string ImplicitLittleEndian = "1.2.840.10008.1.2";
    public const string ExplicitLittleEndian = "1.2.840.10008.1.2.1";
    public const string DeflatedExplicitLittleEndian = "1.2.840.10008.1.2.1.99";
    public const string ExplicitBigEndian = "1.2.840.10008.1.2.2";
    public const string RleLossless = "1.2.840.10008.1.2.5";
}
