using System.Buffers;
using System.Buffers.Binary;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>SmallestImagePixelValue and LargestImagePixelValue (PS3.3 C.7.6.3), measured on the masked pixels.</summary>
internal static class PixelExtremes
{
    /// <summary>Whether the file has any.</summary>
    public static bool AreIn(Part10File file) => (file.Find(DicomTag.SmallestImagePixelValue) ?? file.Find(DicomTag.LargestImagePixelValue)) is not null;

    /// <summary>The values that no longer hold, by tag, in two bytes as the file writes them.</summary>
    public static IEnumerable<(DicomElement Element, byte[] Value)> FindStale(Part10File file, StoredPixels pixels, CancellationToken token)
    {
        var smallest = file.Find(DicomTag.SmallestImagePixelValue) is { ValueLength: 2 } first ? first : null;
        var largest = file.Find(DicomTag.LargestImagePixelValue) is { ValueLength: 2 } second ? second : null;
        var layout = pixels.Layout;
        if ((smallest is null && largest is null) || layout.SamplesPerPixel != 1 || layout.SampleKind != SampleKind.WholeNumber || layout.SampleBytes > 2)
        {
            yield break;
        }
        var (low, high) = Measure(pixels, token);
        foreach (var (element, value) in new[] { (smallest, low), (largest, high) })
        {
            if (element is null)
            {
                continue;
            }
            var bytes = new byte[2];
            file.Encoding.WriteUInt16(bytes, unchecked((ushort)value));
            if (!file.ReadValue(element).AsSpan().SequenceEqual(bytes))
            {
                yield return (element, bytes);
            }
        }
    }

    private static (int Low, int High) Measure(StoredPixels pixels, CancellationToken token)
    {
        var layout = pixels.Layout;
        var (low, high) = (int.MaxValue, int.MinValue);
        var (lift, drop) = (32 - layout.HighBit - 1, 32 - layout.BitsStored);
        var size = checked((int)pixels.FormatOf(0).Shape.FrameBytes);
        var frame = ArrayPool<byte>.Shared.Rent(size);
        for (var i = 0; i < layout.Frames; i++)
        {
            token.ThrowIfCancellationRequested();
            pixels.ReadFrame(i, frame.AsSpan(0, size));
            for (var at = 0; at < size; at += layout.SampleBytes)
            {
                int cell = layout.SampleBytes == 1 ? frame[at]
                    : pixels.IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(at))
                    : BinaryPrimitives.ReadUInt16LittleEndian(frame.AsSpan(at));
                // Shifting up and down drops the unused bits and extends the sign.
                var value = layout.IsSigned ? cell << lift >> drop : (int)((uint)cell << lift >> drop);
                low = Math.Min(low, value);
                high = Math.Max(high, value);
            }
        }
        ArrayPool<byte>.Shared.Return(frame);
        return (low, high);
    }
}
