using Sidecar.Dicom.Text;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Text;

/// <summary>What decides whether a picture is smoothed before it is enlarged, and what smoothing does.</summary>
public sealed class NoisyPictureTests
{
    private const int Side = 128;

    [Fact]
    public void IsNoisy_Speckle_Is_LettersAndShadesAreNot()
    {
        var letters = Picture((x, y) => y % 32 < 10 && x % 8 < 2 ? 255 : 40);
        var shades = Picture((x, y) => 20 + x + (y / 2) + (Random(x, y) % 12));

        Assert.True(Rendering.IsNoisy(Picture((x, y) => 60 + (Random(x, y) % 120))));
        Assert.False(Rendering.IsNoisy(shades));
        Assert.False(Rendering.IsNoisy(letters));
    }

    [Fact]
    public void Smooth_KeepsShadesAndHalvesNoise()
    {
        var even = Picture((_, _) => 77);
        var noise = Picture((x, y) => 60 + (Random(x, y) % 120));

        Assert.Equal(even.Pixels, Resample.Smooth(even).Pixels);
        // The weights 1, 2, 1 in both directions leave 3/8 of a noise that differs from pixel to pixel.
        Assert.InRange(Deviation(Resample.Smooth(noise)) / Deviation(noise), 0.33, 0.42);
    }

    private static int Random(int x, int y) => (int)(SampleFrame.Hash(5, y, x) % 1000);

    private static GreyImage Picture(Func<int, int, int> value) => new(Side, Side, [.. Enumerable.Range(0, Side * Side).Select(i => (byte)value(i % Side, i / Side))]);

    private static double Deviation(GreyImage image)
    {
        var mean = image.Pixels.Average(value => value);
        return Math.Sqrt(image.Pixels.Average(value => (value - mean) * (value - mean)));
    }
}
