using Sidecar.Dicom.Text;

namespace Sidecar.Benchmarks.Text;

/// <summary>Counts how much a detector is asked to look at, which no other work on the machine changes.</summary>
internal sealed class CountingDetector(ITextDetector detector) : ITextDetector
{
    /// <summary>What the detector adds around a picture, and what sides are rounded up to. Pixels.</summary>
    private const int Margins = 32;
    private const int Multiple = 32;

    private long pixels;

    /// <summary>What it looked at until now, in pictures of 512 × 512.</summary>
    public double Units => Interlocked.Read(ref pixels) / (512.0 * 512);

    public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token)
    {
        Interlocked.Add(ref pixels, (long)RoundUp(image.Width) * RoundUp(image.Height));
        return detector.Detect(image, token);
    }

    private static int RoundUp(int side) => (side + Margins + Multiple - 1) / Multiple * Multiple;
}
