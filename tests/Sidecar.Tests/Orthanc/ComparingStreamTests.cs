using Sidecar.Orthanc;
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
        var comparison = new ComparingStream(new MemoryStream([.. "masked image"u8]));
        foreach (var part in delivered.Chunk(5))
        {
            comparison.Write([.. part.Select(c => (byte)c)]);
        }

        Assert.Equal(isSame, comparison.IsSame);
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
