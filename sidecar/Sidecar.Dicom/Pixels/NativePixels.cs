using System.Buffers;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>Pixel data that is not compressed: frame after frame without a gap, even where a frame ends inside a byte (PS3.5 8.1.1, 8.2).</summary>
internal sealed class NativePixels : StoredPixels
{
    private readonly FrameFormat format;

    /// <summary>Big endian OW with cells of a byte or less: neighbouring bytes are swapped.</summary>
    private readonly bool isSwapped;
    private readonly long frameBits;

    public NativePixels(Part10File file, DicomElement element, PixelLayout layout, BlackSample black)
        : base(file, element, layout)
    {
        if (layout.PhotometricInterpretation is "YBR_PARTIAL_420" or "YBR_ICT" or "YBR_RCT")
        {
            throw new UnsupportedInstanceException($"The colour model {layout.PhotometricInterpretation} is not defined for uncompressed pixels.");
        }
        if (layout.IsSubsampled && (layout.Columns % 2 != 0 || layout.IsPlanar || layout.BitsAllocated != 8))
        {
            throw new UnsupportedInstanceException($"Uncompressed {layout.PhotometricInterpretation} is supported with 8 bits, an even width and one plane only.");
        }
        var shape = layout.NativeShape;
        isSwapped = file.Encoding.BigEndian && element.Vr == Vr.OW && layout.BitsAllocated is not (16 or 32 or 64);
        format = new FrameFormat(shape, black.FillUnits(shape, layout.SampleBytes, IsBigEndian));
        frameBits = layout.IsBitPacked ? (long)layout.Rows * layout.Columns * layout.BitsAllocated : shape.FrameBytes * 8;
        CheckLength();
    }

    public override bool IsBigEndian => File.Encoding.BigEndian && Layout.SampleBytes > 1 && !Layout.IsBitPacked;

    /// <summary>Bytes of all frames; a word's second byte belongs to them where the last pixel is in it.</summary>
    private long FramesBytes => isSwapped ? ((frameBits * Layout.Frames) + 15) / 16 * 2 : ((frameBits * Layout.Frames) + 7) / 8;

    /// <summary>Frames that together take whole bytes, and whole words where words are swapped.</summary>
    private int FramesPerChunk
    {
        get
        {
            var frames = 1;
            while (frameBits * frames % (isSwapped ? 16 : 8) != 0)
            {
                frames *= 2;
            }
            return frames;
        }
    }

    public override FrameFormat FormatOf(int frame) => format;

    public override ReadOnlySpan<byte> ViewFrame(int frame, Span<byte> room)
    {
        if (Layout.IsBitPacked || isSwapped || Source.InMemory.IsEmpty)
        {
            return base.ViewFrame(frame, room);
        }
        return Source.InMemory.Span.Slice(checked((int)(Element.ValueStart + (frame * format.Shape.FrameBytes))), room.Length);
    }

    public override void ReadFrame(int frame, Span<byte> samples)
    {
        var firstBit = frame * frameBits;
        var start = isSwapped ? firstBit / 16 * 2 : firstBit / 8;
        if (!Layout.IsBitPacked && !isSwapped)
        {
            Source.ReadExactly(Element.ValueStart + start, samples);
            return;
        }
        var end = (firstBit + frameBits + 7) / 8;
        end = Math.Min(isSwapped ? end + (end & 1) : end, Element.ValueLength);
        var stored = ArrayPool<byte>.Shared.Rent((int)(end - start));
        var bytes = stored.AsSpan(0, (int)(end - start));
        Source.ReadExactly(Element.ValueStart + start, bytes);
        if (isSwapped)
        {
            BitPacking.SwapWords(bytes);
        }
        if (Layout.IsBitPacked)
        {
            BitPacking.Unpack(bytes, (int)(firstBit - (start * 8)), Layout.BitsAllocated, Layout.Rows * Layout.Columns, samples);
        }
        else
        {
            bytes.Slice((int)((firstBit / 8) - start), samples.Length).CopyTo(samples);
        }
        ArrayPool<byte>.Shared.Return(stored);
    }

