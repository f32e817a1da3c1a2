using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Storage;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Storage;

public sealed class EncryptedStreamTests : IDisposable
{
    private const int Chunk = 64 * 1024;
    private static readonly byte[] Key = [.. Enumerable.Range(0, EncryptedStream.KeyBytes).Select(i => (byte)i)];
    private readonly string _path = Path.GetTempFileName();

    private readonly string _folder;

    public EncryptedStreamTests() => _folder = _path + ".folder";

    public void Dispose()
    {
        File.Delete(_path);
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData((3 * Chunk) + 17)]
    public void What_was_written_is_read_back_and_its_length_is_known_from_the_file(int length)
    {
        var content = Noise(length, 1);
        using (var stream = Open())
        {
            stream.Write(content);
        }

        Assert.Equal(length, EncryptedStream.PlainLength(new FileInfo(_path).Length));
        using var again = Open();
        Assert.Equal(length, again.Length);
        Assert.Equal(content, ReadAll(again));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(62 * Chunk, false)] // the first 64 chunks are held in memory, those behind pass through
    [InlineData(0, true)]
    [InlineData(62 * Chunk, true)]
    public void It_behaves_as_a_memory_stream_does_whatever_is_written_and_read_in_whatever_order(int length, bool temporary)
    {
        var random = new Random(7);
        using var stream = temporary ? EncryptedStream.CreateTemporary(_folder) : Open();
        using var expected = new MemoryStream();
        stream.Write(Noise(length, 2));
        expected.Write(Noise(length, 2));
        for (var turn = 0; turn < 400; turn++)
        {
            var position = random.NextInt64(Math.Max(0, length - (8 * Chunk)), expected.Length + 1);
            stream.Position = expected.Position = position;
            if (random.Next(2) == 0)
            {
                var bytes = Noise(random.Next(1, 3 * Chunk / 2), turn);
                stream.Write(bytes);
                expected.Write(bytes);
            }
            else
            {
                var (here, there) = (new byte[random.Next(1, 2 * Chunk)], new byte[2 * Chunk]);
                var read = stream.ReadAtLeast(here, here.Length, throwOnEndOfStream: false);
                Assert.Equal(expected.Read(there, 0, here.Length), read);
                Assert.True(here.AsSpan(0, read).SequenceEqual(there.AsSpan(0, read)));
            }

            Assert.Equal((expected.Length, expected.Position), (stream.Length, stream.Position));
            if (expected.Length > length + (40 * Chunk))
            {
                break;
            }
        }

        stream.FlushToDisk();
        stream.Position = 0;
        Assert.Equal(expected.ToArray(), ReadAll(stream));
        if (temporary)
        {
            return; // nobody opens it again
        }

        using var onDisk = new EncryptedStream(File.Open(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Key);
        Assert.Equal(expected.ToArray(), ReadAll(onDisk));
    }

    [Fact]
    public void Several_read_at_once_much_and_little()
    {
        var content = Noise(80 * Chunk + 17, 5);
        using var stream = EncryptedStream.CreateTemporary(_folder);
        stream.Write(content);

        Parallel.For(0, 200, turn =>
        {
            var random = new Random(turn);
            var position = random.Next(content.Length);
            var read = new byte[turn % 2 == 0 ? random.Next(1, 5000) : random.Next(Chunk, 6 * Chunk)];
            var count = stream.ReadAt(position, read);
            Assert.Equal(Math.Min(read.Length, content.Length - position), count);
            Assert.True(content.AsSpan(position, count).SequenceEqual(read.AsSpan(0, count)));
        });
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 0)]
    [InlineData((3 * Chunk) + 1, 0)]
    [InlineData((3 * Chunk) + 1, 100)] // longer than was expected
    [InlineData(64 * Chunk, 64 * Chunk)]
    public void A_short_one_is_there_in_one_piece_of_memory(int length, long expectedLength)
    {
        using var temporary = EncryptedStream.CreateTemporary(_folder, expectedLength);
        temporary.Write(Noise(length, 3));
        Assert.Equal(Noise(length, 3), temporary.InMemory);

        using (var stream = Open())
        {
            stream.Write(Noise(length, 4));
        }

        using var again = Open();
        Assert.Equal(Noise(length, 4), again.InMemory);
    }

