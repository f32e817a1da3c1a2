using System.Buffers;
using System.Buffers.Binary;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>
/// Compressed pixel data in fragments (PS3.5 A.4). Frames that are not masked keep their fragments; a masked frame becomes one fragment, and the
/// offset tables follow.
/// </summary>
internal sealed class EncapsulatedPixels : StoredPixels
{
    private const int MaxCodestreamBytes = 1 << 30;

    /// <summary>In place of a length: the frame was copied, and what the table says of it stays.</summary>
    private const long KeepLength = -1;

    private readonly IFrameCodec codec;
    private readonly BlackSample black;
    private readonly List<FrameFragments> frames;
    private readonly List<(long ValueStart, byte[] Value)> dependentValues = [];

    public EncapsulatedPixels(Part10File file, DicomElement element, PixelLayout layout, BlackSample black, IFrameCodec codec)
        : base(file, element, layout)
    {
        (this.codec, this.black) = (codec, black);
        frames = FrameFragments.Find(file, element, layout.Frames);
    }

    public override bool IsBigEndian => false;

    public override IEnumerable<(long ValueStart, byte[] Value)> DependentValues => dependentValues;

    private Fragment OffsetTable => Element.Fragments![0];

    public override Transcoding? PlanTranscoding()
    {
        var codestream = ReadCodestream(0, out var length);
        try
        {
            return codec.PlanTranscoding(codestream.AsSpan(0, length), Layout);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codestream);
        }
    }

    public override FrameFormat FormatOf(int frame)
    {
        var codestream = ReadCodestream(frame, out var length);
        try
        {
            return codec.Describe(codestream.AsSpan(0, length), Layout, black);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codestream);
        }
    }

    public override void ReadFrame(int frame, Span<byte> samples)
    {
        var codestream = ReadCodestream(frame, out var length);
        try
        {
            codec.Decode(codestream.AsSpan(0, length), Layout, samples);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codestream);
        }
    }

    public override SampleFormat ReadSamples(int frame, Span<byte> room)
    {
        var codestream = ReadCodestream(frame, out var length, mayHoldAnother: true);
        try
        {
            return codec.DecodeSamples(codestream.AsSpan(0, length), Layout, black, room);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codestream);
        }
    }

    public override void WriteBurned(Stream result, Func<int, IReadOnlyList<Region>> regionsOf, CancellationToken token)
    {
        var (offsets, lengths) = (new long[frames.Count], new long[frames.Count]);
        var tableStart = result.Position;
        // Filled before, filled again, with one entry a frame; empty before, empty again.
        var offsetTable = new byte[OffsetTable.Length == 0 ? 0 : 4 * frames.Count];
        WriteItemHead(offsetTable.Length, result);
        result.Write(offsetTable);
        var firstFragment = result.Position;
        var mayCopyFrames = PlanTranscoding() is null;
        // As many frames at once as there are processors, then those in order.
        var burned = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new MemoryStream()).ToArray();
        for (var first = 0; first < frames.Count; first += burned.Length)
        {
            var end = Math.Min(first + burned.Length, frames.Count);
            ParallelLoop.Run(first, end, frame => BurnFrame(frame, regionsOf(frame), mayCopyFrames, burned[frame % burned.Length]), token);
            for (var frame = first; frame < end; frame++)
            {
                offsets[frame] = result.Position - firstFragment;
                var codestream = burned[frame % burned.Length];
                if (codestream.Length == 0)
                {
                    CopyRange(frames[frame].Start, frames[frame].End, result);
                    lengths[frame] = KeepLength;
                    continue;
                }
                WriteFragment(codestream, result);
                // PS3.3 C.7.6.3.1.9: the length of the codestream, a padding byte not counted.
                lengths[frame] = codestream.Length;
            }
        }
        RewriteOffsetTable(result, tableStart, offsetTable, offsets);
        RewriteExtendedOffsetTable(offsets, lengths);
    }

    /// <summary>Leaves <paramref name="burned"/> empty where the frame has no region and may be copied.</summary>
    private void BurnFrame(int frame, IReadOnlyList<Region> regions, bool mayCopy, MemoryStream burned)
    {
        burned.SetLength(0);
        if (regions.Count == 0 && mayCopy)
        {
            return;
        }
        var codestream = ReadCodestream(frame, out var length);
        try
        {
            codec.Burn(codestream.AsSpan(0, length), Layout, black, regions, burned);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codestream);
        }
    }

    private static void WriteItemHead(long length, Stream result)
    {
        Span<byte> head = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], (uint)length);
        result.Write(head);
    }

    private static void WriteFragment(MemoryStream codestream, Stream result)
    {
        var padding = codestream.Length & 1;
        WriteItemHead(codestream.Length + padding, result);
        result.Write(codestream.GetBuffer(), 0, (int)codestream.Length);
        if (padding != 0)
        {
            result.WriteByte(0);
        }
    }

    /// <param name="frame">0-based.</param>
    /// <param name="length">Of the codestream in the rented array.</param>
    /// <param name="mayHoldAnother">To be looked at, the image that viewers show is enough.</param>
    private byte[] ReadCodestream(int frame, out int length, bool mayHoldAnother = false)
    {
        length = checked((int)frames[frame].CodestreamLength);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var position = 0;
        foreach (var fragment in frames[frame].Fragments)
        {
            Source.ReadExactly(fragment.ValueStart, buffer.AsSpan(position, (int)fragment.Length));
            position += (int)fragment.Length;
        }
        if (!mayHoldAnother && HoldsAnother(buffer.AsSpan(0, length)))
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw new DicomFormatException($"Frame {frame + 1} of the encapsulated pixel data holds more than one image, but the header says one.");
        }
        return buffer;
    }

    /// <summary>Whether a codestream begins where another has ended. Some readers show both, and the second would keep its text.</summary>
    private static bool HoldsAnother(ReadOnlySpan<byte> codestream)
    {
        ReadOnlySpan<byte> endOfImage = [0xFF, 0xD9];
        for (int at; (at = codestream.IndexOf(endOfImage)) >= 0;)
        {
            codestream = codestream[(at + endOfImage.Length)..];
            if (FrameFragments.IsCodestream(codestream.TrimStart((byte)0)))
            {
                return true;
            }
        }
        return false;
    }

    private void CopyRange(long start, long end, Stream result)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        File.Stream.Position = start;
        for (var left = end - start; left > 0;)
        {
            var count = File.Stream.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            result.Write(buffer, 0, count > 0 ? count : throw new EndOfStreamException());
            left -= count;
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void RewriteOffsetTable(Stream result, long tableStart, byte[] table, long[] offsets)
    {
        if (table.Length == 0)
        {
            return;
        }
        for (var frame = 0; frame < offsets.Length; frame++)
        {
            if (offsets[frame] > uint.MaxValue)
            {
                throw new UnsupportedInstanceException("The masked pixel data is too large for the file's basic offset table.");
            }
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(4 * frame), (uint)offsets[frame]);
        }
        var end = result.Position;
        result.Position = tableStart + 8;
        result.Write(table);
        result.Position = end;
    }

    private void RewriteExtendedOffsetTable(long[] offsets, long[] lengths)
    {
        dependentValues.Clear();
        foreach (var (tag, values) in new[] { (DicomTag.ExtendedOffsetTable, offsets), (DicomTag.ExtendedOffsetTableLengths, lengths) })
        {
            if (File.Find(tag) is { ValueLength: > 0 } table)
            {
                var bytes = File.ReadValue(table);
                for (var frame = 0; frame < values.Length; frame++)
                {
                    if (values[frame] == KeepLength || (8 * frame) + 8 > bytes.Length)
                    {
                        continue;
                    }
                    BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 * frame), values[frame]);
                }
                dependentValues.Add((table.ValueStart, bytes));
            }
        }
    }

    /// <summary>The fragments that together are one frame's codestream.</summary>
    private sealed record FrameFragments(IReadOnlyList<Fragment> Fragments)
    {
        public long Start => Fragments[0].Start;

        public long End => Fragments[^1].ValueEnd;

        public long CodestreamLength => Fragments.Sum(fragment => fragment.Length);

        /// <summary>Deals the fragments out to frames: by the offset tables where there are any, else by count, else by where codestreams start.</summary>
        public static List<FrameFragments> Find(Part10File file, DicomElement element, int frameCount)
        {
            if (element.Fragments!.Count < 2)
            {
                throw new DicomFormatException("The encapsulated pixel data holds no frame.");
            }
            if (element.Fragments.Count - 1 < frameCount)
            {
                throw new DicomFormatException($"The encapsulated pixel data has {element.Fragments.Count - 1} fragments for {frameCount} frames.");
            }
            var table = element.Fragments[0];
            // Some writers put empty fragments between or behind the frames.
            var fragments = element.Fragments.Skip(1).Where(fragment => fragment.Length > 0).ToList();
            var codestreams = FindCodestreamStarts(file, fragments);
            if (codestreams.Count > frameCount || table.Length > 4L * frameCount)
            {
                // Frames beyond NumberOfFrames are shown by some readers, and would keep their text.
                throw new DicomFormatException($"The encapsulated pixel data holds {Math.Max(codestreams.Count, table.Length / 4)} frames, but the header says {frameCount}.");
            }
            // A table that points beside the fragments, or at too few, is known from the field; the fragments themselves decide then.
            var byOffset = fragments.Select((fragment, i) => (Offset: fragment.Start - table.ValueEnd, i)).ToDictionary();
            var starts = ReadOffsets(file, table, frameCount)?.Select(offset => byOffset.GetValueOrDefault(offset, -1)).ToList() is { } told && IsInOrder(told, frameCount) ? told
                : frameCount == 1 ? [0]
                : fragments.Count == frameCount ? [.. Enumerable.Range(0, frameCount)]
                : codestreams;
            if (!IsInOrder(starts, frameCount))
            {
                throw new DicomFormatException($"The {fragments.Count} fragments of the encapsulated pixel data cannot be dealt out to {frameCount} frames.");
            }
            var frames = new List<FrameFragments>(frameCount);
            for (var frame = 0; frame < frameCount; frame++)
            {
                var end = frame + 1 < frameCount ? starts[frame + 1] : fragments.Count;
                frames.Add(new FrameFragments(fragments[starts[frame]..end]));
                if (frames[^1].CodestreamLength is 0 or > MaxCodestreamBytes)
                {
                    throw new DicomFormatException($"Frame {frame + 1} of the encapsulated pixel data is empty or too large.");
                }
            }
            return frames;
        }

        private static bool IsInOrder(List<int> starts, int frameCount) =>
            starts.Count == frameCount && starts[0] == 0 && !starts.Zip(starts.Skip(1)).Any(pair => pair.First >= pair.Second);

        private static List<long>? ReadOffsets(Part10File file, Fragment table, int frameCount)
        {
            var offsets = new List<long>(frameCount);
            if (file.ReadValue(DicomTag.ExtendedOffsetTable) is { } extended)
            {
                for (var i = 0; i + 8 <= extended.Length && i / 8 < frameCount; i += 8)
                {
                    offsets.Add(BinaryPrimitives.ReadInt64LittleEndian(extended.AsSpan(i)));
                }
                return offsets;
            }
            if (table.Length != 4L * frameCount)
            {
                return null;
            }
            var bytes = new byte[table.Length];
            file.Stream.Position = table.ValueStart;
            file.Stream.ReadExactly(bytes);
            for (var i = 0; i < bytes.Length; i += 4)
            {
                offsets.Add(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i)));
            }
            return offsets;
        }

        /// <summary>JPEG, JPEG-LS and JPEG 2000 codestreams start with a marker that no other bytes start with by chance (SOI with a marker after it, SOC with SIZ).</summary>
        public static bool IsCodestream(ReadOnlySpan<byte> head) => head is [0xFF, 0xD8, 0xFF, ..] or [0xFF, 0x4F, 0xFF, 0x51, ..];

        private static List<int> FindCodestreamStarts(Part10File file, List<Fragment> fragments)
        {
            var starts = new List<int>();
            var head = new byte[4];
            for (var i = 0; i < fragments.Count; i++)
            {
                if (fragments[i].Length < 4)
                {
                    continue;
                }
                file.Stream.Position = fragments[i].ValueStart;
                file.Stream.ReadExactly(head);
                if (IsCodestream(head))
                {
                    starts.Add(i);
                }
            }
            return starts;
        }
    }
}
