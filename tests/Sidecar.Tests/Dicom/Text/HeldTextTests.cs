using Sidecar.Dicom.Text;
using Xunit;

namespace Sidecar.Tests.Dicom.Text;

/// <summary>The mixture of frames that shows narrow things which stay where they are, whatever else passes there.</summary>
public sealed class HeldTextTests
{
    private const int Width = 101;
    private const int Height = 30;

    [Theory]
    [InlineData(0, 6, 250, 80)]
    [InlineData(14, 20, 250, 80)]
    [InlineData(0, 20, 250, 80)]
    [InlineData(9, 10, 250, 80)]
    [InlineData(9, 14, 40, 80)]
    [InlineData(9, 12, 40, 0)]
    [InlineData(9, 10, 40, 0)]
    public void Held_StrokesInSomeFrames_StandOutAsFarAsTheyDoThere(int from, int to, int otherwise, int expected)
    {
        var held = Composite.Held([.. Enumerable.Range(0, 20).Select(i => Frame(i, from, to, x: 40, otherwise))]);

        Assert.All(Enumerable.Range(0, Height), y => Assert.Equal([0, expected, expected, expected, 0], Enumerable.Range(39, 5).Select(x => (int)held.Grey[(y * Width) + x])));
        Assert.Equal(3 * Height, held.Grey.Count(value => value > 0) + (expected == 0 ? 3 * Height : 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Width - 3)]
    public void Held_StrokesAtTheEdge_StandOutToo(int x)
    {
        var held = Composite.Held([.. Enumerable.Range(0, 8).Select(i => Frame(i, 0, 8, x))]);

        Assert.Equal([.. Enumerable.Repeat(80, 3 * Height)], held.Grey.Where(value => value > 0).Select(value => (int)value));
    }

    [Fact]
    public void Held_FewerFramesThanHaveToHold_AllOfThemDo() =>
        Assert.Equal(80, Composite.Held([Frame(0, 0, 2, x: 40), Frame(1, 0, 2, x: 40)]).Grey[41]);

    /// <summary>Strokes of 120, three pixels wide, on 40; in all other frames something wide is in their place.</summary>
    private static FrameImage Frame(int frame, int from, int to, int x, int otherwise = 250)
    {
        var isThere = frame >= from && frame < to;
        var grey = new ushort[Width * Height];
        for (var i = 0; i < grey.Length; i++)
        {
            var column = i % Width;
            grey[i] = (ushort)(isThere && column >= x && column < x + 3 ? 120 : !isThere && column is >= 20 and < 80 ? otherwise : 40);
        }
        return new FrameImage(Width, Height, grey);
    }
}
