using System.Buffers.Binary;
using System.Security.Cryptography;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Storage;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>A memory stream, and the masker's result in a file of its own, say what must be in it.</summary>
public sealed class PatchedStreamTests : IDisposable
{
    private const int OriginalBytes = 6 << 20; // more than is held in memory
    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-patched-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_holds_what_a_memory_stream_holds_whatever_is_written_copied_and_replaced(int seed)
    {
        var random = new Random(seed);
        var content = Noise(OriginalBytes, seed);
        using var original = Temporary();
        original.Write(content);
        using var patched = new PatchedStream(original, Temporary());
        using var expected = new MemoryStream();
        for (var turn = 0; turn < 300; turn++)
        {
            var bytes = Noise(random.Next(0, 3000), turn);
            switch (random.Next(4))
            {
                case 0:
                    patched.Position = expected.Position = expected.Length;
                    var (start, count) = (random.Next(OriginalBytes), random.Next(200_000));
                    count = Math.Min(count, OriginalBytes - start);
                    patched.CopyOriginal(start, count);
                    expected.Write(content, start, count);
                    break;
                case 1:
                    patched.Position = expected.Position = expected.Length;
                    patched.Write(bytes);
                    expected.Write(bytes);
                    break;
                case 2:
                    patched.Position = expected.Position = random.NextInt64(expected.Length + 1); // perhaps past the end
                    patched.Write(bytes);
                    expected.Write(bytes);
                    break;
                default:
                    var at = random.NextInt64(expected.Length + 1);
                    bytes = bytes[..(int)Math.Min(bytes.Length, expected.Length - at)];
                    patched.Put(at, patched.Keep(bytes));
                    bytes.CopyTo(expected.GetBuffer().AsSpan((int)at));
                    break;
            }

            var from = random.NextInt64(expected.Length + 1);
            var read = new byte[random.Next(1, 300_000)];
            var there = patched.ReadAt(from, read);
            Assert.Equal(Math.Min(read.Length, expected.Length - from), there);
            Assert.True(expected.GetBuffer().AsSpan((int)from, there).SequenceEqual(read.AsSpan(0, there)), $"turn {turn}");
        }

        using var all = new MemoryStream();
        patched.Position = 0;
        patched.CopyTo(all);
        Assert.Equal(expected.ToArray(), all.ToArray());
    }

    [Fact]
    public void Bytes_that_are_not_there_are_neither_copied_nor_replaced()
    {
        using var original = Temporary();
        original.Write(Noise(100, 1));
        using var patched = new PatchedStream(original, Temporary());
        patched.CopyOriginal(0, 50);

        Assert.Throws<ArgumentOutOfRangeException>(() => patched.CopyOriginal(60, 41));
        Assert.Throws<ArgumentOutOfRangeException>(() => patched.Put(49, patched.Keep([1, 2])));
        patched.Position = 10;
        Assert.Throws<ArgumentOutOfRangeException>(() => patched.CopyOriginal(0, 1));
        patched.Position = 51;
        Assert.Throws<NotSupportedException>(() => patched.Write([1]));
        Assert.Equal(50, patched.Length);
    }

    public static TheoryData<string, int> Pictures => new() { { "colour", 0 }, { "planes", 0 }, { "big endian", 0 }, { "one bit", 0 }, { "odd", 0 }, { "odd", 11 }, { "colour", 300 } };

    [Theory]
    [MemberData(nameof(Pictures))]
    public void The_masker_makes_the_same_of_a_long_image_as_in_a_file_of_its_own(string picture, int bytesBehind)
    {
        const int Frames = 48;
        var (format, transferSyntax) = picture switch
        {
            "colour" => (PixelFormat.Colour(400, 300), "1.2.840.10008.1.2.1"),
            "planes" => (PixelFormat.Colour(400, 300, planarConfiguration: 1), "1.2.840.10008.1.2.1"),
            "big endian" => (PixelFormat.Grey(400, 300, bitsStored: 12), "1.2.840.10008.1.2.2"),
            "one bit" => (PixelFormat.Grey(401, 301, bitsStored: 1), "1.2.840.10008.1.2.1"),
            _ => (PixelFormat.Grey(399, 301), "1.2.840.10008.1.2"),
        };
        var file = new InstanceBuilder("patched").Syntax(transferSyntax).Image(format, SampleFrame.Noise(format, Frames)).Build();
        file = Lengthen(file, format.Columns * format.Rows * format.SamplesPerPixel * Frames, bytesBehind);
        var masker = new InstanceMasker(FrameCodecs.Managed);
        Mask[] masks = [new(new Region(3, 5, 120, 9)), new(new Region(100, 10, 299, 20), new HashSet<int> { 0, 7, Frames - 1 }), new(new Region(0, 290, 399, 10))];
        using var ordinary = new MemoryStream();
        Assert.IsType<MaskOutcome.Masked>(masker.BurnMasks(new MemoryStream(file), ordinary, masks, default));

        using var original = Temporary();
        original.Write(file);
        original.Position = 0;
        using var own = Temporary();
        using var patched = new PatchedStream(original, own);
        var outcome = Assert.IsType<MaskOutcome.Masked>(masker.BurnMasks(original, patched, masks, default));

        using var all = new MemoryStream();
        patched.Position = 0;
        patched.CopyTo(all);
        Assert.Equal(ordinary.ToArray(), all.ToArray());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(all.ToArray())), outcome.Proof.OutputSha256);
        Assert.True(own.Length < 10_000 || picture == "one bit", $"{own.Length} bytes are its own.");
    }

    // Implicit or explicit little endian.
    private static byte[] Lengthen(byte[] file, int pixelBytes, int by)
    {
        if (by == 0)
        {
            return file;
        }

        byte[] longer = [.. file, .. Noise(by, 9)];
        var padded = pixelBytes + (pixelBytes % 2);
        BinaryPrimitives.WriteInt32LittleEndian(longer.AsSpan(file.Length - padded - 4), padded + by);
        return longer;
    }

    private EncryptedStream Temporary() => EncryptedStream.CreateTemporary(_folder);

    private static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
