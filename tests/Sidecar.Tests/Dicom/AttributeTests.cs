using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>What changes beside the pixels, and that nothing else does.</summary>
public sealed class AttributeTests
{
    private const string Method = "Burned-in text masked: Clean Pixel Data Option";
    private static readonly Mask Corner = MaskerCalls.Mask(0, 0, 20, 6);

    private static readonly DataSet OtherMethod =
        new DataSet().Set(0x00080100, "SH", "113100").Set(0x00080102, "SH", "DCM").Set(0x00080104, "LO", "Basic Application Confidentiality Profile");

    public static TheoryData<string, SequenceLength> Encodings()
    {
        var data = new TheoryData<string, SequenceLength>();
        foreach (var syntax in new[] { TransferSyntaxes.ImplicitLittleEndian, TransferSyntaxes.ExplicitLittleEndian, TransferSyntaxes.ExplicitBigEndian,
            TransferSyntaxes.DeflatedExplicitLittleEndian, TransferSyntaxes.RleLossless })
        {
            data.Add(syntax, SequenceLength.Defined);
            data.Add(syntax, SequenceLength.Undefined);
        }
        return data;
    }

    [Fact]
    public void BurnMasks_RichFile_ChangesOnlyWhatTheStandardAsks() => Oracle.InFolder(folder =>
    {
        var pairs = new List<Oracle.Pair>();
        foreach (var (syntax, length) in Encodings().Select(row => ((string)row[0], (SequenceLength)row[1])))
        {
            var (original, masked) = (Path.Combine(folder, $"{syntax}.{length}.original"), Path.Combine(folder, $"{syntax}.{length}.masked"));
            var file = Rich(length).Syntax(syntax).Build();
            File.WriteAllBytes(original, file);
            File.WriteAllBytes(masked, MaskerCalls.Masked(file, Corner));
            // The private sequence loses the icon inside of it, as it must.
            pairs.Add(new Oracle.Pair(original, masked, [[0, 0, 20, 6]], "(0011,1010)"));
        }
        foreach (var judgement in Oracle.Compare(pairs))
        {
            Assert.Equal("[]", judgement.GetProperty("problems").GetRawText());
            Assert.Equal(
                ["ImageType", "DerivationDescription", "(0011,1010)", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "PixelData"],
                Names(judgement, "changedAttributes"));
            Assert.Equal(["ContributingEquipmentSequence", "BurnedInAnnotation"], Names(judgement, "addedAttributes"));
            Assert.Equal(["IconImageSequence", "DigitalSignaturesSequence"], Names(judgement, "removedAttributes"));
        }
        return pairs.Count;
    });

    [Theory]
    [MemberData(nameof(Encodings))]
    public void BurnMasks_SecondTime_ChangesNothingButPixels(string syntax, SequenceLength length)
    {
        var once = MaskerCalls.Masked(Rich(length).Syntax(syntax).Build(), Corner);

        var twice = MaskerCalls.Masked(once, Corner);

        Assert.Equal(once, twice);
    }

    [Fact]
    public void BurnMasks_AnotherRegion_LeavesEveryByteOutsideOfPixelDataAlone()
    {
        var once = MaskerCalls.Masked(Rich(SequenceLength.Undefined).OddLengths().TrailingPadding(31).Append([0, 0, 0, 0]).Build(), Corner);

        var twice = MaskerCalls.Masked(once, MaskerCalls.Mask(30, 30, 3, 3));

        var pixels = Index(once).Find(DicomTag.PixelData)!;
        var changed = Enumerable.Range(0, once.Length).Where(at => once[at] != twice[at]).ToList();
        Assert.Equal(once.Length, twice.Length);
        Assert.NotEmpty(changed);
        Assert.All(changed, at => Assert.InRange(at, pixels.ValueStart, pixels.ValueEnd - 1));
    }

