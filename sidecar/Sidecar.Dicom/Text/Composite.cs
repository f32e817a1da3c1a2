using System.Numerics;

namespace Sidecar.Dicom.Text;

/// <summary>
/// Pictures made of many frames at once. What is written in any of them is in one of these: bright text in the maximum, dark text in the minimum, text
/// that is the same in all frames in both, text on something as bright, that is not there in the frame before or behind, in the change, and text that
/// stays for some frames, while something brighter is in its place in others, in what is held.
/// </summary>
internal static class Composite
{
    /// <summary>What is wider is no stroke of a letter that is hard to see. Pixels; a power of two.</summary>
    private const int Stroke = 8;

    /// <summary>Consecutive frames in which something has to stay where it is to be held; one more where it comes at an odd one.</summary>
    private const int HeldFrames = 4;

    /// <summary>With everything that overlays draw over any of the frames.</summary>
    public static FrameImage Maximum(IReadOnlyList<FrameImage> frames)
    {
        var image = Combine(frames, Vector.Max, Math.Max);
        var overlays = frames.Select(frame => frame.Overlay).OfType<byte[]>().Distinct().ToList();
        return overlays.Count == 0 ? image : new FrameImage(image.Width, image.Height, image.Grey) { Chroma = image.Chroma, Window = image.Window, Overlay = overlays.Aggregate(Unite) };
    }

    public static FrameImage Minimum(IReadOnlyList<FrameImage> frames) => Combine(frames, Vector.Min, Math.Min);

    /// <summary>How far each pixel is, in the frame where it is farthest, from the mean of the frames before and behind.</summary>
    public static FrameImage Change(IReadOnlyList<FrameImage> frames)
    {
        var grey = new ushort[frames[0].Grey.Length];
        for (var i = 0; i < frames.Count; i++)
        {
            var (before, behind) = (frames[i > 0 ? i - 1 : i + 1].Grey, frames[i + 1 < frames.Count ? i + 1 : i - 1].Grey);
            var here = frames[i].Grey;
            var at = 0;
            for (; at <= grey.Length - Vector<ushort>.Count; at += Vector<ushort>.Count)
            {
                var (x, one, other) = (new Vector<ushort>(here, at), new Vector<ushort>(before, at), new Vector<ushort>(behind, at));
                // Between the two neighbours nothing changed; beyond both, by the smaller distance.
                var above = Vector.SubtractSaturate(x, Vector.Max(one, other));
                var below = Vector.SubtractSaturate(Vector.Min(one, other), x);
                Vector.Max(new Vector<ushort>(grey, at), Vector.Max(above, below)).CopyTo(grey, at);
            }
            for (; at < grey.Length; at++)
            {
                var (high, low) = (Math.Max(before[at], behind[at]), Math.Min(before[at], behind[at]));
                grey[at] = (ushort)Math.Max(grey[at], Math.Max(here[at] - high, low - here[at]));
            }
        }
        return new FrameImage(frames[0].Width, frames[0].Height, grey);
    }

