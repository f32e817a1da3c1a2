using System.Buffers.Binary;
using Sidecar.Dicom.Files;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>RLE (PS3.5 G) where the pixel matrix does not reach: odd encoders, fragments, offset tables.</summary>
public sealed class RleTests
{
    private const int Columns = 20;
    private const int Rows = 12;
    private static readonly PixelFormat Format = PixelFormat.Grey(Columns, Rows);

    [Fact]
    public void BurnMasks_RowsOutsideOfTheMask_KeepTheirRuns()
    {
        var frame = SampleFrame.Gradient(Format)[0];
        var file = new InstanceBuilder().Image(Format, frame).Syntax(TransferSyntaxes.RleLossless).Build();

        var masked = MaskerCalls.Masked(file, MaskerCalls.Mask(2, 4, 10, 3));

        var (before, after) = (Frames(file)[0], Frames(masked)[0]);
        var above = RleEncoder.EncodeFrame(Bytes(frame).AsSpan(0, 4 * Columns), Columns, 4, 1, 1).AsSpan(64);
        var below = RleEncoder.EncodeFrame(Bytes(frame).AsSpan(7 * Columns), Columns, 5, 1, 1).AsSpan(64);
        Assert.Equal(before.AsSpan(0, 64 + above.TrimEnd((byte)0).Length), after.AsSpan(0, 64 + above.TrimEnd((byte)0).Length));
        Assert.True(after.AsSpan().TrimEnd((byte)0).EndsWith(below.TrimEnd((byte)0)));
    }

    [Fact]
    public void BurnMasks_RunsThatCrossRows_AreSplitWhereTheMaskCuts()
    {
        // Against PS3.5 G.3.1: one run of 128 over six rows and more, then literals over the ends of rows.
        var pixels = Enumerable.Range(0, Columns * Rows).Select(i => (byte)(i < 128 ? 7 : i)).ToArray();
        byte[] literals = [(byte)(pixels.Length - 128 - 1), .. pixels[128..]];
        var file = Encapsulated(Rle([(byte)(257 - 128), 7, .. literals]));

        Assert.Equal(Expect(pixels, 3, 2, 5, 5), Oracle.Decode([MaskerCalls.Masked(file, MaskerCalls.Mask(3, 2, 5, 5))])[0]);
    }

    [Fact]
    public void BurnMasks_PacketsThatDoNothing_AreSkipped()
    {
        var pixels = Enumerable.Range(0, Columns * Rows).Select(i => (byte)i).ToArray();
        byte[] segment = [.. pixels.Chunk(60).SelectMany(part => new byte[] { 128, 59 }.Concat(part)), 128, 0];
        var file = Encapsulated(Rle(segment));

        Assert.Equal(Expect(pixels, 0, 11, 20, 1), Oracle.Decode([MaskerCalls.Masked(file, MaskerCalls.Mask(0, 11, 20, 1))])[0]);
    }

