using System.Text;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>
/// Files that break a rule while it stays certain which bytes are the picture. Each is made from a file that was masked before, so that nothing but
/// pixels may change: the expected bytes are made here, without the masker.
/// </summary>
public sealed class OddInputTests
{
    private const int Columns = 24;
    private const int Rows = 10;
    private static readonly Mask First = MaskerCalls.Mask(20, 8, 4, 2);
    private static readonly Mask Second = MaskerCalls.Mask(3, 1, 9, 5);

    private static readonly Dictionary<string, Func<byte[]>> Files = new()
    {
        ["nothing odd"] = () => Sound(),
        ["nothing odd, implicit"] = () => Sound(TransferSyntaxes.ImplicitLittleEndian),
        ["no preamble"] = () => Sound()[132..],
        ["bare, explicit"] = () => Bare(Sound()),
        ["bare, implicit"] = () => Bare(Sound(TransferSyntaxes.ImplicitLittleEndian)),
        ["bare, big endian"] = () => Bare(Sound(TransferSyntaxes.ExplicitBigEndian)),
        ["no transfer syntax"] = () => Surgery.Remove(Sound(), 0x00020010),
        ["no group length of the meta"] = () => Surgery.Remove(Sound(), 0x00020000),
        ["wrong group length of the meta"] = () => Surgery.Replace(Sound(), 0x00020000, Element(0x0002, 0x0000, "UL", [7, 0, 0, 0])),
        ["implicit declared explicit"] = () => Surgery.Replace(Sound(TransferSyntaxes.ImplicitLittleEndian), 0x00020010, Element(0x0002, 0x0010, "UI", Encoding.ASCII.GetBytes("1.2.840.10008.1.2.1\0"))),
        ["zeros to the next block"] = () => [.. Sound(), .. new byte[70_000]],
        ["three bytes behind the end"] = () => [.. Sound(), 1, 2, 3],
        ["rubbish behind the end"] = () => [.. Sound(), .. Enumerable.Range(1, 900).Select(i => (byte)(i * 37))],
        ["sequence delimiter behind the end"] = () => [.. Sound(), .. SequenceEnd],
        ["item delimiter amid the data set"] = () => Surgery.InsertBefore(Sound(), 0x00280010, ItemEnd),
        ["delimiter in a sequence with a length"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Element(0x0020, 0x9221, "SQ", [.. Item(Dated), .. SequenceEnd])),
        ["delimiter in an item with a length"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Element(0x0020, 0x9221, "SQ", Item([.. Dated, .. ItemEnd]))),
        ["item closed by its sequence"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Open(0x0020, 0x9221, "SQ", [.. OpenItem, .. Dated, .. SequenceEnd])),
        ["item closed by the next one"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Open(0x0020, 0x9221, "SQ", [.. OpenItem, .. Dated, .. OpenItem, .. Dated, .. ItemEnd, .. SequenceEnd])),
        ["sequence of rubbish"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Element(0x0020, 0x9221, "SQ", [.. Item([1, 2, 3, 4, 5, 6, 7]), 9, 9])),
        ["items longer than their sequence"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Element(0x0020, 0x9221, "SQ", [0xFE, 0xFF, 0x00, 0xE0, 200, 0, 0, 0, .. Dated])),
        ["explicit items under UN of unknown length"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Open(0x0021, 0x1001, "UN", [.. OpenItem, .. Dated, .. ItemEnd, .. SequenceEnd])),
        ["explicit items in an implicit file"] = () => Surgery.InsertBefore(Sound(TransferSyntaxes.ImplicitLittleEndian), 0x00280002, [0x20, 0, 0x21, 0x92, 0xFF, 0xFF, 0xFF, 0xFF, .. OpenItem, .. Dated, .. ItemEnd, .. SequenceEnd]),
        ["implicit items in an explicit file"] = () => Surgery.InsertBefore(Sound(), 0x00280002, Open(0x0020, 0x9221, "SQ", [.. OpenItem, 0x20, 0, 0x10, 0, 2, 0, 0, 0, 0x31, 0x20, .. ItemEnd, .. SequenceEnd])),
        ["VR of zeros"] = () => Surgery.Replace(Sound(), 0x00080060, [8, 0, 0x60, 0, 0, 0, 2, 0, .. "OT"u8]),
        ["VR of blanks"] = () => Surgery.Replace(Sound(), 0x00080060, [8, 0, 0x60, 0, .. "  "u8, 2, 0, .. "OT"u8]),
        ["VR of question marks"] = () => Surgery.Replace(Sound(), 0x00080060, [8, 0, 0x60, 0, .. "??"u8, 2, 0, .. "OT"u8]),
        ["unknown VR"] = () => Surgery.InsertBefore(Sound(), 0x00280002, [0x21, 0, 0x01, 0x10, .. "QX"u8, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]),
        ["UN with a short length"] = () => Surgery.InsertBefore(Sound(), 0x00280002, [0x21, 0, 0x01, 0x10, .. "UN"u8, 4, 0, 1, 2, 3, 4]),
        ["pixel data as UN"] = () => Surgery.ChangeVr(Sound(), 0x7FE00010, "UN"),
        ["pixel data as OX"] = () => Surgery.ChangeVr(Sound(), 0x7FE00010, "OX"),
        ["rows as UL"] = () => Surgery.Replace(Sound(), 0x00280010, Element(0x0028, 0x0010, "UL", [Rows, 0, 0, 0])),
        ["rows as text"] = () => Surgery.Replace(Sound(), 0x00280010, Element(0x0028, 0x0010, "IS", Encoding.ASCII.GetBytes($"{Rows} "))),
        ["rows of odd length"] = () => Surgery.Replace(Sound(), 0x00280010, Element(0x0028, 0x0010, "US", [Rows, 0, 0])),
        ["rows twice alike"] = () => Surgery.InsertBefore(Sound(), 0x00280011, Element(0x0028, 0x0010, "US", [Rows, 0])),
        ["no frames"] = () => Surgery.InsertBefore(Sound(), 0x00280010, Element(0x0028, 0x0008, "IS", "0 "u8)),
        ["frames left empty"] = () => Surgery.InsertBefore(Sound(), 0x00280010, Element(0x0028, 0x0008, "IS", [])),
        ["frames in blanks"] = () => Surgery.InsertBefore(Sound(), 0x00280010, Element(0x0028, 0x0008, "IS", "  "u8)),
        ["frames with two values"] = () => Surgery.InsertBefore(Sound(), 0x00280010, Element(0x0028, 0x0008, "IS", @"1\2 "u8)),
        ["no samples per pixel"] = () => Surgery.Remove(Sound(), 0x00280002),
        ["no colour model"] = () => Surgery.Remove(Sound(), 0x00280004),
        ["no bits stored nor high bit"] = () => Surgery.Remove(Surgery.Remove(Sound(), 0x00280101), 0x00280102),
        ["0 bits stored"] = () => Surgery.Replace(Sound(), 0x00280101, Element(0x0028, 0x0101, "US", [0, 0])),
        ["impossible high bit"] = () => Surgery.Replace(Sound(), 0x00280102, Element(0x0028, 0x0102, "US", [8, 0])),
        ["no pixel representation"] = () => Surgery.Remove(Sound(), 0x00280103),
        ["odd lengths"] = () => MaskerCalls.Masked(Builder().OddLengths().Private(0x0021, "MAKER", 1, "OB", new byte[] { 1, 2, 3 }).Build(), First),
        ["tags out of order"] = () => [.. Sound(), .. Element(0x0008, 0x0080, "LO", "ELSEWHERE "u8)],
        ["command group"] = () => Surgery.InsertBefore(Sound(), 0x00080016, Element(0x0000, 0x0100, "US", [1, 0])),
    };