    [Fact]
    public void A_long_one_is_not_in_one_piece_of_memory()
    {
        using var stream = EncryptedStream.CreateTemporary(_folder, 100 * Chunk);
        stream.Write(Noise((64 * Chunk) + 1, 3));

        Assert.True(stream.InMemory.IsEmpty);
    }

    [Fact]
    public void A_temporary_one_needs_no_disk_while_it_is_short_and_has_no_name_when_it_is_long()
    {
        using var stream = EncryptedStream.CreateTemporary(_folder);
        stream.Write(Noise(64 * Chunk, 8));
        stream.FlushToDisk();
        Assert.False(Directory.Exists(_folder));

        stream.Write(Noise(2 * Chunk, 9));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        stream.Position = 64 * Chunk;
        Assert.Equal(Noise(2 * Chunk, 9), ReadAll(stream));
    }

    [Fact]
    public void Others_read_at_their_places_while_one_writes_and_reads_on()
    {
        var content = Noise(8 * Chunk, 5);
        using var stream = Open();
        stream.Write(content);
        stream.Position = 0;

        Parallel.For(0, 200, turn =>
        {
            var (position, bytes) = (turn * 2500, new byte[3 * Chunk / 2]);
            if (turn % 10 == 0)
            {
                lock (content)
                {
                    stream.Position = position;
                    stream.Write(content.AsSpan(position, 100));
                }
            }

            var read = stream.ReadAt(position, bytes);
            Assert.Equal(Math.Min(bytes.Length, content.Length - position), read);
            Assert.True(bytes.AsSpan(0, read).SequenceEqual(content.AsSpan(position, read)));
        });
    }

    [Fact]
    public void An_image_too_large_for_memory_is_masked_as_in_plain_files()
    {
        var format = PixelFormat.Grey(1024, 1024, bitsStored: 12);
        var image = new InstanceBuilder().Image(format, SampleFrame.Noise(format, 10)).Build();
        var masker = new InstanceMasker(FrameCodecs.Managed);
        IReadOnlyList<Mask> masks = [new(new Region(10, 20, 300, 40))];
        using var plain = new MemoryStream();
        var expected = Assert.IsType<MaskOutcome.Masked>(masker.BurnMasks(new MemoryStream(image), plain, masks, CancellationToken.None));
        using var original = Open();
        original.Write(image);
        original.Position = 0;
        using var result = EncryptedStream.CreateTemporary(_folder);

        for (var run = 0; run < 3; run++)
        {
            Assert.Equivalent(expected, masker.BurnMasks(original, result, masks, CancellationToken.None), strict: true);
            result.Position = 0;
            Assert.Equal(plain.ToArray(), ReadAll(result));
            original.Position = result.Position = 0;
        }
    }

    [Fact]
    public void A_chunk_written_again_looks_new_on_disk()
    {
        using (var stream = Open())
        {
            stream.Write(new byte[100]);
        }

        var first = File.ReadAllBytes(_path);
        using (var stream = Open())
        {
            stream.Write(new byte[100]);
        }

        Assert.NotEqual(first, File.ReadAllBytes(_path));
        Assert.Equal(first.Length, File.ReadAllBytes(_path).Length);
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("swapped")]
    [InlineData("cut off")]
    [InlineData("other key")]
    public void What_is_not_as_it_was_written_is_never_handed_out(string damage)
    {
        using (var stream = Open())
        {
            stream.Write(Noise(3 * Chunk, 3));
        }

        var bytes = File.ReadAllBytes(_path);
        var stored = bytes.Length / 3;
        switch (damage)
        {
            case "changed":
                bytes[stored + 1000] ^= 1;
                break;
            case "swapped":
                (var first, var second) = (bytes[..stored], bytes[stored..(2 * stored)]);
                second.CopyTo(bytes, 0);
                first.CopyTo(bytes, stored);
                break;
            case "cut off":
                bytes = bytes[..^5];
                break;
        }

        File.WriteAllBytes(_path, bytes);
        using var damaged = damage == "other key" ? new EncryptedStream(File.Open(_path, FileMode.Open), new byte[EncryptedStream.KeyBytes]) : Open();
        Assert.Contains("damaged on disk", Assert.Throws<IOException>(() => ReadAll(damaged)).Message, StringComparison.Ordinal);
    }

    private EncryptedStream Open() => new(File.Open(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read), Key);

    private static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
