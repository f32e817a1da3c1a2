using Sidecar.Dicom.Text;
using Sidecar.TestData;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Workers;

/// <summary>Real text workers with the real Tesseract.</summary>
public sealed class TextReadingTests
{
    [Theory]
    [InlineData(2, 0, 220)]
    [InlineData(2, 255, 30)]
    [InlineData(2, 100, 130)]
    [InlineData(12, 40, 200)]
    public void Read_Line_IsReadWhateverItsContrastAndSize(int scale, byte background, byte ink)
    {
        using var pool = new TextWorkerPool(new WorkerOptions { Count = 1 }, null);

        var reading = pool.Read(Line("ROE LUCY 1925", scale, background, ink), CancellationToken.None);

        Assert.Equal("ROELUCY1925", reading.Text.Replace(" ", "", StringComparison.Ordinal));
        Assert.InRange(reading.Confidence, 0.5, 1);
    }

    [Fact]
    public void Read_NothingThere_IsEmptyWithoutConfidence()
    {
        using var pool = new TextWorkerPool(new WorkerOptions { Count = 1 }, null);

        Assert.Equal(new TextReading("", 0), pool.Read(new GreyImage(80, 20, new byte[1600]), CancellationToken.None));
    }

    [Fact]
    public void Read_LanguageThatDoesNotLoad_FailsAndSaysSo()
    {
        var nowhere = new TextModelOptions { Languages = "tlh", LanguageDirectory = "/nowhere" };
        using var pool = new TextWorkerPool(new WorkerOptions { Count = 1 }, null, nowhere);

        var failure = Assert.Throws<ScanFailedException>(() => pool.Read(Line("DOE", 2, 0, 200), CancellationToken.None));

        Assert.Contains("tlh", failure.Message, StringComparison.Ordinal);
        Assert.Contains("tesseract-ocr-tlh", Assert.Single(nowhere.FindMissingLanguages()), StringComparison.Ordinal);
    }

    /// <summary>Letters of five by seven dots, each as many pixels as <paramref name="scale"/> in each direction, with room around them.</summary>
    private static GreyImage Line(string text, int scale, byte background, byte ink)
    {
        var (width, height) = ((text.Length * BitmapFont.Advance * scale) + (4 * scale), (BitmapFont.Height + 4) * scale);
        var pixels = new byte[width * height];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (y, x) = Math.DivRem(i, width);
            var (row, column) = ((y / scale) - 2, (x / scale) - 2);
            var isInk = row is >= 0 and < BitmapFont.Height && column >= 0 && column / BitmapFont.Advance < text.Length && column % BitmapFont.Advance < BitmapFont.Width
                && BitmapFont.IsSet(text[column / BitmapFont.Advance], column % BitmapFont.Advance, row);
            pixels[i] = isInk ? ink : background;
        }
        return new GreyImage(width, height, pixels);
    }
}
