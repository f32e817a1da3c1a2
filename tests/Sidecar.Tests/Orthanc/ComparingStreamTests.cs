using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class ComparingStreamTests
{
    [Theory]
    [InlineData("masked image", true)]
    [InlineData("masked imagE", false)]
    [InlineData("masked imag", false)]
    [InlineData("masked image and more", false)]
    [InlineData("", false)]
    public void Only_what_is_the_same_to_the_end_is_the_same(string delivered, bool isSame)
    {
        using var inOnePiece = EncryptedStream.CreateTemporary("not needed");
        foreach (Stream stored in (Stream[])[new MemoryStream(), inOnePiece])
        {
            stored.Write("masked image"u8);
            stored.Position = 0;
            var comparison = new ComparingStream(stored);
            foreach (var part in delivered.Chunk(5))
            {
                comparison.Write([.. part.Select(c => (byte)c)]);
            }

            Assert.Equal(isSame, comparison.IsSame);
        }
    }

    [Fact]
    public void What_broke_off_is_compared_anew()
    {
        var comparison = new ComparingStream(new MemoryStream([1, 2, 3]));
        comparison.Write([1, 9]);
        comparison.Restart();
        comparison.Write([1, 2, 3]);
        Assert.True(comparison.IsSame);
    }
}
