using Sidecar.Dicom.Codecs.Jpeg;
using Sidecar.Dicom.Files;
using Xunit;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>Bits that are read and copied eight bytes at a time, against the same bit by bit.</summary>
public sealed class JpegBitsTests
{
    [Fact]
    public void Copy_AnyStretchToAnyPlace_IsTheSameBits()
    {
        var random = new Random(1);
        for (var round = 0; round < 2000; round++)
        {
            // Half of the bytes are 0xFF, which is stuffed.
            var bytes = Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(2) == 0 ? (byte)0xFF : (byte)random.Next(256)).ToArray();
            using var source = new EntropyBits();
            Assert.Equal(Stuff(bytes).Length, source.Load(Stuff(bytes)));
            var before = random.Next(0, 30);
            var start = random.Next(0, (8 * bytes.Length) + 1);
            var end = random.Next(start, (8 * bytes.Length) + 1);

            using var writer = new BitWriter();
            writer.Reserve(32);
            writer.Write((1u << before) / 3, before);
            writer.Copy(source, start, end);
            using var result = new MemoryStream();
            writer.Flush(result);

            var expected = Bits((1u << before) / 3, before).Concat(bytes.SelectMany(value => Bits(value, 8)).Take(end).Skip(start)).ToList();
            expected.AddRange(Enumerable.Repeat(true, (8 - (expected.Count % 8)) % 8));
            using var read = new EntropyBits();
            read.Load(result.ToArray());
            Assert.Equal(expected, Enumerable.Range(0, (int)read.Length).Select(position => read.Window(position) >> 63 == 1));
        }
    }

    [Fact]
    public void Read_DifferencesInAnyTable_AreThoseWritten()
    {
        var random = new Random(2);
        var longest = 0;
        for (var round = 0; round < 300; round++)
        {
            // Steep frequencies make codes of up to 16 bits.
            var frequencies = Enumerable.Range(0, 17).Select(category => 1L << (category * random.Next(1, 3))).ToArray();
            random.Shuffle(frequencies);
            var table = HuffmanTable.Build(frequencies);
            longest = Math.Max(longest, Array.FindLastIndex(table.Counts.ToArray(), count => count > 0) + 1);
            var differences = Enumerable.Range(0, random.Next(1, 700)).Select(_ => (ushort)(random.Next(1 << 16) >> random.Next(16))).ToArray();

            using var writer = new BitWriter();
            foreach (var difference in differences)
            {
                var category = HuffmanTable.Category((short)difference);
                writer.Reserve(64);
                writer.Write((uint)table.Code(category) >> 8, table.Code(category) & 0xFF);
                writer.Write((uint)HuffmanTable.AdditionalBits((short)difference, category), category & 15);
            }
            using var entropy = new MemoryStream();
            writer.Flush(entropy);

            Assert.Equal(differences, Read(table, entropy.ToArray(), differences.Length));
        }

        Assert.Equal(16, longest);
    }

    [Fact]
    public void Read_SymbolsOf31BitsEach_AreThoseWritten()
    {
        // One code of each length; category 15 has the longest, of 16 ones but the last.
        var table = new HuffmanTable([.. Enumerable.Repeat((byte)1, 16)], [.. Enumerable.Range(0, 16).Select(category => (byte)category)]);
        var differences = Enumerable.Range(0, 500).Select(i => (ushort)(20_000 + i)).ToArray();
        using var writer = new BitWriter();
        foreach (var difference in differences)
        {
            writer.Reserve(64);
            writer.Write((uint)table.Code(15) >> 8, 16);
            writer.Write(difference, 15);
        }
        using var entropy = new MemoryStream();
        writer.Flush(entropy);

        Assert.Equal(differences, Read(table, entropy.ToArray(), differences.Length));
    }

    [Fact]
    public void Read_BitsThatAreNoCode_SaysSo()
    {
        var table = new HuffmanTable([0, 1, .. new byte[13], 1], [3, 5]);

        Assert.Equal([4], Read(table, [0b0010_0111, 0xFF], 1));
        var damage = Assert.Throws<DicomFormatException>(() => Read(table, [0b0010_0110, 0], 2));
        Assert.Equal("A JPEG frame is damaged: it holds bits that are no code of its Huffman table.", damage.Message);
    }

    [Fact]
    public void Read_BitsThatEndTooEarly_SaysSo()
    {
        var table = new HuffmanTable([1, .. new byte[15]], [0]);

        Assert.Equal(new ushort[16], Read(table, [0, 0], 16));
        var damage = Assert.Throws<DicomFormatException>(() => Read(table, [0, 0], 17));
        Assert.Equal("A JPEG frame is truncated: it ends before its last pixel.", damage.Message);
        Assert.Throws<DicomFormatException>(() => Read(table, [0, 0], 100_000));
    }

    /// <summary>Reads a row of differences as lossless frames are read.</summary>
    private static ushort[] Read(HuffmanTable table, ReadOnlySpan<byte> entropy, int count)
    {
        var columns = count;
        byte[] header =
        [
            0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 16, 0, 1, (byte)(columns >> 8), (byte)columns, 1, 1, 0x11, 0,
            0xFF, 0xC4, 0, (byte)(19 + table.Symbols.Length), 0, .. table.Counts, .. table.Symbols,
            0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0, 0xFF, 0xD9,
        ];
        using var reader = new JpegLosslessReader();
        reader.StartScan(JpegLosslessScan.ReadAll(JpegCodestream.ReadUnchecked(header))[0]);
        reader.StartInterval(ref entropy, 0);
        var differences = new ushort[count];
        reader.Read(differences);
        return differences;
    }

    private static byte[] Stuff(byte[] bytes) => [.. bytes.SelectMany(value => value == 0xFF ? new byte[] { 0xFF, 0 } : [value])];

    private static IEnumerable<bool> Bits(uint value, int count) => Enumerable.Range(0, count).Select(i => (value >> (count - 1 - i) & 1) == 1);
}
