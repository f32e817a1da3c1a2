using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Masking;

/// <summary>
/// The attributes that change when pixels do (PS3.15 E.3.1, PS3.3 C.7.6.1). Everything is said once: masking the same instance again adds nothing.
/// SOP Instance UID and PatientIdentityRemoved stay: masking text is no full de-identification.
/// </summary>
internal static class AttributeEdits
{
    private const string Method = "Burned-in text masked: Clean Pixel Data Option";
    private const string Derivation = "Burned-in text was masked with black rectangles.";
    private const int MaxDerivationDescription = 1024;
    private const string SoftwareName = "Sidecar";

    /// <param name="file">The original.</param>
    /// <param name="edits">Where the changes are planned.</param>
    /// <param name="areSamplesKnown">Whether the masked pixels can be measured.</param>
    /// <param name="transcoding">What the pixels need the attributes to say; null where they stay.</param>
    public static void Plan(Part10File file, FileEdits edits, bool areSamplesKnown, Transcoding? transcoding)
    {
        var writer = new ElementWriter(file.Encoding);
        // People decided that what stays readable may stay: PS3.15 E.3.1 asks for NO then.
        if (file.ReadText(DicomTag.BurnedInAnnotation) != "NO")
        {
            edits.Set(DicomTag.BurnedInAnnotation, writer.Text(DicomTag.BurnedInAnnotation, "CS", "NO"));
        }
        PlanImageType(file, edits, writer);
        PlanDeidentificationMethod(file, edits, writer);
        PlanDerivationDescription(file, edits, writer);
        PlanItem(file, edits, DicomTag.DeidentificationMethodCodeSequence, IsCleanPixelData, CleanPixelData);
        PlanItem(file, edits, DicomTag.ContributingEquipmentSequence, IsThisSoftware, ThisSoftware);
        foreach (var tag in new[] { DicomTag.SmallestImagePixelValue, DicomTag.LargestImagePixelValue })
        {
            // What can be told after the pixels are written is corrected in place; other forms cannot be right and go.
            if (file.Find(tag) is { } extreme && (extreme.ValueLength != 2 || !areSamplesKnown))
            {
                edits.Remove(extreme);
            }
        }
        PlanRemovals(file.Elements, edits, depth: 0);
        // PS3.10 7.2: it has no significance. Padding is all alike; anything else may be what is left of another picture.
        if (file.ReadValue(DicomTag.DataSetTrailingPadding) is { } padding && padding.AsSpan().ContainsAnyExcept(padding[0]))
        {
            var element = file.Find(DicomTag.DataSetTrailingPadding)!;
            edits.Replace(element.ValueStart, element.ValueEnd, new byte[padding.Length]);
        }
        if (transcoding?.TransferSyntaxUid is { } transferSyntaxUid)
        {
            file.Meta.PlanTransferSyntax(edits, transferSyntaxUid);
        }
        if (transcoding?.PhotometricInterpretation is { } photometricInterpretation)
        {
            edits.Set(DicomTag.PhotometricInterpretation, writer.Text(DicomTag.PhotometricInterpretation, "CS", photometricInterpretation));
        }
    }

    /// <summary>The other places where the picture or its seal is: icons, nested pixel data, and signatures that no longer hold. At any depth.</summary>
    private static void PlanRemovals(IReadOnlyList<DicomElement> elements, FileEdits edits, int depth)
    {
        foreach (var element in elements)
        {
            if (element.Tag == DicomTag.IconImageSequence || element.Tag == DicomTag.DigitalSignaturesSequence || element.Tag == DicomTag.MACParametersSequence
                || (depth > 0 && (element.Tag.IsPixelData || element.Tag == DicomTag.ExtendedOffsetTable || element.Tag == DicomTag.ExtendedOffsetTableLengths)))
            {
                edits.Remove(element);
                continue;
            }
            foreach (var item in element.Items ?? [])
            {
                PlanRemovals(item.Elements, edits, depth + 1);
            }
        }
    }

