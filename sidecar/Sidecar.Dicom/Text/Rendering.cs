namespace Sidecar.Dicom.Text;

/// <summary>
/// The 8-bit pictures of a frame that text is looked for in. No single one shows all text: what is written outside of the viewer's window is plain in
/// another scaling, faint letters only against their own surroundings, and coloured ones on grey of the same brightness only in their colour.
/// </summary>
internal static class Rendering
{
    private const int Levels = 65536;

    /// <summary>Share of the darkest and of the brightest pixels that percentile scaling lets go.</summary>
    private const double Tail = 0.005;

    /// <summary>Views that differ by less than this in both ends, as a share of their range, show the same.</summary>
    private const double LeastDifference = 0.15;

    /// <summary>How far a noisy pixel is from the mean of its four neighbours, of 255.</summary>
    private const int NoiseDeviation = 12;

    /// <summary>Share of such pixels from which on a picture is noisy; letters and edges make up less.</summary>
    private const double LeastNoise = 0.25;

    /// <summary>All views that differ, the viewer's first.</summary>
    public static List<GreyImage> RenderAll(FrameImage frame)
    {
        var histogram = new int[Levels];
        foreach (var value in frame.Grey)
        {
            histogram[value]++;
        }
        var (least, greatest) = (Array.FindIndex(histogram, count => count > 0), Array.FindLastIndex(histogram, count => count > 0));
        List<(int Black, int White)> ranges = [];
        if (frame.Window is { } window && window.White > least && window.Black < greatest)
        {
            Add(window);
        }
        Add((FindRank(histogram, (long)(frame.Grey.Length * Tail)), FindRank(histogram, (long)(frame.Grey.Length * (1 - Tail)))));
        Add((least, greatest));
        List<GreyImage> views = [.. ranges.Select(range => Scale(frame, range.Black, range.White))];
        if (frame.Chroma is { } chroma)
        {
            views.Add(new GreyImage(frame.Width, frame.Height, Stretch(chroma.Blue)));
            views.Add(new GreyImage(frame.Width, frame.Height, Stretch(chroma.Red)));
        }
        if (frame.Overlay is { } overlay)
        {
            views.Add(new GreyImage(frame.Width, frame.Height, overlay));
        }
        return views;

        void Add((int Black, int White) range)
        {
            if (range.White > range.Black && !ranges.Exists(other => AreAlike(other, range)))
            {
                ranges.Add(range);
            }
        }
    }

    /// <summary>Whether many pixels differ much from all their neighbours: letters enlarged together with such noise are lost in it.</summary>
    public static bool IsNoisy(GreyImage view)
    {
        var noisy = 0L;
        for (var y = 1; y + 1 < view.Height; y++)
        {
            var above = view.Pixels.AsSpan((y - 1) * view.Width, view.Width);
            var row = view.Pixels.AsSpan(y * view.Width, view.Width);
            var below = view.Pixels.AsSpan((y + 1) * view.Width, view.Width);
            for (var x = 1; x + 1 < row.Length; x++)
            {
                noisy += Math.Abs((4 * row[x]) - row[x - 1] - row[x + 1] - above[x] - below[x]) > 4 * NoiseDeviation ? 1 : 0;
            }
        }
        return noisy > view.Pixels.Length * LeastNoise;
    }

    /// <summary>Linear from <paramref name="black"/> to <paramref name="white"/>, clipped beyond.</summary>
    public static GreyImage Scale(FrameImage frame, int black, int white)
    {
        var table = new byte[Levels];
        for (var i = 0; i < Levels; i++)
        {
            table[i] = (byte)Math.Clamp(((i - black) * 255.0 / (white - black)) + 0.5, 0, 255);
        }
        var pixels = GC.AllocateUninitializedArray<byte>(frame.Grey.Length);
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = table[frame.Grey[i]];
        }
        return new GreyImage(frame.Width, frame.Height, pixels);
    }

    /// <summary>The value that so many pixels are not above.</summary>
    private static int FindRank(int[] histogram, long rank)
    {
        long seen = 0;
        for (var i = 0; i < histogram.Length; i++)
        {
            seen += histogram[i];
            if (seen > rank)
            {
                return i;
            }
        }
        return histogram.Length - 1;
    }

    private static bool AreAlike((int Black, int White) one, (int Black, int White) other)
    {
        var range = Math.Min(one.White - one.Black, other.White - other.Black);
        return Math.Abs(one.Black - other.Black) < range * LeastDifference && Math.Abs(one.White - other.White) < range * LeastDifference;
    }

    private static byte[] Stretch(byte[] chroma)
    {
        var (least, greatest) = (chroma.Min(), chroma.Max());
        return Array.ConvertAll(chroma, value => (byte)((value - least) * 255 / Math.Max(1, greatest - least)));
    }
}