    /// <summary>
    /// What is narrow, like the strokes of letters, brighter than what is beside it in its row, and stays in place for some frames: how far it stands out where it does most.
    /// Whatever is wide, however bright, leaves nothing here, and neither does speckle, which is not the same in the next frame.
    /// </summary>
    public static FrameImage Held(IReadOnlyList<FrameImage> frames)
    {
        var (width, height) = (frames[0].Width, frames[0].Height);
        var grey = new ushort[frames[0].Grey.Length];
        // Room on both sides for what a stretch, and a whole vector, reach beyond a row. It stays black, so that what begins at the edge is as narrow as it seems.
        var room = Stroke + Vector<ushort>.Count;
        var (least, eroded) = (new ushort[width + (2 * room)], new ushort[width + (2 * room)]);
        var held = Math.Min(HeldFrames, frames.Count);
        for (var first = 0; first + held <= frames.Count; first += Math.Max(1, held / 2))
        {
            for (var y = 0; y < height; y++)
            {
                frames[first].Grey.AsSpan(y * width, width).CopyTo(least.AsSpan(room));
                for (var i = first + 1; i < first + held; i++)
                {
                    var other = frames[i].Grey;
                    var x = 0;
                    for (; x + Vector<ushort>.Count <= width; x += Vector<ushort>.Count)
                    {
                        Vector.Min(new Vector<ushort>(least, room + x), new Vector<ushort>(other, (y * width) + x)).CopyTo(least, room + x);
                    }
                    for (; x < width; x++)
                    {
                        least[room + x] = Math.Min(least[room + x], other[(y * width) + x]);
                    }
                }
                // The greatest of the least values of all stretches of a row that hold a pixel: what is narrower than a stretch is gone there (an opening).
                least.CopyTo(eroded, 0);
                for (var reach = 1; reach < Stroke; reach *= 2)
                {
                    for (var x = 0; x + reach + Vector<ushort>.Count <= eroded.Length; x += Vector<ushort>.Count)
                    {
                        Vector.Min(new Vector<ushort>(eroded, x), new Vector<ushort>(eroded, x + reach)).CopyTo(eroded, x);
                    }
                }
                for (var reach = 1; reach < Stroke; reach *= 2)
                {
                    for (var x = eroded.Length - Vector<ushort>.Count; x >= reach; x -= Vector<ushort>.Count)
                    {
                        Vector.Max(new Vector<ushort>(eroded, x), new Vector<ushort>(eroded, x - reach)).CopyTo(eroded, x);
                    }
                }
                var column = 0;
                for (; column + Vector<ushort>.Count <= width; column += Vector<ushort>.Count)
                {
                    var at = (y * width) + column;
                    Vector.Max(new Vector<ushort>(grey, at), new Vector<ushort>(least, room + column) - new Vector<ushort>(eroded, room + column)).CopyTo(grey, at);
                }
                for (; column < width; column++)
                {
                    var at = (y * width) + column;
                    grey[at] = Math.Max(grey[at], (ushort)(least[room + column] - eroded[room + column]));
                }
            }
        }
        return new FrameImage(width, height, grey);
    }

    private static byte[] Unite(byte[] one, byte[] other)
    {
        var both = one.ToArray();
        for (var i = 0; i < both.Length; i++)
        {
            both[i] |= other[i];
        }
        return both;
    }

    private static FrameImage Combine(IReadOnlyList<FrameImage> frames, Func<Vector<ushort>, Vector<ushort>, Vector<ushort>> choose, Func<ushort, ushort, ushort> chooseOne)
    {
        var grey = frames[0].Grey.ToArray();
        var chroma = frames[0].Chroma is { } first ? (Blue: first.Blue.ToArray(), Red: first.Red.ToArray()) : ((byte[] Blue, byte[] Red)?)null;
        foreach (var frame in frames.Skip(1))
        {
            var at = 0;
            for (; at <= grey.Length - Vector<ushort>.Count; at += Vector<ushort>.Count)
            {
                choose(new Vector<ushort>(grey, at), new Vector<ushort>(frame.Grey, at)).CopyTo(grey, at);
            }
            for (; at < grey.Length; at++)
            {
                grey[at] = chooseOne(grey[at], frame.Grey[at]);
            }
            if (chroma is { } colours && frame.Chroma is { } others)
            {
                TakeStronger(colours.Blue, others.Blue);
                TakeStronger(colours.Red, others.Red);
            }
        }
        return new FrameImage(frames[0].Width, frames[0].Height, grey) { Chroma = chroma, Window = frames[0].Window };
    }

    /// <summary>The colour farther from grey.</summary>
    private static void TakeStronger(byte[] strongest, byte[] other)
    {
        for (var i = 0; i < strongest.Length; i++)
        {
            strongest[i] = Math.Abs(other[i] - 128) > Math.Abs(strongest[i] - 128) ? other[i] : strongest[i];
        }
    }
}
