using System.Buffers.Binary;

namespace Sidecar.TestData;

/// <summary>RLE Lossless (PS3.5 G), written for clearness, apart from the codec under test.</summary>
public static class RleEncoder
{
    /// <summary>One frame as one fragment.</summary>
    /// <param name="frame">Samples by pixel (planes interleaved), little endian, <paramref name="bytesPerSample"/> bytes each.</param>
    public static byte[] EncodeFrame(ReadOnlySpan<byte> frame, int columns, int rows, int samplesPerPixel, int bytesPerSample)
    {
        // G.2: one segment for each byte of each sample, the most significant byte first.
        var segments = new List<byte[]>();
        var plane = new byte[columns * rows];
        for (var sample = 0; sample < samplesPerPixel; sample++)
        {
            for (var significance = bytesPerSample - 1; significance >= 0; significance--)
            {
                for (var pixel = 0; pixel < plane.Length; pixel++)
                {
                    plane[pixel] = frame[(((pixel * samplesPerPixel) + sample) * bytesPerSample) + significance];
                }

                segments.Add(EncodeSegment(plane, columns));
            }
        }

        // G.5: the header holds the number of segments and up to fifteen offsets.
        var header = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)segments.Count);
        var offset = header.Length;
        for (var index = 0; index < segments.Count; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4 + (4 * index)), (uint)offset);
            offset += segments[index].Length;
        }

        var fragment = new byte[offset];
        header.CopyTo(fragment, 0);
        offset = header.Length;
        foreach (var segment in segments)
        {
            segment.CopyTo(fragment, offset);
            offset += segment.Length;
        }

        return fragment;
    }

    private static byte[] EncodeSegment(ReadOnlySpan<byte> plane, int columns)
    {
        using var output = new MemoryStream();
        for (var at = 0; at < plane.Length; at += columns)
        {
            // G.3.1: a run never goes on from one row to the next.
            EncodeRow(plane.Slice(at, columns), output);
        }

        if (output.Length % 2 != 0)
        {
            output.WriteByte(0);
        }

        return output.ToArray();
    }

    private static void EncodeRow(ReadOnlySpan<byte> row, MemoryStream output)
    {
        for (var at = 0; at < row.Length;)
        {
            var run = RunLength(row, at);
            if (run > 1)
            {
                output.WriteByte((byte)(257 - run));
                output.WriteByte(row[at]);
                at += run;
                continue;
            }

            var literalEnd = at + 1;
            while (literalEnd < row.Length && literalEnd - at < 128 && RunLength(row, literalEnd) < 3)
            {
                literalEnd++;
            }

            output.WriteByte((byte)(literalEnd - at - 1));
            output.Write(row[at..literalEnd]);
            at = literalEnd;
        }
    }

    private static int RunLength(ReadOnlySpan<byte> row, int at)
    {
        var end = at + 1;
        while (end < row.Length && end - at < 128 && row[end] == row[at])
        {
            end++;
        }

        return end - at;
    }
}
