using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;
using Sidecar.Dicom.Masking;
using Xunit;
using Xunit.Abstractions;

namespace Sidecar.Tests.Dicom;

/// <summary>SHA-256 of several messages at once, against the operating system's.</summary>
public sealed class Sha256LanesTests(ITestOutputHelper output)
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
            var messages = Enumerable.Range(0, 1 + (first % Sha256Lanes.Lanes)).Select(lane => new byte[first + (lane * random.Next(70))]).ToArray();
            Array.ForEach(messages, random.NextBytes);

            Assert.Equal(messages.Select(message => Convert.ToHexStringLower(SHA256.HashData(message))), Hash(messages));
        }
    }

    private static IEnumerable<string> Hash(params byte[][] messages) =>
        Sha256Lanes.Hash([.. messages.Select(message => new ReadOnlyMemory<byte>(message))]).Select(Convert.ToHexStringLower);
}