    [Fact]
    public void BurnMasks_NothingSaidBefore_SaysItOnce()
    {
        var result = Index(MaskerCalls.Masked(new InstanceBuilder().Build(), Corner));

        Assert.Equal("NO", result.ReadText(DicomTag.BurnedInAnnotation));
        Assert.Equal(Method, result.ReadText(DicomTag.DeidentificationMethod));
        Assert.Equal("Burned-in text was masked with black rectangles.", result.ReadText(DicomTag.DerivationDescription));
        Assert.Null(result.Find(DicomTag.ImageType));
        Assert.Single(result.Find(DicomTag.DeidentificationMethodCodeSequence)!.Items!);
        Assert.Single(result.Find(DicomTag.ContributingEquipmentSequence)!.Items!);
    }

    [Fact]
    public void BurnMasks_OtherMethodsBefore_KeepsThemAndAppends()
    {
        var result = Index(MaskerCalls.Masked(Rich(SequenceLength.Defined).Build(), Corner));

        Assert.Equal($"Names removed\\{Method}", result.ReadText(DicomTag.DeidentificationMethod));
        Assert.Equal("  Cropped.; Burned-in text was masked with black rectangles.", result.ReadText(DicomTag.DerivationDescription));
        Assert.Equal(@"DERIVED\SECONDARY", result.ReadText(DicomTag.ImageType));
        Assert.Equal(2, result.Find(DicomTag.DeidentificationMethodCodeSequence)!.Items!.Count);
    }

    [Fact]
    public void BurnMasks_LongDerivationDescription_IsNotCut()
    {
        var result = Index(MaskerCalls.Masked(new InstanceBuilder().Set(Tags.DerivationDescription, new string('x', 1000)).Build(), Corner));

        Assert.Equal(new string('x', 1000), result.ReadText(DicomTag.DerivationDescription));
    }

    [Fact]
    public void BurnMasks_JapaneseText_KeepsItsBytes()
    {
        // A double-byte text whose last byte is 0x5C would read as a separator to a careless splitter.
        var existing = new byte[] { 0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42 };
        var file = new InstanceBuilder().Set(Tags.SpecificCharacterSet, @"\ISO 2022 IR 87").Set(Tags.DeidentificationMethod.Tag, "LO", existing).Build();

        var value = Index(MaskerCalls.Masked(file, Corner)).ReadValue(DicomTag.DeidentificationMethod)!;

        Assert.Equal([.. existing, .. Encoding.ASCII.GetBytes('\\' + Method)], value.Take(existing.Length + 1 + Method.Length));
    }