    private static byte[] SequenceEnd => [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

    private static byte[] ItemEnd => [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0];

    private static byte[] OpenItem => [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];

    private static byte[] Dated => Element(0x0008, 0x0022, "DA", "20260102"u8);

    public static TheoryData<string> Names() => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_OddFile_ChangesTheMaskedPixelsAndNoOtherByte(string name)
    {
        var file = Files[name]();
        var expected = file.ToArray();
        var pixels = expected.AsSpan().IndexOf(Pixels());
        Assert.True(pixels > 0);
        for (var y = Second.Region.Y; y < Second.Region.Bottom; y++)
        {
            expected.AsSpan(pixels + (y * Columns) + Second.Region.X, Second.Region.Width).Clear();
        }

        Assert.Equal(expected, MaskerCalls.Masked(file, Second));
    }

    [Fact]
    public void BurnMasks_FileOlderThanTheColourModel_GetsTheAttributesInItsOwnEncoding()
    {
        var file = Builder().Syntax(TransferSyntaxes.ImplicitLittleEndian).WithoutFileMeta().Remove(Tags.PhotometricInterpretation).Build();

        var masked = MaskerCalls.Masked(file, Second);

        var dump = Oracle.Dump(masked);
        Assert.Contains("Used TransferSyntax: Little Endian Implicit", dump, StringComparison.Ordinal);
        Assert.Contains("(0028,0301) CS [NO]", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("(0028,0004)", dump, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BurnMasks_IconInExplicitItemsUnderUn_IsRemoved(bool isOpen)
    {
        var icon = Element(0x0088, 0x0200, "SQ", Item(Element(0x7FE0, 0x0010, "OB", [1, 2, 3, 4])));
        var hidden = isOpen
            ? Open(0x0021, 0x1001, "UN", [.. OpenItem, .. Dated, .. icon, .. ItemEnd, .. SequenceEnd])
            : Element(0x0021, 0x1001, "UN", Item([.. Dated, .. icon]));
        var without = isOpen
            ? Open(0x0021, 0x1001, "UN", [.. OpenItem, .. Dated, .. ItemEnd, .. SequenceEnd])
            : Element(0x0021, 0x1001, "UN", Item(Dated));
        var sound = Sound();

        Assert.Equal(Surgery.InsertBefore(MaskerCalls.Masked(sound, Second), 0x00280002, without), MaskerCalls.Masked(Surgery.InsertBefore(sound, 0x00280002, hidden), Second));
    }

    private static InstanceBuilder Builder() => new InstanceBuilder().Image(PixelFormat.Grey(Columns, Rows), SampleFrame.Noise(PixelFormat.Grey(Columns, Rows))).Set(Tags.ImageType, "DERIVED", "PRIMARY");

    /// <summary>A file that says all that masking says.</summary>
    private static byte[] Sound(string syntax = TransferSyntaxes.ExplicitLittleEndian) => MaskerCalls.Masked(Builder().Syntax(syntax).Build(), First);

    /// <summary>The rows of the picture down to where the first mask begins.</summary>
    private static byte[] Pixels() => [.. SampleFrame.Noise(PixelFormat.Grey(Columns, Rows))[0].Samples.Take(Columns * First.Region.Y).Select(sample => (byte)sample)];

    private static byte[] Bare(byte[] file)
    {
        using var stream = new MemoryStream(file, writable: false);
        return file[(int)FileMeta.Read(stream).DatasetStart..];
    }

    private static byte[] Item(byte[] content) => [0xFE, 0xFF, 0x00, 0xE0, (byte)content.Length, 0, 0, 0, .. content];

    /// <summary>An element in explicit VR little endian with a value of less than 256 bytes.</summary>
    private static byte[] Element(ushort group, ushort element, string vr, ReadOnlySpan<byte> value) =>
    [
        (byte)group, (byte)(group >> 8), (byte)element, (byte)(element >> 8), (byte)vr[0], (byte)vr[1],
        .. vr is "SQ" or "UN" or "OB" ? new byte[] { 0, 0, (byte)value.Length, 0, 0, 0 } : [(byte)value.Length, 0], .. value,
    ];

    /// <summary>The same with undefined length; the content brings its delimiter.</summary>
    private static byte[] Open(ushort group, ushort element, string vr, byte[] content) =>
        [(byte)group, (byte)(group >> 8), (byte)element, (byte)(element >> 8), (byte)vr[0], (byte)vr[1], 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, .. content];
}
