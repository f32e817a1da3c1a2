using System.Buffers;
using System.IO.Compression;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>
/// Deflated Image Frame Compression (PS3.5 A.4.13): each frame as native little endian pixels in one raw deflate stream (RFC 1951). One-bit frames
/// start on a byte. Decodes to the native shape.
/// </summary>
public sealed class DeflatedFrameCodec : IFrameCodec
{
    public FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black)
    {
        if (layout.IsSubsampled || layout.BitsAllocated == 12)
        {
            throw new UnsupportedInstanceException($"Deflated frames of {layout.PhotometricInterpretation} with BitsAllocated {layout.BitsAllocated} are not supported.");
        }
        return new FrameFormat(layout.NativeShape, black.FillUnits(layout.NativeShape, layout.SampleBytes, isBigEndian: false));
    }

    public void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame)
    {
        if (!layout.IsBitPacked)
        {
            Inflate(codestream, frame);
            return;
        }
        var rented = ArrayPool<byte>.Shared.Rent(PackedBytes(layout));
        var packed = rented.AsSpan(0, PackedBytes(layout));
        Inflate(codestream, packed);
        BitPacking.Unpack(packed, 0, layout.BitsAllocated, layout.Rows * layout.Columns, frame);
        ArrayPool<byte>.Shared.Return(rented);
    }

    public void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result)
    {
        var (shape, units) = (layout.NativeShape, black.FillUnits(layout.NativeShape, layout.SampleBytes, isBigEndian: false));
        var rented = ArrayPool<byte>.Shared.Rent((int)shape.FrameBytes);
        var frame = rented.AsSpan(0, (int)shape.FrameBytes);
        Decode(codestream, layout, frame);
        foreach (var region in regions)
        {
            FrameBurner.Burn(frame, shape, units, region);
        }
        using (var deflater = new DeflateStream(result, CompressionLevel.Optimal, leaveOpen: true))
        {
            if (layout.IsBitPacked)
            {
                var packed = new byte[PackedBytes(layout)];
                BitPacking.Pack(frame, 0, layout.BitsAllocated, layout.Rows * layout.Columns, packed);
                deflater.Write(packed);
            }
            else
            {
                deflater.Write(frame);
            }
        }
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static int PackedBytes(PixelLayout layout) => checked((int)((((long)layout.Rows * layout.Columns * layout.BitsAllocated) + 7) / 8));

    /// <summary>Fills <paramref name="pixels"/>; a stream that holds less, or more than a padding byte, is not this frame.</summary>
    private static unsafe void Inflate(ReadOnlySpan<byte> codestream, Span<byte> pixels)
    {
        fixed (byte* start = codestream)
        {
            using var source = new UnmanagedMemoryStream(start, codestream.Length);
            using var inflater = new DeflateStream(source, CompressionMode.Decompress);
            try
            {
                Span<byte> rest = stackalloc byte[2];
                if (inflater.ReadAtLeast(pixels, pixels.Length, throwOnEndOfStream: false) < pixels.Length || inflater.ReadAtLeast(rest, 2, throwOnEndOfStream: false) == 2)
                {
                    throw new DicomFormatException($"A deflated frame does not hold the {pixels.Length} bytes that the image size asks for.");
                }
            }
            catch (InvalidDataException)
            {
                throw new DicomFormatException("A deflated frame is damaged: it does not inflate.");
            }
        }
    }
}