    /// <summary>PS3.3 C.7.6.1.1.2: value 1 is DERIVED once pixel values were changed. An absent Image Type says nothing wrong and stays absent.</summary>
    private static void PlanImageType(Part10File file, FileEdits edits, ElementWriter writer)
    {
        if (file.ReadText(DicomTag.ImageType) is not { } text)
        {
            return;
        }
        var values = text.Split('\\');
        if (values[0].Trim() != "DERIVED")
        {
            values[0] = "DERIVED";
            edits.Set(DicomTag.ImageType, writer.Text(DicomTag.ImageType, "CS", string.Join('\\', values)));
        }
    }

    private static void PlanDeidentificationMethod(Part10File file, FileEdits edits, ElementWriter writer)
    {
        var text = file.ReadText(DicomTag.DeidentificationMethod);
        if (text is null || !text.Split('\\').Any(value => value.Trim() == Method))
        {
            var all = text is null ? Method : text + '\\' + Method;
            edits.Set(DicomTag.DeidentificationMethod, writer.Text(DicomTag.DeidentificationMethod, "LO", all));
        }
    }

    private static void PlanDerivationDescription(Part10File file, FileEdits edits, ElementWriter writer)
    {
        var text = file.ReadText(DicomTag.DerivationDescription);
        var all = text is null ? Derivation : text.Contains(Derivation, StringComparison.Ordinal) ? null : text + "; " + Derivation;
        // What others wrote about the image is not cut to make room; DeidentificationMethod tells the rest.
        if (all is { Length: <= MaxDerivationDescription })
        {
            edits.Set(DicomTag.DerivationDescription, writer.Text(DicomTag.DerivationDescription, "ST", all));
        }
    }

    private static void PlanItem(
        Part10File file, FileEdits edits, DicomTag tag, Func<Part10File, DicomItem, bool> isThere, Func<ElementWriter, byte[]> build)
    {
        if (file.Find(tag) is { Items: { } items } sequence)
        {
            if (!items.Any(item => isThere(file, item)))
            {
                edits.AppendItem(sequence, build(new ElementWriter(sequence.ItemEncoding!)));
            }
            return;
        }
        var writer = new ElementWriter(file.Encoding);
        edits.Set(tag, writer.Sequence(tag, build(writer)));
    }

    private static byte[] CleanPixelData(ElementWriter writer) => Code(writer, "113101", "Clean Pixel Data Option");

    private static bool IsCleanPixelData(Part10File file, DicomItem item) => Is(file, item, DicomTag.CodeValue, "113101");

    private static byte[] ThisSoftware(ElementWriter writer) => writer.Item(
        writer.Text(DicomTag.Manufacturer, "LO", "Sidecar contributors"),
        writer.Text(DicomTag.ManufacturerModelName, "LO", SoftwareName),
        writer.Text(DicomTag.SoftwareVersions, "LO", typeof(AttributeEdits).Assembly.GetName().Version!.ToString(3)),
        writer.Text(DicomTag.ContributionDescription, "ST", Derivation),
        writer.Sequence(DicomTag.PurposeOfReferenceCodeSequence, Code(writer, "109104", "De-identifying Equipment")));

    private static bool IsThisSoftware(Part10File file, DicomItem item) =>
        Is(file, item, DicomTag.ManufacturerModelName, SoftwareName)
        && item.Elements.FirstOrDefault(element => element.Tag == DicomTag.PurposeOfReferenceCodeSequence) is { Items: { } purposes }
        && purposes.Any(purpose => Is(file, purpose, DicomTag.CodeValue, "109104"));

    private static byte[] Code(ElementWriter writer, string value, string meaning) => writer.Item(
        writer.Text(DicomTag.CodeValue, "SH", value),
        writer.Text(DicomTag.CodingSchemeDesignator, "SH", "DCM"),
        writer.Text(DicomTag.CodeMeaning, "LO", meaning));

    private static bool Is(Part10File file, DicomItem item, DicomTag tag, string text) =>
        item.Elements.FirstOrDefault(element => element.Tag == tag) is { } element && file.ReadText(element) == text;
}