    [Fact]
    public void BurnMasks_IconsAtEveryDepth_AreRemovedAndLengthsRepaired()
    {
        var icon = new DataSet().Set(0x00280010, "US", 1).Set(Tags.PixelData.Tag, "OW", [1, 2, 3, 4]);
        foreach (var (outer, inner) in new[] { (SequenceLength.Defined, SequenceLength.Undefined), (SequenceLength.Undefined, SequenceLength.Defined), (SequenceLength.Defined, SequenceLength.Defined) })
        {
            var nested = new DataSet().Set(Tags.StudyID, "KEPT").Sequence(Tags.IconImageSequence, inner, icon);
            var file = new InstanceBuilder().Sequence(Tags.ReferencedImageSequence, outer, new DataSet().Sequence(Tags.ReferencedImageSequence, inner, nested)).Build();

            var dump = Oracle.Dump(MaskerCalls.Masked(file, Corner));

            Assert.DoesNotContain("(0088,0200)", dump, StringComparison.Ordinal);
            Assert.Contains("[KEPT]", dump, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void BurnMasks_IconHiddenUnderUn_IsRemoved()
    {
        // A sequence kept as UN by software that did not know it: implicit VR inside (PS3.5 6.2.2 note 2).
        byte[] icon = [0x88, 0x00, 0x00, 0x02, 8, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0];
        byte[] item = [0xFE, 0xFF, 0x00, 0xE0, (byte)icon.Length, 0, 0, 0, .. icon];
        var file = new InstanceBuilder().Private(0x0009, "MAKER", 0x01, "UN", item).Build();

        var value = Index(MaskerCalls.Masked(file, Corner)).ReadValue(new DicomTag(0x0009, 0x1001))!;

        Assert.Equal([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0], value);
    }

    [Fact]
    public void BurnMasks_PixelDataInsideAnItem_IsRemoved()
    {
        var nested = new DataSet().Set(Tags.StudyID, "KEPT").Set(Tags.PixelData.Tag, "OW", [1, 2, 3, 4]);
        var file = new InstanceBuilder().Sequence(Tags.ReferencedImageSequence, SequenceLength.Defined, nested).Build();

        var item = Assert.Single(Index(MaskerCalls.Masked(file, Corner)).Find(new DicomTag(Tags.ReferencedImageSequence.Tag))!.Items!);

        Assert.Equal(new DicomTag(Tags.StudyID.Tag), Assert.Single(item.Elements).Tag);
    }

    [Theory]
    [InlineData(TransferSyntaxes.ExplicitLittleEndian)]
    [InlineData(TransferSyntaxes.ExplicitBigEndian)]
    public void BurnMasks_Overlays_AreClearedUnderTheRegionInEveryFrame(string syntax)
    {
        // 16×8 bits per frame, its first bit over row 3, column 5 of the image: region 0,0,20,6 covers overlay columns 0–15 and rows 0–3.
        var file = new InstanceBuilder().Overlay(0, 16, 8, (_, _, _) => true, frames: 2, originRow: 3, originColumn: 5).Syntax(syntax).Build();

        var bits = Index(MaskerCalls.Masked(file, Corner)).ReadValue(new DicomTag(0x6000, 0x3000))!;

        byte[] frame = [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
        Assert.Equal([.. frame, .. frame], bits);
    }

    [Fact]
    public void BurnMasks_OverlayThatStartsOutsideOfTheImage_IsClearedWhereItCovers()
    {
        var file = new InstanceBuilder().Overlay(1, 8, 4, (_, _, _) => true, originRow: -1, originColumn: -3).Build();

        var bits = Index(MaskerCalls.Masked(file, MaskerCalls.Mask(0, 0, 2, 1))).ReadValue(new DicomTag(0x6002, 0x3000))!;

        // Image pixel 0,0 is overlay row 2, column 4.
        Assert.Equal([0xFF, 0xFF, 0b1100_1111, 0xFF], bits);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BurnMasks_OverlayInHighBits_IsClearedInsideOnly(bool isSigned)
    {
        var format = PixelFormat.Grey(32, 16, bitsStored: 12, isSigned: isSigned);
        var file = new InstanceBuilder().Image(format, SampleFrame.Noise(format)).OverlayInHighBit(0, 14, (_, _, _) => true).Build();

        var result = Index(MaskerCalls.Masked(file, MaskerCalls.Mask(4, 4, 8, 8))).ReadValue(DicomTag.PixelData)!;

        for (var pixel = 0; pixel < 32 * 16; pixel++)
        {
            var (x, y) = (pixel % 32, pixel / 32);
            var isInside = x is >= 4 and < 12 && y is >= 4 and < 12;
            Assert.Equal(isInside ? 0 : 1, (BinaryPrimitives.ReadUInt16LittleEndian(result.AsSpan(2 * pixel)) >> 14) & 1);
        }
    }

    [Theory]
    [InlineData(TransferSyntaxes.ExplicitBigEndian)]
    [InlineData(TransferSyntaxes.RleLossless)]
    [InlineData(TransferSyntaxes.DeflatedExplicitLittleEndian)]
    public void BurnMasks_ExtremesThatNoLongerHold_AreMeasuredAgain(string syntax)
    {
        var format = PixelFormat.Grey(16, 16, bitsStored: 12, isSigned: true);
        var frame = new SampleFrame(16, 16, 1);
        Array.Fill(frame.Samples, -5);
        frame[9, 9][0] = 700;
        frame[1, 1][0] = 900;
        var file = new InstanceBuilder().Image(format, frame).Syntax(syntax).Set(0x00280106, "SS", -5).Set(0x00280107, "SS", 900).Build();

        var masked = MaskerCalls.Masked(file, MaskerCalls.Mask(0, 0, 4, 4));

        var dump = Oracle.Dump(masked);
        Assert.Contains("(0028,0106) SS -2048 ", dump, StringComparison.Ordinal);
        Assert.Contains("(0028,0107) SS 700 ", dump, StringComparison.Ordinal);
    }

    [Fact]
    public void BurnMasks_GroupLengths_FollowTheirGroups()
    {
        var file = new InstanceBuilder().Syntax(TransferSyntaxes.RleLossless).Set(0x00280000, "UL", 1000).Set(0x00180000, "UL", 0)
            .Set(Tags.KVP, "100").Set(0x00080001, "UL", 5000).Set(0x7FE00000, "UL", 9000).Build();

        var masked = MaskerCalls.Masked(file, Corner);

        var (before, after) = (Index(file), Index(masked));
        Assert.Equal(1010u, ReadUInt32(after, 0x00280000));
        Assert.Equal((uint)after.Find(DicomTag.ContributingEquipmentSequence)!.End - (uint)after.Find(DicomTag.ContributingEquipmentSequence)!.Start, ReadUInt32(after, 0x00180000));
        Assert.Equal(5000u + (uint)(masked.Length - file.Length), ReadUInt32(after, 0x00080001));
        Assert.Equal(9000 + after.Find(DicomTag.PixelData)!.ValueLength - before.Find(DicomTag.PixelData)!.ValueLength, ReadUInt32(after, 0x7FE00000));
    }

    [Fact]
    public void BurnMasks_LengthsThatLookLikeNestedItems_StayOpaque()
    {
        byte[] almost = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0x00, 0x00, 0x00, 1, 2, 3, 4];
        var file = new InstanceBuilder().Private(0x0009, "MAKER", 0x01, "UN", almost).Build();

        Assert.Equal(almost, Index(MaskerCalls.Masked(file, Corner)).ReadValue(new DicomTag(0x0009, 0x1001)));
    }

    private static InstanceBuilder Rich(SequenceLength length) => new InstanceBuilder()
        .Set(Tags.ImageType, "ORIGINAL", "SECONDARY").Set(Tags.DerivationDescription, "  Cropped.").Set(Tags.DeidentificationMethod, "Names removed")
        .Sequence(0x00120064, length, OtherMethod)
        .Private(0x0011, "MAKER", 0x10, "SQ").Sequence(0x00111010, length, new DataSet().Set(Tags.StudyID, "1").Sequence(Tags.IconImageSequence, length, new DataSet().Set(Tags.Rows, 1)))
        .Private(0x0029, "OTHER", 0x20, "OB", new byte[] { 1, 2, 3 })
        .Sequence(Tags.ReferencedImageSequence, length, new DataSet().Set(Tags.ReferencedSOPClassUID, SopClasses.CT), new DataSet())
        .Icon(8, 8, length)
        .Sequence(Tags.DigitalSignaturesSequence, length, new DataSet().Set(Tags.StudyID, "2"));

    private static Part10File Index(byte[] file)
    {
        var stream = new MemoryStream(file, writable: false);
        return Part10File.Read(stream, FileMeta.Read(stream));
    }

    private static uint ReadUInt32(Part10File file, uint tag) => BinaryPrimitives.ReadUInt32LittleEndian(file.ReadValue(new DicomTag(tag)));

    private static IEnumerable<string> Names(JsonElement judgement, string property) => judgement.GetProperty(property).EnumerateArray().Select(name => name.GetString()!);
}
