using System.Security.Cryptography;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>
/// Frames decoded to be masked, kept until the proof asks for the very same original codestream: decoding is the most costly step, and gives the same
/// samples each time. Found by SHA-256, handed out once, limited in size; results are never kept here, so the proof always decodes them afresh.
/// </summary>
public sealed class DecodedFrames
{
    private const long MaxInstanceBytes = 64L << 20;
    private const long MaxBytes = 128L << 20;
    private readonly Lock gate = new();
    private readonly OrderedDictionary<(string Sha256, PixelLayout Layout), byte[]> frames = [];
    private long bytes;

    /// <summary>Keeps a copy, where all frames of the instance would find room.</summary>
    public void Keep(ReadOnlySpan<byte> codestream, PixelLayout layout, ReadOnlySpan<byte> frame)
    {
        if ((long)frame.Length * layout.Frames > MaxInstanceBytes)
        {
            return;
        }
        var key = Key(codestream, layout);
        var copy = GC.AllocateUninitializedArray<byte>(frame.Length);
        frame.CopyTo(copy);
        lock (gate)
        {
            if (!frames.TryAdd(key, copy))
            {
                return;
            }
            bytes += copy.Length;
            while (bytes > MaxBytes)
            {
                bytes -= frames.GetAt(0).Value.Length;
                frames.RemoveAt(0);
            }
        }
    }

    /// <summary>Copies a kept frame to <paramref name="frame"/> and forgets it. False where it is not here.</summary>
    public bool TryTake(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        lock (gate)
        {
            if (frames.Count == 0)
            {
                return false;
            }
        }
        var key = Key(codestream, layout);
        byte[]? kept;
        lock (gate)
        {
            if (!frames.Remove(key, out kept))
            {
                return false;
            }
            bytes -= kept.Length;
        }
        kept.CopyTo(frame);
        return true;
    }

    private static (string Sha256, PixelLayout Layout) Key(ReadOnlySpan<byte> codestream, PixelLayout layout) =>
        (Convert.ToHexStringLower(SHA256.HashData(codestream)), layout);
}

/// <summary>A place for the frame of one codestream; the default one keeps nothing.</summary>
internal readonly ref struct DecodedFrame(DecodedFrames frames, ReadOnlySpan<byte> codestream)
{
    private readonly DecodedFrames? frames = frames;
    private readonly ReadOnlySpan<byte> codestream = codestream;

    public void Keep(PixelLayout layout, ReadOnlySpan<byte> frame) => frames?.Keep(codestream, layout, frame);
}
