using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;
using Sidecar.Dicom.Masking;
using Xunit;
using Xunit.Abstractions;

namespace Sidecar.Tests.Dicom;

/// <summary>Hashes of several messages at once, against the operating system's.</summary>
public sealed class HashLanesTests(ITestOutputHelper output)
{
    private bool CanRun()
    {
        if (!Avx2.IsSupported)
        {
            output.WriteLine("Not run: this processor has no AVX2, so the code under test is never used on it.");
        }
        return Avx2.IsSupported;
    }

    [Fact]
    public void Hash_PublishedMessages_GivesThePublishedValues()
    {
        if (!CanRun())
        {
            return;
        }
        // FIPS 180-4's examples, as NIST publishes them.
        var hashes = Hash("abc"u8.ToArray(), "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"u8.ToArray(), [], Encoding.ASCII.GetBytes(new string('a', 1_000_000)));

        Assert.Equal(
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ],
            hashes);
    }

    [Fact]
    public void Hash_EveryLengthAroundBlocks_IsTheOperatingSystems()
    {
        if (!CanRun())
        {
            return;
        }
        var random = new Random(180);
        for (var first = 0; first < 300; first++)
        {
            // Every number of lanes, of lengths that end in different blocks.
            var messages = Enumerable.Range(0, 1 + (first % HashLanes.Lanes)).Select(lane => new byte[first + (lane * random.Next(70))]).ToArray();
            Array.ForEach(messages, random.NextBytes);

            Assert.Equal(messages.Select(message => Convert.ToHexStringLower(SHA256.HashData(message))), Hash(messages));
#pragma warning disable CA5351 // what is tested here
            Assert.Equal(messages.Select(message => Convert.ToHexStringLower(MD5.HashData(message))), HashMd5(messages));
#pragma warning restore CA5351
        }
    }

    [Fact]
    public void Hash_PublishedMessages_GivesThePublishedMd5()
    {
        if (!CanRun())
        {
            return;
        }
        // RFC 1321, A.5.
        Assert.Equal(
            [
                "d41d8cd98f00b204e9800998ecf8427e",
                "0cc175b9c0f1b6a831c399e269772661",
                "f96b697d7cb7938d525a2f31aaf161d0",
                "57edf4a22be3c955ac49da2e2107b67a",
            ],
            HashMd5([], "a"u8.ToArray(), "message digest"u8.ToArray(), "12345678901234567890123456789012345678901234567890123456789012345678901234567890"u8.ToArray()));
    }

    private static IEnumerable<string> HashMd5(params byte[][] messages) =>
        HashLanes.Hash<Md5Lanes>([.. messages.Select(message => new ReadOnlyMemory<byte>(message))]).Select(Convert.ToHexStringLower);

    private static IEnumerable<string> Hash(params byte[][] messages) =>
        HashLanes.Hash<Sha256Lanes>([.. messages.Select(message => new ReadOnlyMemory<byte>(message))]).Select(Convert.ToHexStringLower);
}
