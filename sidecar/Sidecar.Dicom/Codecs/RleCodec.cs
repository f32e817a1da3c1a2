using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>
/// RLE Lossless (PS3.5 G): one PackBits segment for each byte of a sample, most significant first. Decodes to one plane a sample. Runs outside the
/// masked rows are copied, not coded anew, so masking costs what the masked rows cost.
/// </summary>
public sealed class RleCodec : IFrameCodec
{
    private const int HeaderBytes = 64;

    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        if (layout.BitsAllocated == 12)
        {
            throw new UnsupportedInstanceException("RLE with BitsAllocated 12 is not supported.");
        }
        return new FrameFormat(layout.PlanarShape, black.FillUnits(layout.PlanarShape, layout.SampleBytes, isBigEndian: false));
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        var segments = Segments.Read(codestream, layout);
        var length = SegmentLength(layout);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var plane = rented.AsSpan(0, length);
        var rentedLower = layout.SampleBytes == 2 ? ArrayPool<byte>.Shared.Rent(length) : [];
        for (var i = 0; i < segments.Count; i++)
        {
            var packets = new PacketReader(codestream[segments[i]]);
            var (sample, place) = Place(i, layout);
            var target = frame[(sample * layout.Rows * layout.Columns * layout.SampleBytes)..];
            if (layout.SampleBytes == 1 && !layout.IsBitPacked)
            {
                packets.Decode(target[..length]);
                packets.CheckEnd();
                continue;
            }
            packets.Decode(plane);
            packets.CheckEnd();
            if (layout.IsBitPacked)
            {
                BitPacking.Unpack(plane, 0, 1, layout.Rows * layout.Columns, frame);
                continue;
            }
            if (layout.SampleBytes == 2)
            {
                var lower = rentedLower.AsSpan(0, length);
                packets = new PacketReader(codestream[segments[++i]]);
                packets.Decode(lower);
                packets.CheckEnd();
                Interleave(plane, lower, target[..(2 * length)]);
                continue;
            }
            for (int from = 0, to = place; from < plane.Length; from++, to += layout.SampleBytes)
            {
                target[to] = plane[from];
            }
        }
        ArrayPool<byte>.Shared.Return(rented);
        if (rentedLower.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(rentedLower);
        }
    }

    /// <summary>Words of which <paramref name="higher"/> and <paramref name="lower"/> are the bytes, little endian.</summary>
    private static void Interleave(ReadOnlySpan<byte> higher, ReadOnlySpan<byte> lower, Span<byte> words)
    {
        var i = 0;
        for (; i + Vector128<byte>.Count <= lower.Length; i += Vector128<byte>.Count)
        {
            var (lowFirst, lowSecond) = Vector128.Widen(Vector128.Create(lower[i..]));
            var (highFirst, highSecond) = Vector128.Widen(Vector128.Create(higher[i..]));
            (lowFirst | (highFirst << 8)).AsByte().CopyTo(words[(2 * i)..]);
            (lowSecond | (highSecond << 8)).AsByte().CopyTo(words[((2 * i) + Vector128<byte>.Count)..]);
        }
        for (; i < lower.Length; i++)
        {
            (words[2 * i], words[(2 * i) + 1]) = (lower[i], higher[i]);
        }
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var segments = Segments.Read(codestream, layout);
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header, segments.Count);
        result.Write(header);
        var rows = layout.IsBitPacked ? [(0, SegmentLength(layout))] : MergeRows(regions, layout.Columns);
        for (var i = 0; i < segments.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header[(4 + (4 * i))..], (uint)result.Position);
            var (sample, place) = Place(i, layout);
            var fill = (byte)(black.Cells[sample] >> (8 * place));
            BurnSegment(codestream[segments[i]], layout, fill, regions, rows, result);
            if ((result.Position & 1) != 0)
            {
                result.WriteByte(0);
            }
        }
        var end = result.Position;
        result.Position = 0;
        result.Write(header);
        result.Position = end;
    }

    /// <summary>The sample a segment belongs to, and which of its bytes it holds, 0 being the least significant.</summary>
    private static (int Sample, int Place) Place(int segment, PixelLayout layout) =>
        (segment / layout.SampleBytes, layout.SampleBytes - 1 - (segment % layout.SampleBytes));

    /// <summary>Bytes a segment decodes to. One-bit pixels stay packed, eight a byte, over the ends of rows (PS3.5 8.2.2).</summary>
    private static int SegmentLength(PixelLayout layout) =>
        layout.IsBitPacked ? ((layout.Rows * layout.Columns) + 7) / 8 : layout.Rows * layout.Columns;

    private static List<(int Start, int End)> MergeRows(IReadOnlyList<Region> regions, int columns)
    {
        var merged = new List<(int Start, int End)>();
        foreach (var region in regions.OrderBy(region => region.Y))
        {
            var (start, end) = (region.Y * columns, region.Bottom * columns);
            if (merged.Count > 0 && start <= merged[^1].End)
            {
                merged[^1] = (merged[^1].Start, Math.Max(merged[^1].End, end));
            }
            else
            {
                merged.Add((start, end));
            }
        }
        return merged;
    }

    private static void BurnSegment(
        ReadOnlySpan<byte> segment, PixelLayout layout, byte fill, IReadOnlyList<Region> regions, List<(int Start, int End)> ranges, MemoryStream result)
    {
        var length = SegmentLength(layout);
        var packets = new PacketReader(segment);
        var copied = 0;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var decoded = rented.AsSpan(0, length);
        for (var i = 0; i < ranges.Count;)
        {
            if (packets.Decoded < ranges[i].Start)
            {
                packets.SkipBefore(ranges[i].Start);
            }
            result.Write(segment[copied..packets.Position]);
            var first = packets.Decoded;
            // Runs may cross the ends of rows although PS3.5 G.3.1 forbids it, and then reach into the next range.
            for (; i < ranges.Count && (packets.Decoded == first || ranges[i].Start < packets.Decoded); i++)
            {
                packets.DecodeTo(ranges[i].End, decoded);
            }
            BurnBytes(decoded, layout, fill, regions);
            for (int start = first, end; start < packets.Decoded; start = end)
            {
                var rowEnd = layout.IsBitPacked ? length : ((start / layout.Columns) + 1) * layout.Columns;
                end = Math.Min(rowEnd, packets.Decoded);
                PackBits(decoded[start..end], result);
            }
            copied = packets.Position;
        }
        packets.SkipPast(length);
        result.Write(segment[copied..packets.Position]);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void BurnBytes(Span<byte> plane, PixelLayout layout, byte fill, IReadOnlyList<Region> regions)
    {
        foreach (var region in regions)
        {
            for (var row = region.Y; row < region.Bottom; row++)
            {
                var start = (row * layout.Columns) + region.X;
                if (!layout.IsBitPacked)
                {
                    plane.Slice(start, region.Width).Fill(fill);
                    continue;
                }
                for (var bit = start; bit < start + region.Width; bit++)
                {
                    var flag = (byte)(1 << (bit & 7));
                    plane[bit >> 3] = (byte)(fill != 0 ? plane[bit >> 3] | flag : plane[bit >> 3] & ~flag);
                }
            }
        }
    }

    /// <summary>PS3.5 G.3.1: runs of three and more are replicated, everything else is literal.</summary>
    private static void PackBits(ReadOnlySpan<byte> row, MemoryStream result)
    {
        var literal = 0;
        for (var i = 0; i < row.Length;)
        {
            var rest = row[i..Math.Min(i + 128, row.Length)];
            var run = rest.IndexOfAnyExcept(row[i]);
            run = run < 0 ? rest.Length : run;
            if (run >= 3 || (run == 2 && literal == i))
            {
                WriteLiteral(row[literal..i], result);
                result.WriteByte((byte)(257 - run));
                result.WriteByte(row[i]);
                i += run;
                literal = i;
            }
            else
            {
                i += run;
            }
        }
        WriteLiteral(row[literal..], result);
    }

    private static void WriteLiteral(ReadOnlySpan<byte> bytes, MemoryStream result)
    {
        for (; bytes.Length > 0; bytes = bytes[Math.Min(128, bytes.Length)..])
        {
            var part = bytes[..Math.Min(128, bytes.Length)];
            result.WriteByte((byte)(part.Length - 1));
            result.Write(part);
        }
    }

    private static class Segments
    {
        public static List<Range> Read(ReadOnlySpan<byte> codestream, PixelLayout layout)
        {
            var expected = layout.SamplesPerPixel * layout.SampleBytes;
            if (codestream.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(codestream) != expected)
            {
                throw new DicomFormatException($"An RLE frame does not have the {expected} segments that its pixel format asks for.");
            }
            var offsets = new int[expected + 1];
            offsets[expected] = codestream.Length;
            for (var i = expected - 1; i >= 0; i--)
            {
                var offset = BinaryPrimitives.ReadUInt32LittleEndian(codestream[(4 + (4 * i))..]);
                // Two bytes stand for 128 at most: a segment too short for its pixels is refused before they are allocated.
                if (offset < HeaderBytes || offset > offsets[i + 1] || (offsets[i + 1] - offset) * 64L < SegmentLength(layout))
                {
                    throw new DicomFormatException("An RLE frame is damaged: its segments overlap or are too short for the image size.");
                }
                offsets[i] = (int)offset;
            }
            return [.. Enumerable.Range(0, expected).Select(i => offsets[i]..offsets[i + 1])];
        }
    }

    /// <summary>Walks the PackBits packets of a segment.</summary>
    private ref struct PacketReader(ReadOnlySpan<byte> segment)
    {
        private readonly ReadOnlySpan<byte> segment = segment;

        /// <summary>Bytes of the segment read.</summary>
        public int Position { get; private set; }

        /// <summary>Bytes those stand for.</summary>
        public int Decoded { get; private set; }

        public void Decode(Span<byte> target) => DecodeTo(target.Length, target);

        /// <exception cref="DicomFormatException">So much follows the pixels that it could be another frame, which would keep its text.</exception>
        public readonly void CheckEnd()
        {
            var rest = segment[Position..];
            if (rest.Length > HeaderBytes && rest.ContainsAnyExcept((byte)0))
            {
                throw new DicomFormatException("An RLE segment holds more than the pixels of its frame.");
            }
        }

        /// <summary>Skips packets as long as they end at or before <paramref name="end"/>.</summary>
        public void SkipBefore(int end)
        {
            for (var (size, count) = Packet(); Decoded + count <= end; (size, count) = Packet())
            {
                (Position, Decoded) = (Position + size, Decoded + count);
                if (Decoded == end)
                {
                    return;
                }
            }
        }

        /// <summary>Skips packets until <paramref name="end"/> is reached or passed.</summary>
        public void SkipPast(int end)
        {
            while (Decoded < end)
            {
                var (size, count) = Packet();
                (Position, Decoded) = (Position + size, Decoded + count);
            }
        }

        /// <summary>Decodes packets until <paramref name="end"/> is reached, whole packets, but never past <paramref name="target"/>.</summary>
        public void DecodeTo(int end, Span<byte> target)
        {
            var (from, to) = (Position, Decoded);
            while (to < end)
            {
                if (from + 1 >= segment.Length)
                {
                    // A single byte is no packet that stands for pixels.
                    throw Truncated();
                }
                int code = segment[from++];
                if (code < 128)
                {
                    var count = code + 1;
                    if (count > segment.Length - from)
                    {
                        throw Truncated();
                    }
                    var room = Math.Min(count, target.Length - to);
                    if (count <= Vector128<byte>.Count && Math.Min(segment.Length - from, target.Length - to) >= Vector128<byte>.Count)
                    {
                        // What is written too far is written over by what follows.
                        Vector128.Create(segment[from..]).CopyTo(target[to..]);
                    }
                    else
                    {
                        segment.Slice(from, room).CopyTo(target[to..]);
                    }
                    from += count;
                    to += room;
                }
                else if (code > 128)
                {
                    var count = Math.Min(257 - code, target.Length - to);
                    if (count <= Vector128<byte>.Count && target.Length - to >= Vector128<byte>.Count)
                    {
                        Vector128.Create(segment[from++]).CopyTo(target[to..]);
                    }
                    else
                    {
                        target.Slice(to, count).Fill(segment[from++]);
                    }
                    to += count;
                }
            }
            (Position, Decoded) = (from, to);
        }

        /// <summary>Bytes of the packet at <see cref="Position"/>, and how many it stands for. 128 is a packet that does nothing.</summary>
        private readonly (int Size, int Count) Packet()
        {
            if (Position >= segment.Length)
            {
                throw Truncated();
            }
            var code = segment[Position];
            var (size, count) = code < 128 ? (code + 2, code + 1) : code > 128 ? (2, 257 - code) : (1, 0);
            return Position + size <= segment.Length ? (size, count) : throw Truncated();
        }

        private static DicomFormatException Truncated() => new("An RLE segment is truncated: it ends before the last pixel.");
    }
}
