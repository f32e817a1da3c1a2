namespace Sidecar.TestData;

/// <summary>Lays samples out as stored (PS3.5 8.1, PS3.3 C.7.6.3.1.3), little endian; the writer swaps words for big endian.</summary>
internal static class PixelPacker
{
    /// <param name="highBits">Overlay planes in unused high bits: the bit, and whether it is set at (frame, x, y).</param>
    public static byte[] Pack(PixelFormat format, SampleFrame frame, int frameIndex, IReadOnlyList<(int Bit, Func<int, int, int, bool> IsSet)> highBits)
    {
        var bytesPerSample = format.BitsAllocated / 8;
        var pixels = format.Columns * format.Rows;
        if (format.PhotometricInterpretation == "YBR_FULL_422")
        {
            return Pack422(format, frame);
        }

        var bytes = new byte[frame.Samples.Length * bytesPerSample];
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            for (var sample = 0; sample < format.SamplesPerPixel; sample++)
            {
                var value = StoredValue(format, frame.Samples[(pixel * format.SamplesPerPixel) + sample], highBits.Count > 0);
                foreach (var (bit, isSet) in highBits)
                {
                    value |= isSet(frameIndex, pixel % format.Columns, pixel / format.Columns) ? 1L << bit : 0;
                }

                var index = format.PlanarConfiguration == 1 ? (sample * pixels) + pixel : (pixel * format.SamplesPerPixel) + sample;
                for (var significance = 0; significance < bytesPerSample; significance++)
                {
                    bytes[(index * bytesPerSample) + significance] = (byte)(value >> (8 * significance));
                }
            }
        }

        return bytes;
    }

    /// <summary>1-bit pixels: the first pixel in the lowest bit, frames not aligned to bytes (PS3.5 8.1.1, D.2).</summary>
    public static byte[] PackBits(PixelFormat format, IReadOnlyList<SampleFrame> frames)
    {
        var pixels = format.Columns * format.Rows;
        var bytes = new byte[((pixels * frames.Count) + 7) / 8];
        for (var frame = 0; frame < frames.Count; frame++)
        {
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                var bit = (frame * pixels) + pixel;
                bytes[bit / 8] |= (byte)((frames[frame].Samples[pixel] & 1) << (bit % 8));
            }
        }

        return bytes;
    }

    private static long StoredValue(PixelFormat format, int value, bool overlaysAbove)
    {
        var shift = format.HighBit + 1 - format.BitsStored;

        // Scanners extend the sign over the unused bits; where overlays live there, they cannot.
        var mask = format.IsSigned && !overlaysAbove ? -1L : (1L << format.BitsStored) - 1;
        return (value & mask) << shift;
    }

    private static byte[] Pack422(PixelFormat format, SampleFrame frame)
    {
        var bytes = new List<byte>(frame.Samples.Length * 2 / 3);
        for (var pixel = 0; pixel + 1 < format.Columns * format.Rows; pixel += 2)
        {
            var first = frame.Samples.AsSpan(pixel * 3, 3);
            bytes.AddRange([(byte)first[0], (byte)frame.Samples[(pixel + 1) * 3], (byte)first[1], (byte)first[2]]);
        }

        return [.. bytes];
    }
}
