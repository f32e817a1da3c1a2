using System.Numerics;

namespace Sidecar.Dicom.Text;

/// <summary>
/// Pictures made of many frames at once. What is written in any of them is in one of these: bright text in the maximum, dark text in the minimum, text
/// that is the same in all frames in both, and text on something as bright, that is not there in the frame before or behind, in the change.
/// </summary>
internal static class Composite
{
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
