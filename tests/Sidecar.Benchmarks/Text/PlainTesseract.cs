using System.Diagnostics;
using System.Globalization;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;

namespace Sidecar.Benchmarks.Text;

/// <summary>The `tesseract` command on one rendering, as people use it (PSM 3): its words, joined to lines and grown as masks must be.</summary>
internal static class PlainTesseract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Share of a line's height that is added around it.</summary>
    private const double Growth = 0.3;

    /// <returns>The lines, and the time that it took, of one processor; null where it did not end in time.</returns>
    public static (IReadOnlyList<Claim>? Claims, TimeSpan Processor) Run(GreyImage image, int scale, string workFolder)
    {
        var picture = Path.Combine(workFolder, "frame.pgm");
        var grown = scale == 2 ? Resample.Double(image) : image;
        using (var file = File.Create(picture))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"P5\n{grown.Width} {grown.Height}\n255\n")));
            file.Write(grown.Pixels);
        }
        var start = new ProcessStartInfo("tesseract", [picture, "stdout", "--psm", "3", "tsv"]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["OMP_THREAD_LIMIT"] = "1";
        var begun = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            return (null, Stopwatch.GetElapsedTime(begun));
        }
        var took = Stopwatch.GetElapsedTime(begun);
        _ = errors.GetAwaiter().GetResult();
        var lines = output.GetAwaiter().GetResult().Split('\n').Skip(1).Select(row => row.Split('\t')).Where(row => row.Length == 12 && row[0] == "5" && !string.IsNullOrWhiteSpace(row[11]))
            .GroupBy(row => (row[2], row[3], row[4]), row => row[6..11].Select(number => double.Parse(number, CultureInfo.InvariantCulture) / scale).ToArray());
        return ([.. lines.Select(words => Join([.. words], image, scale))], took);
    }

    // left, top, width, height, confidence
    private static Claim Join(List<double[]> words, GreyImage image, int scale)
    {
        var (left, top) = (words.Min(word => word[0]), words.Min(word => word[1]));
        var (right, bottom) = (words.Max(word => word[0] + word[2]), words.Max(word => word[1] + word[3]));
        var growth = Growth * (bottom - top);
        var (x, y) = ((int)Math.Max(0, left - growth), (int)Math.Max(0, top - growth));
        var region = new Region(x, y, Math.Max(1, (int)Math.Min(image.Width, Math.Ceiling(right + growth)) - x), Math.Max(1, (int)Math.Min(image.Height, Math.Ceiling(bottom + growth)) - y));
        return new Claim(region, null, words.Max(word => word[4]) * scale / 100);
    }
}
