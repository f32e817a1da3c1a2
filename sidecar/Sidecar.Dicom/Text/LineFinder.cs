using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Finds the lines of text of one picture: renders its views, has the detector look at them in the sizes that it knows best, and joins what it says.</summary>
internal sealed class LineFinder(ITextDetector detector)
{
    /// <summary>Pictures with a longer side are looked at in parts, so that a worker's memory is bounded. Pixels.</summary>
    private const int MaxSide = 1280;

    /// <summary>Parts overlap by more than a line is high.</summary>
    private const int PartOverlap = 64;

    /// <summary>Pictures of fewer pixels are doubled: their letters are small, and it costs little.</summary>
    private const int SmallPicture = 300 * 300;

    public List<FoundLine> Find(FrameImage frame, CancellationToken token)
    {
        var found = new List<FoundLine>();
        foreach (var view in Rendering.RenderAll(frame))
        {
            if (frame.Width * frame.Height <= SmallPicture)
            {
                found.AddRange(Detect(Resample.Double(view), token).Select(line => Shrink(line, frame)));
            }
            else
            {
                found.AddRange(Detect(view, token));
            }
        }
        return FoundLine.Merge(found);
    }

    private static FoundLine Shrink(FoundLine line, FrameImage frame)
    {
        var (x, y) = (line.Region.X / 2, line.Region.Y / 2);
        return line with { Region = new Region(x, y, Math.Min((line.Region.Right + 1) / 2, frame.Width) - x, Math.Min((line.Region.Bottom + 1) / 2, frame.Height) - y) };
    }

    private List<FoundLine> Detect(GreyImage image, CancellationToken token)
    {
        var lines = new List<FoundLine>();
        foreach (var (y, height) in Divide(image.Height))
        {
            foreach (var (x, width) in Divide(image.Width))
            {
                var part = width == image.Width && height == image.Height ? image : Resample.Crop(image, x, y, width, height);
                lines.AddRange(detector.Detect(part, token).Select(box =>
                    new FoundLine(new Region(box.Region.X + x, box.Region.Y + y, box.Region.Width, box.Region.Height), box.Confidence, 1)));
            }
        }
        return lines;
    }

    private static IEnumerable<(int Start, int Length)> Divide(int length)
    {
        var parts = (Math.Max(length - PartOverlap, 1) + MaxSide - PartOverlap - 1) / (MaxSide - PartOverlap);
        var part = Math.Min(length, ((length + ((parts - 1) * PartOverlap) + parts - 1) / parts + 31) / 32 * 32);
        for (var i = 0; i < parts; i++)
        {
            var start = parts == 1 ? 0 : (int)((long)(length - part) * i / (parts - 1));
            yield return (start, part);
        }
    }
}