    [Theory]
    [InlineData(OffsetTable.Basic)]
    [InlineData(OffsetTable.Extended)]
    public void BurnMasks_OffsetTables_PointAtTheFramesAgain(OffsetTable table)
    {
        var frames = SampleFrame.Noise(Format, 4);
        var file = new InstanceBuilder().Image(Format, frames).Syntax(TransferSyntaxes.RleLossless).Offsets(table).Build();

        var masked = Index(MaskerCalls.Masked(file, MaskerCalls.Mask(0, 0, 20, 10, 0, 2)));

        var fragments = masked.Find(DicomTag.PixelData)!.Fragments!;
        var starts = fragments.Skip(1).Select(fragment => fragment.Start - fragments[0].ValueEnd);
        var offsets = table == OffsetTable.Basic
            ? Read(masked, fragments[0]).Chunk(4).Select(bytes => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes))
            : masked.ReadValue(DicomTag.ExtendedOffsetTable)!.Chunk(8).Select(bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes));
        Assert.Equal(starts, offsets);
        if (table == OffsetTable.Extended)
        {
            var lengths = masked.ReadValue(DicomTag.ExtendedOffsetTableLengths)!.Chunk(8).Select(bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes));
            Assert.Equal(fragments.Skip(1).Select(fragment => fragment.Length), lengths);
        }
    }

    [Fact]
    public void BurnMasks_FramesOfSeveralFragments_AreReadByTheirOffsets()
    {
        var frames = SampleFrame.Noise(Format, 2);
        var whole = frames.Select(frame => RleEncoder.EncodeFrame(Bytes(frame), Columns, Rows, 1, 1)).ToArray();
        var file = new InstanceBuilder().Image(Format, frames)
            .Encapsulate(TransferSyntaxes.RleLossless, [[whole[0][..70], whole[0][70..]], [whole[1][..100], whole[1][100..120], whole[1][120..]]], OffsetTable.Basic).Build();

        var fragments = Frames(MaskerCalls.Masked(file, MaskerCalls.Mask(1, 1, 4, 4, 1)));

        // The frame that was not masked keeps its two fragments, the other one is one now, which pydicom reads by itself.
        Assert.Equal([whole[0][..70], .. whole[0][70..].Chunk(1000)], fragments[..2]);
        Assert.Equal(3, fragments.Count);
        Assert.Equal(Expect(Bytes(frames[1]), 1, 1, 4, 4), Oracle.Decode([Encapsulated(fragments[2])])[0]);
    }

    [Fact]
    public void BurnMasks_OneBitPixels_ArePackedOverRows()
    {
        // 13 columns: rows start in the middle of bytes. pydicom cannot read this; the packed bits are compared here.
        var format = PixelFormat.Grey(13, 7, bitsStored: 1);
        var packed = Enumerable.Range(0, 12).Select(i => (byte)(i == 11 ? 0b0000_0101 : 0xFF)).ToArray();
        var file = new InstanceBuilder().Image(format).Encapsulate(TransferSyntaxes.RleLossless, [[Rle([11, .. packed])]]).Build();

        var masked = Unpack(Frames(MaskerCalls.Masked(file, MaskerCalls.Mask(2, 1, 5, 2)))[0].AsSpan(64), 12);

        for (var pixel = 0; pixel < 13 * 7; pixel++)
        {
            var isInside = pixel % 13 is >= 2 and < 7 && pixel / 13 is 1 or 2;
            var was = (packed[pixel / 8] >> (pixel % 8)) & 1;
            Assert.Equal(isInside ? 0 : was, (masked[pixel / 8] >> (pixel % 8)) & 1);
        }
    }

    private static byte[] Unpack(ReadOnlySpan<byte> segment, int length)
    {
        var bytes = new List<byte>();
        for (var at = 0; bytes.Count < length;)
        {
            var code = (sbyte)segment[at++];
            if (code >= 0)
            {
                bytes.AddRange(segment.Slice(at, code + 1));
                at += code + 1;
            }
            else
            {
                bytes.AddRange(Enumerable.Repeat(segment[at++], 1 - code));
            }
        }
        return [.. bytes];
    }

    private static byte[] Encapsulated(byte[] frame) => new InstanceBuilder().Image(Format).Encapsulate(TransferSyntaxes.RleLossless, [[frame]]).Build();

    private static byte[] Rle(byte[] segment)
    {
        var header = new byte[64];
        (header[0], header[4]) = (1, 64);
        return [.. header, .. segment];
    }

    private static int[] Expect(byte[] pixels, int x, int y, int width, int height) =>
        [.. pixels.Select((value, i) => i % Columns >= x && i % Columns < x + width && i / Columns >= y && i / Columns < y + height ? 0 : value)];

    private static byte[] Bytes(SampleFrame frame) => [.. frame.Samples.Select(sample => (byte)sample)];

    private static Part10File Index(byte[] file)
    {
        var stream = new MemoryStream(file, writable: false);
        return Part10File.Read(stream, FileMeta.Read(stream));
    }

    private static List<byte[]> Frames(byte[] file)
    {
        var index = Index(file);
        return [.. index.Find(DicomTag.PixelData)!.Fragments!.Skip(1).Select(fragment => Read(index, fragment))];
    }

    private static byte[] Read(Part10File file, Fragment fragment)
    {
        var bytes = new byte[fragment.Length];
        file.Stream.Position = fragment.ValueStart;
        file.Stream.ReadExactly(bytes);
        return bytes;
    }
}
