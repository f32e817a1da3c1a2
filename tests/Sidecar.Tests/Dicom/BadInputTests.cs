using System.Buffers.Binary;
using System.Text;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>Files that lie, break off, or are something else: each gets one line that says so.</summary>
public sealed class BadInputTests
{
    private static readonly Mask Corner = MaskerCalls.Mask(0, 0, 5, 5);

    private static readonly Dictionary<string, (Func<byte[]> File, string Reason)> Files = new()
    {
        ["empty"] = (() => [], "The file is empty."),
        ["text"] = (() => Encoding.ASCII.GetBytes(new string('x', 500)), "not a DICOM file"),
        ["short"] = (() => [1, 2, 3], "not a DICOM file"),
        ["compressed, no meta"] = (() => new InstanceBuilder().Syntax(TransferSyntaxes.RleLossless).WithoutFileMeta().Build(), "nothing says how"),
        ["implicit big endian"] = (() => [0, 8, 0, 0x10, 0, 0, 0, 4, 1, 2, 3, 4], "does not start with a data set"),
        ["no transfer syntax, no data set"] = (() => [.. Surgery.Remove(new InstanceBuilder().Build(), 0x00020010)[..300], 0x99], "names no transfer syntax"),
        ["unknown syntax"] = (() => new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.3.4").Build(), "not known to this software"),
        ["meta twice"] = (() => TwiceMeta(new InstanceBuilder().Build()), "stands twice"),
        ["video"] = (() => new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.840.10008.1.2.4.102").Build(), "is video"),
        ["no pixel data"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(64, 48)).Build(), "no pixel data"),
        ["truncated"] = (() => new InstanceBuilder().Build()[..^10], "claims 3072 bytes, but 3062 are left"),
        ["truncated in a header"] = (() => new InstanceBuilder().Build()[..^3076], "in the middle of an element header"),
        ["46341×46341"] = (() => new InstanceBuilder().Set(Tags.Rows, 46341).Set(Tags.Columns, 46341).Build(), "MiB each"),
        ["65535 rows"] = (() => new InstanceBuilder().Set(Tags.Rows, 16384).Set(Tags.Columns, 65535).Build(), "too short"),
        ["65535 rows, RLE"] = (() => new InstanceBuilder().Syntax(TransferSyntaxes.RleLossless).Set(Tags.Rows, 16384).Set(Tags.Columns, 65535).Build(), "too short for the image size"),
        ["too many frames"] = (() => new InstanceBuilder().Set(Tags.NumberOfFrames, "2000000000").Build(), "claims 2000000000 frames"),
        ["more frames than fragments"] = (() => new InstanceBuilder().Syntax(TransferSyntaxes.RleLossless).Set(Tags.NumberOfFrames, "900000").Build(), "1 fragments for 900000 frames"),
        ["frames not a number"] = (() => new InstanceBuilder().Set(Tags.NumberOfFrames, "many").Build(), "NumberOfFrames is not a positive number"),
        ["fewer frames than pixels"] = (() => Image(PixelFormat.Grey(8, 8), 3).Set(Tags.NumberOfFrames, "2").Build(), "too long"),
        ["no rows"] = (() => new InstanceBuilder().Remove(Tags.Rows).Build(), "Rows (0028,0010) is missing"),
        ["zero columns"] = (() => new InstanceBuilder().Set(Tags.Columns, 0).Build(), "is empty"),
        ["no colour model"] = (() => Image(PixelFormat.Colour(8, 8), 1).Remove(Tags.PhotometricInterpretation).Build(), "black cannot be computed"),
        ["two sizes"] = (() => Surgery.InsertBefore(new InstanceBuilder().Build(), 0x00280011, [0x28, 0, 0x10, 0, (byte)'U', (byte)'S', 2, 0, 40, 0]), "stands twice with different values"),
        ["text for a number"] = (() => Surgery.Replace(new InstanceBuilder().Build(), 0x00280010, [0x28, 0, 0x10, 0, (byte)'I', (byte)'S', 2, 0, (byte)'a', (byte)'b']), "is no number"),
        ["item amid the data set"] = (() => Surgery.InsertBefore(new InstanceBuilder().Build(), 0x00280010, [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]), "outside of any sequence"),
        ["picture in a damaged sequence"] = (() => Surgery.InsertBefore(new InstanceBuilder().Build(), 0x00280002, [0x20, 0, 0x21, 0x92, (byte)'S', (byte)'Q', 0, 0, 12, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0, 9, 0, 0, 0, 0xE0, 0x7F, 0x10, 0]), "claims 9 bytes"),
        ["icon behind the end"] = (() => [.. new InstanceBuilder().Build(), 0x88, 0, 0, 2, (byte)'S', (byte)'Q', 0, 0, 99, 0, 0, 0, 1, 2, 3], "claims 99 bytes"),
        ["much behind the end"] = (() => [.. new InstanceBuilder().Build(), .. Enumerable.Repeat((byte)0xFE, 5000)], "damaged"),
        ["more frames than said"] = (() => new InstanceBuilder().Encapsulate("1.2.840.10008.1.2.4.50", [[[0xFF, 0xD8, 0xFF, 0xC0]], [[0xFF, 0xD8, 0xFF, 0xC0]]]).Build(), "holds 2 frames, but the header says 1"),
        ["offsets of more frames than said"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(8, 8), SampleFrame.Noise(PixelFormat.Grey(8, 8), 3)).Syntax(TransferSyntaxes.RleLossless).Offsets(OffsetTable.Basic).Set(Tags.NumberOfFrames, "1").Build(), "holds 3 frames, but the header says 1"),
        ["unknown colour model"] = (() => new InstanceBuilder().Set(Tags.PhotometricInterpretation, "CMYK").Build(), "CMYK is not supported"),
        ["three samples of grey"] = (() => new InstanceBuilder().Set(Tags.SamplesPerPixel, 3).Build(), "does not fit"),
        ["palette without palette"] = (() => new InstanceBuilder().Set(Tags.PhotometricInterpretation, "PALETTE COLOR").Build(), "has no palette"),
        ["stored more than allocated"] = (() => new InstanceBuilder().Set(Tags.BitsStored, 12).Build(), "contradict each other"),
        ["24 bits a sample"] = (() => new InstanceBuilder().Set(Tags.BitsAllocated, 24).Build(), "BitsAllocated 24 is not supported"),
        ["structured report"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(1, 1)).Sop("1.2.840.10008.5.1.4.1.1.88.33").Sequence(0x0040A730, SequenceLength.Undefined, new DataSet().Set(0x0040A040, "CS", "TEXT")).Build(), "no pixel data, so there is nothing to mask"),
        ["structure set"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(1, 1)).Sop("1.2.840.10008.5.1.4.1.1.481.3").Sequence(0x30060020, SequenceLength.Defined, new DataSet().Set(0x30060022, "IS", "1")).Build(), "no pixel data, so there is nothing to mask"),
        ["two JPEG images in a fragment"] = (() => Jpeg(code => [.. code, .. code]).Build(), "holds more than one image"),
        ["JPEG larger than the header says"] = (() => Jpeg(code => code).Set(Tags.Columns, 32).Build(), "A JPEG frame is 53×37 with 1 components"),
        ["JPEG of more samples than the header says"] = (() => Jpeg(code => code).Set(Tags.SamplesPerPixel, 3).Set(Tags.PhotometricInterpretation, "RGB").Build(), "A JPEG frame is 53×37 with 1 components"),
        ["JPEG-LS larger than the header says"] = (() => new InstanceBuilder().Encapsulate("1.2.840.10008.1.2.4.80", [[JpegLs(100, 90)]]).Build(), "100×90"),
        ["two RLE images in a fragment"] = (() => TwoRleFrames(), "more than the pixels of its frame"),
        ["rows of the wrong VR"] = (() => Surgery.Replace(new InstanceBuilder().Build(), 0x00280010, [0x28, 0, 0x10, 0, (byte)'U', (byte)'L', 4, 0, 0, 0, 2, 0]), "larger than its VR US allows"),
        ["46341×46341 in 9 KB"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(46341, 46341)).Set(Tags.PixelData.Tag, "OW", new byte[8800]).Build(), "46341×46341"),
        ["native declared RLE"] = (() => new InstanceBuilder().FileMeta(0x00020010, "UI", TransferSyntaxes.RleLossless).Build(), "not encapsulated"),
        ["RLE declared native"] = (() => new InstanceBuilder().Syntax(TransferSyntaxes.RleLossless).FileMeta(0x00020010, "UI", TransferSyntaxes.ExplicitLittleEndian).Build(), "they are encapsulated"),
        ["fragments in a native value"] = (() => new InstanceBuilder().Image(PixelFormat.Grey(4, 5)).Set(Tags.PixelData.Tag, "OB", FragmentsOfTwentyBytes()).Build(), "they are encapsulated"),
        ["deflate that does not inflate"] = (() => Garble(new InstanceBuilder().Syntax(TransferSyntaxes.DeflatedExplicitLittleEndian).Build()), "does not inflate"),
        ["RLE segments cut off"] = (() => new InstanceBuilder().Encapsulate(TransferSyntaxes.RleLossless, [[RleOf(1, new byte[120])]]).Build(), "ends before the last pixel"),
        ["RLE with too few segments"] = (() => new InstanceBuilder().Image(PixelFormat.Colour(4, 4)).Encapsulate(TransferSyntaxes.RleLossless, [[RleOf(15, new byte[100])]]).Build(), "3 segments"),
        ["RLE header missing"] = (() => new InstanceBuilder().Encapsulate(TransferSyntaxes.RleLossless, [[[1, 0, 0, 0]]]).Build(), "segments"),
        ["no fragment"] = (() => new InstanceBuilder().Encapsulate(TransferSyntaxes.RleLossless, []).Build(), "holds no frame"),
        ["sequences without end"] = (() => Surgery.InsertBefore(new InstanceBuilder().Build(), 0x7FE00010, Nested(100)), "deeper than 64 levels"),
        ["more elements than any image has"] = (() => Surgery.InsertBefore(new InstanceBuilder().Build(), 0x00280002, [.. Enumerable.Repeat<byte[]>([9, 0, 0x10, 0x10, (byte)'L', (byte)'O', 0, 0], 1_000_001).SelectMany(b => b)]), "more than 1000000 elements"),
        ["more fragments than any image has"] = (() => new InstanceBuilder().Encapsulate(TransferSyntaxes.RleLossless, [[.. Enumerable.Repeat<byte[]>([], 1_000_001)]]).Build(), "more than 1000000 fragments and elements"),
        ["subsampled with an odd width"] = (() => Image(PixelFormat.Colour(5, 4, "YBR_FULL_422"), 1).Build(), "even width"),
        ["pixels on another server"] = (() => new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.840.10008.1.2.4.94").Build(), "keeps its pixels on another server"),
        ["retired JPEG"] = (() => new InstanceBuilder().FileMeta(0x00020010, "UI", "1.2.840.10008.1.2.4.60").Build(), "is retired and not supported"),
        ["RLE of 12 bits"] = (() => TwelveBits(TransferSyntaxes.RleLossless), "RLE with BitsAllocated 12"),
        ["deflated frames of 12 bits"] = (() => TwelveBits("1.2.840.10008.1.2.8.1"), "Deflated frames of MONOCHROME2 with BitsAllocated 12"),
        ["colour model of JPEG 2000"] = (() => Image(PixelFormat.Colour(8, 8, "YBR_ICT"), 1).Build(), "YBR_ICT is not defined for uncompressed pixels"),
        ["overlay without a size"] = (() => new InstanceBuilder().Overlay(0, 64, 48, (_, _, _) => true).Set(0x60000010, "US", 0).Build(), "(6000,3000) has no size"),
        ["variable pixel data"] = (() => new InstanceBuilder().Set(0x7F200010, "OW", new byte[10]).Build(), "retired variable pixel data (7F20,0010)"),
        ["palette cut off"] = (() => Image(PixelFormat.Indexed(8, 8, Palette.Mixed()), 1).Set(0x00281202, "OW", new byte[4]).Build(), "green palette is shorter than its descriptor says"),
        ["palette out of reach"] = (() => Image(PixelFormat.Indexed(8, 8, Palette.Mixed()), 1).Set(0x00281101, "US", 256, 300, 16).Build(), "No entry of the palette can be reached"),
        ["segments of a palette damaged"] = (() => Image(PixelFormat.Indexed(8, 8, Palette.Mixed()), 1).Remove(new AttributeTag(0x00281201, "OW")).Set(0x00281221, "OW", new byte[] { 9, 0, 9, 0 }).Build(), "segmented red palette is damaged"),
        ["fragments of unknown frames"] = (() => new InstanceBuilder().Encapsulate("1.2.840.10008.1.2.4.50", [[[0xFF, 0xD8, 0xFF, 0xC0], [1, 2], [3, 4]]]).Set(Tags.NumberOfFrames, "2").Build(), "3 fragments of the encapsulated pixel data cannot be dealt out to 2 frames"),
        // Some readers believe the name, some the length, and see different pictures.
        ["subsampled in name only"] = (() => Image(PixelFormat.Colour(6, 4), 1).Set(Tags.PhotometricInterpretation, "YBR_FULL_422").Build(), "longer than that colour model takes"),
    };

    public static TheoryData<string> Names() => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_BadFile_SaysWhatIsWrong(string name)
    {
        var (file, reason) = Files[name];

        Assert.Contains(reason, MaskerCalls.Refused(file(), Corner), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TransferSyntaxes.ExplicitLittleEndian)]
    [InlineData(TransferSyntaxes.ImplicitLittleEndian)]
    [InlineData(TransferSyntaxes.RleLossless)]
    [InlineData(TransferSyntaxes.DeflatedExplicitLittleEndian)]
    public void BurnMasks_CutAnywhere_NeverThrows(string syntax)
    {
        var whole = Image(PixelFormat.Grey(10, 4), 2).Icon(3, 3, SequenceLength.Undefined).Syntax(syntax).Build();
        for (var length = 0; length < whole.Length; length++)
        {
            var (outcome, _) = MaskerCalls.BurnMasks(whole[..length], MaskerCalls.Mask(0, 0, 2, 2));

            // What is cut off may be no more than padding behind the image.
            Assert.True(outcome is not MaskOutcome.Masked || length >= whole.Length - 8, $"{length} of {whole.Length} bytes were enough.");
        }
    }

    [Fact]
    public void BurnMasks_OneByteWrong_NeverThrows()
    {
        foreach (var syntax in new[] { TransferSyntaxes.ExplicitLittleEndian, TransferSyntaxes.ImplicitLittleEndian, TransferSyntaxes.RleLossless })
        {
            var whole = Image(PixelFormat.Grey(6, 4), 2).Icon(3, 3).Syntax(syntax).Offsets(OffsetTable.Basic).Build();
            for (var at = 128; at < whole.Length; at++)
            {
                foreach (var value in new byte[] { 0x00, 0x7F, 0x80, 0xFF })
                {
                    var mutant = (byte[])whole.Clone();
                    mutant[at] = value;
                    MaskerCalls.BurnMasks(mutant, MaskerCalls.Mask(0, 0, 2, 2));
                }
            }
        }
    }

    [Fact]
    public void BurnMasks_Jpeg2000LargerThanTheHeaderSays_IsRefusedBeforeAWorkerSeesIt()
    {
        using var pool = new CodecWorkerPool(new WorkerOptions(), new Quarantine());
        using var original = new MemoryStream(new InstanceBuilder().Encapsulate("1.2.840.10008.1.2.4.90", [[Jpeg2000(100, 90)]]).Build(), writable: false);

        var outcome = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool)).BurnMasks(original, new MemoryStream(), [Corner], CancellationToken.None);

        Assert.Contains("holds 100×90 pixels of 1 samples, but the header says 64×48 of 1", Assert.IsType<MaskOutcome.Failed>(outcome).Reason, StringComparison.Ordinal);
        Assert.Empty(pool.ProcessIds);
    }

    [Fact]
    public void BurnMasks_RegionOutsideOfTheImage_IsRefused() =>
        Assert.Contains("lies outside of the image of 64×48", MaskerCalls.Refused(new InstanceBuilder().Build(), Corner, MaskerCalls.Mask(64, 0, 5, 5)), StringComparison.Ordinal);

    [Fact]
    public void BurnMasks_FrameThatIsNotThere_IsRefused() =>
        Assert.Contains("names frame 3, but the image has 1", MaskerCalls.Refused(new InstanceBuilder().Build(), MaskerCalls.Mask(0, 0, 5, 5, 2)), StringComparison.Ordinal);

    [Fact]
    public void BurnMasks_ImplicitDeclaredExplicit_IsReadAsItIsWritten()
    {
        var file = new InstanceBuilder().Syntax(TransferSyntaxes.ImplicitLittleEndian).FileMeta(0x00020010, "UI", TransferSyntaxes.ExplicitLittleEndian).Build();

        var masked = MaskerCalls.Masked(file, Corner);

        using var stream = new MemoryStream(masked);
        Assert.Equal("NO", Part10File.Read(stream, FileMeta.Read(stream)).ReadText(DicomTag.BurnedInAnnotation));
    }

    private static InstanceBuilder Jpeg(Func<byte[], byte[]> change)
    {
        var fixture = new Jpeg.JpegFixture();
        return new InstanceBuilder().Image(fixture.Format).Encapsulate("1.2.840.10008.1.2.4.50", [[change(fixture.Encode(fixture.MakeCoefficients()))]]);
    }

    private static byte[] Jpeg2000(int columns, int rows) =>
    [
        0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0, 0, 0, 0, (byte)columns, 0, 0, 0, (byte)rows, .. new byte[8], 0, 0, 0, (byte)columns, 0, 0, 0, (byte)rows, .. new byte[8], 0, 1, 7, 1, 1,
        0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 1, 4, 4, 0, 1, 0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x93, 0xFF, 0xD9,
    ];

    private static byte[] JpegLs(int columns, int rows) =>
        [0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 8, 0, (byte)rows, 0, (byte)columns, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, .. new byte[300], 0xFF, 0xD9];

    private static byte[] TwelveBits(string syntax) =>
        new InstanceBuilder().Encapsulate(syntax, [[RleOf(1, new byte[120])]]).Set(Tags.BitsAllocated, 12).Set(Tags.BitsStored, 12).Set(Tags.HighBit, 11).Build();

    private static byte[] TwoRleFrames()
    {
        var file = new InstanceBuilder().Image(PixelFormat.Grey(16, 16), SampleFrame.Noise(PixelFormat.Grey(16, 16), 2)).Syntax(TransferSyntaxes.RleLossless).Build();
        var fragments = Surgery.Find(file, Tags.PixelData.Tag).Fragments!;
        byte[] both = [.. file[(int)fragments[1].ValueStart..(int)fragments[1].ValueEnd], .. file[(int)fragments[2].ValueStart..(int)fragments[2].ValueEnd]];
        return new InstanceBuilder().Image(PixelFormat.Grey(16, 16)).Encapsulate(TransferSyntaxes.RleLossless, [[both]]).Build();
    }

    private static InstanceBuilder Image(PixelFormat format, int frames) => new InstanceBuilder().Image(format, SampleFrame.Noise(format, frames));

    private static byte[] FragmentsOfTwentyBytes() => [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0, 4, 0, 0, 0, 1, 2, 3, 4];

    private static byte[] Garble(byte[] file)
    {
        // A deflate block of the reserved type 3 (RFC 1951 3.2.3).
        using var stream = new MemoryStream(file, writable: false);
        file[FileMeta.Read(stream).DatasetStart] = 0xFF;
        return file;
    }

    private static byte[] TwiceMeta(byte[] file)
    {
        using var stream = new MemoryStream(file, writable: false);
        var start = (int)FileMeta.Read(stream).DatasetStart;
        return [.. file[..start], .. file[132..start], .. file[start..]];
    }

    private static byte[] RleOf(int segments, byte[] content)
    {
        var bytes = new byte[64 + content.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, segments);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 64);
        content.CopyTo(bytes, 64);
        return bytes;
    }

    /// <summary>Sequences of undefined length, each in an item of the one before.</summary>
    private static byte[] Nested(int depth)
    {
        byte[] sequence = [0xF9, 0xFF, 0x10, 0x00, (byte)'S', (byte)'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        return [.. Enumerable.Repeat(sequence, depth).SelectMany(bytes => bytes)];
    }
}
