using System.Buffers.Binary;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>A JP2 file around the codestream (ISO/IEC 15444-1 Annex I), which PS3.5 A.4.4 forbids: it is read where it changes nothing, else refused.</summary>
public sealed class Jpeg2000HeaderTests
{
    private const string OtherMeaning = "A compressed frame is a JP2 file that gives its samples another meaning, which DICOM does not allow.";
    private const string DamagedFile = "A compressed frame is a damaged JP2 file.";

    private static readonly byte[] Signature = Box("jP  ", [0x0D, 0x0A, 0x87, 0x0A]);

    // 9×5 samples of 8 bits, one component, 5/3 wavelet.
    private static readonly byte[] Codestream =
    [
        0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5, .. new byte[8], 0, 0, 0, 9, 0, 0, 0, 5, .. new byte[8], 0, 1, 7, 1, 1,
        0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 1, 4, 4, 0, 1, 0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x93, 0xFF, 0xD9,
    ];

    [Fact]
    public void A_file_with_a_size_and_a_grey_or_sRGB_colour_space_is_its_codestream()
    {
        byte[] before = [.. Signature, .. Box("jp2h", [.. Box("ihdr", new byte[14]), .. Colour(17), .. Colour(16)])];

        var header = Jpeg2000Header.Read([.. before, .. Box("jp2c", Codestream)]);

        Assert.Equal((before.Length + 8, Codestream.Length, 9, 5), (header.Start, header.Length, header.Columns, header.Rows));
    }

    [Fact]
    public void A_box_with_a_long_length_or_none_is_read()
    {
        byte[] longBox = [0, 0, 0, 1, .. "jp2c"u8, 0, 0, 0, 0, 0, 0, 0, (byte)(16 + Codestream.Length), .. Codestream];
        byte[] toTheEnd = [0, 0, 0, 0, .. "jp2c"u8, .. Codestream];

        Assert.Equal((12 + 16, Codestream.Length), (Jpeg2000Header.Read([.. Signature, .. longBox]).Start, Jpeg2000Header.Read([.. Signature, .. longBox]).Length));
        Assert.Equal(Codestream.Length, Jpeg2000Header.Read([.. Signature, .. toTheEnd]).Length);
    }

    [Theory]
    [InlineData("pclr")]
    [InlineData("cmap")]
    [InlineData("cdef")]
    [InlineData("sYCC")]
    public void A_palette_reordered_channels_and_sYCC_are_refused(string box)
    {
        byte[] content = [.. Box("ihdr", new byte[14]), .. box == "sYCC" ? Colour(18) : Box(box, new byte[8])];

        Assert.Equal(OtherMeaning, Assert.Throws<UnsupportedInstanceException>(() => Jpeg2000Header.Read([.. Signature, .. Box("jp2h", content), .. Box("jp2c", Codestream)])).Message);
    }

    [Theory]
    [InlineData(7)] // shorter than its own header
    [InlineData(255)] // longer than the frame
    public void A_box_of_an_impossible_length_is_damage(byte length)
    {
        byte[] box = [0, 0, 0, length, .. "jp2h"u8, .. new byte[4]];

        Assert.Equal(DamagedFile, Assert.Throws<DicomFormatException>(() => Jpeg2000Header.Read([.. Signature, .. box])).Message);
        Assert.Equal(DamagedFile, Assert.Throws<DicomFormatException>(() => Jpeg2000Header.Read([.. Signature, .. Box("jp2h", box)])).Message);
    }

    [Fact]
    public void A_file_without_a_codestream_is_refused() =>
        Assert.Equal("A compressed frame is a JP2 file without a codestream.", Assert.Throws<DicomFormatException>(() => Jpeg2000Header.Read([.. Signature, .. Box("jp2h", Colour(17))])).Message);

    private static byte[] Colour(byte enumerated) => Box("colr", [1, 0, 0, 0, 0, 0, enumerated]);

    private static byte[] Box(string type, byte[] content)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, 8 + content.Length);
        return [.. length, .. System.Text.Encoding.ASCII.GetBytes(type), .. content];
    }
}