    public override void WriteBurned(Stream result, Func<int, IReadOnlyList<Region>> regionsOf, CancellationToken token)
    {
        if (result is PatchedStream patched && !Layout.IsBitPacked && !isSwapped)
        {
            Patch(patched, regionsOf, token);
            return;
        }
        var chunkFrames = FramesPerChunk;
        var chunkBytes = checked((int)(frameBits * chunkFrames / 8));
        var buffer = ArrayPool<byte>.Shared.Rent(chunkBytes);
        File.Stream.Position = Element.ValueStart;
        var left = Element.ValueLength;
        for (var frame = 0; left > 0; frame += chunkFrames)
        {
            token.ThrowIfCancellationRequested();
            var chunk = buffer.AsSpan(0, (int)Math.Min(chunkBytes, left));
            File.Stream.ReadExactly(chunk);
            BurnChunk(chunk, frame, Math.Min(chunkFrames, Layout.Frames - frame), regionsOf);
            ClearRemains(chunk, (int)Math.Clamp(FramesBytes - (Element.ValueLength - left), 0, chunk.Length));
            result.Write(chunk);
            left -= chunk.Length;
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Nothing but the regions is written: rows of black, each kept once, over what the result shares with the file.</summary>
    private void Patch(PatchedStream result, Func<int, IReadOnlyList<Region>> regionsOf, CancellationToken token)
    {
        var (shape, start) = (format.Shape, result.Position);
        var rows = new Dictionary<(int Plane, int Units), PatchedStream.Kept>();
        result.CopyOriginal(Element.ValueStart, Element.ValueLength);
        for (var frame = 0; frame < Layout.Frames; frame++)
        {
            token.ThrowIfCancellationRequested();
            foreach (var units in regionsOf(frame).Select(shape.ToUnits))
            {
                for (var plane = 0; plane < shape.Planes; plane++)
                {
                    if (!rows.TryGetValue((plane, units.Width), out var black))
                    {
                        rows[(plane, units.Width)] = black = result.Keep([.. Enumerable.Repeat(format.BlackUnits[plane], units.Width).SelectMany(unit => unit)]);
                    }
                    for (var row = units.Y; row < units.Bottom; row++)
                    {
                        result.Put(start + (frame * shape.FrameBytes) + (plane * shape.PlaneBytes) + (row * shape.RowBytes) + (units.X * shape.UnitBytes), black);
                    }
                }
            }
        }
        var remains = new byte[Element.ValueLength - FramesBytes];
        Source.ReadExactly(Element.ValueStart + FramesBytes, remains);
        ClearRemains(remains, 0);
        result.Put(start + FramesBytes, result.Keep(remains));
    }

    /// <summary>Bytes behind the last frame are shown by nobody. Padding is all alike; anything else may be what is left of another picture.</summary>
    private static void ClearRemains(Span<byte> chunk, int end)
    {
        var behind = chunk[end..];
        if (behind.Length > 1 && behind.ContainsAnyExcept(behind[0]))
        {
            behind.Clear();
        }
    }

    private void BurnChunk(Span<byte> chunk, int firstFrame, int frames, Func<int, IReadOnlyList<Region>> regionsOf)
    {
        if (isSwapped)
        {
            BitPacking.SwapWords(chunk);
        }
        for (var i = 0; i < frames; i++)
        {
            var regions = regionsOf(firstFrame + i);
            if (regions.Count == 0)
            {
                continue;
            }
            if (Layout.IsBitPacked)
            {
                BurnPacked(chunk, checked((int)(i * frameBits)), regions);
                continue;
            }
            var samples = chunk.Slice((int)(i * format.Shape.FrameBytes), (int)format.Shape.FrameBytes);
            foreach (var region in regions)
            {
                FrameBurner.Burn(samples, format.Shape, format.BlackUnits, region);
            }
        }
        if (isSwapped)
        {
            BitPacking.SwapWords(chunk);
        }
    }

    private void BurnPacked(Span<byte> chunk, int firstBit, IReadOnlyList<Region> regions)
    {
        foreach (var region in regions)
        {
            var row = new byte[region.Width * Layout.SampleBytes];
            for (var i = 0; i < row.Length; i += Layout.SampleBytes)
            {
                format.BlackUnits[0].CopyTo(row, i);
            }
            for (var y = region.Y; y < region.Bottom; y++)
            {
                var bit = firstBit + ((((long)y * Layout.Columns) + region.X) * Layout.BitsAllocated);
                BitPacking.Pack(row, checked((int)bit), Layout.BitsAllocated, region.Width, chunk);
            }
        }
    }

    private void CheckLength()
    {
        // A million frames of a gibibyte stay inside 63 bits.
        var expected = ((frameBits * Layout.Frames) + 7) / 8;
        if (Element.ValueLength < expected)
        {
            throw new DicomFormatException($"The pixel data is too short: {Layout.Frames} frames of {Layout.Columns}×{Layout.Rows} pixels take {expected} bytes, but {Element.ValueLength} are there.");
        }
        // Bytes behind the last frame that would fill another one may show text of their own, and no header says how.
        if ((Element.ValueLength - expected) * 8 >= Math.Max(frameBits, 16))
        {
            throw new DicomFormatException($"The pixel data is too long: {Layout.Frames} frames of {Layout.Columns}×{Layout.Rows} pixels take {expected} bytes, but {Element.ValueLength} are there.");
        }
        if (Layout.IsSubsampled && Element.ValueLength > expected + 1)
        {
            throw new UnsupportedInstanceException($"The header says {Layout.PhotometricInterpretation}, but the pixel data is longer than that colour model takes.");
        }
        if (new DatasetParser(File.Stream).LooksEncapsulated(Element.ValueStart, Element.ValueEnd))
        {
            throw new DicomFormatException("The transfer syntax says that the pixels are not compressed, but they are encapsulated.");
        }
    }
}
