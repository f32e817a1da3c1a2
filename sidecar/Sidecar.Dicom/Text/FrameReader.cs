using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Opens one instance and decodes its frames to be looked at. Several threads may read frames at once. Knows nothing of text.</summary>
internal sealed class FrameReader : IDisposable
{
    // Bit patterns of two's complement and whole numbers alike become numbers from 0 to 65535 that sort as they do.
    private const int SignedOffset = 32768;
    private const int Highest = ushort.MaxValue;

    private readonly List<IDisposable> held = [];
    private StoredPixels? pixels;
    private (int First, byte[][] Colours)? palette;
    private (double Black, double White)? storedWindow;
    private IReadOnlyList<OverlayPlane> overlays = [];
    private ulong overlayBits;

    private FrameReader()
    {
    }

    public PixelLayout Layout => pixels!.Layout;

    public Part10File File { get; private set; } = null!;

    /// <exception cref="DicomFormatException">The file is damaged.</exception>
    /// <exception cref="UnsupportedInstanceException">It has no image, or one that cannot be decoded here.</exception>
    /// <exception cref="IOException">The source failed.</exception>
    public static FrameReader Open(IScanSource source, FrameCodecs codecs, CancellationToken token)
    {
        var reader = new FrameReader();
        try
        {
            reader.Read(source.Open(), codecs, token);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public FrameImage ReadFrame(int frame)
    {
        var size = checked((int)Layout.PlanarShape.FrameBytes);
        var room = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var format = pixels!.ReadSamples(frame, room.AsSpan(0, size));
            var image = Layout.SamplesPerPixel == 3 ? ReadColour(room.AsSpan(0, size), format)
                : palette is { } table ? ReadPalette(room.AsSpan(0, size), table.First, table.Colours)
                : ReadGrey(room.AsSpan(0, size));
            return overlays.Count == 0 && overlayBits == 0 ? image
                : new FrameImage(image.Width, image.Height, image.Grey) { Chroma = image.Chroma, Window = image.Window, Overlay = ReadOverlays(frame, room.AsSpan(0, size)) };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    public void Dispose() => held.ForEach(thing => thing.Dispose());

    private void Read(Stream stream, FrameCodecs codecs, CancellationToken token)
    {
        held.Add(stream);
        if (stream.Length <= FileInMemory.MaxLength)
        {
            var whole = FileInMemory.Read(stream);
            held.Add(whole);
            stream = whole.Stream;
        }
        var meta = FileMeta.Read(stream);
        var support = TransferSyntaxSupport.Find(meta.TransferSyntaxUid);
        var codec = codecs.Find(meta.TransferSyntaxUid);
        if (!support.IsNative && codec is null)
        {
            throw new UnsupportedInstanceException($"{support.Name} cannot be decoded here, so nobody has looked for text.");
        }
        if (meta.TransferSyntaxUid == TransferSyntaxUids.DeflatedExplicitLittleEndian)
        {
            stream = DeflatedFile.Expand(stream, meta, token);
            held.Add(stream);
        }
        File = Part10File.Read(stream, meta);
        var layout = PixelLayout.Read(File);
        pixels = StoredPixels.Open(File, layout, BlackSample.Compute(layout, File), codec);
        palette = layout.PhotometricInterpretation == "PALETTE COLOR" ? PaletteColor.Read(layout, File) : null;
        storedWindow = FindWindow();
        overlays = [.. OverlayPlane.ReadAll(File)];
        overlayBits = layout.SamplesPerPixel == 1 && layout.SampleBytes <= 2 ? BlackSample.FindOverlayBits(layout, File) : 0;
    }

    /// <summary>Everything that overlays draw over this frame (PS3.3 C.9.2); one of a single frame is drawn over all. Null where that is nothing.</summary>
    private byte[]? ReadOverlays(int frame, ReadOnlySpan<byte> samples)
    {
        var drawn = new byte[Layout.Columns * Layout.Rows];
        foreach (var plane in overlays)
        {
            var own = plane.Frames == 1 ? 0 : frame - plane.FirstImageFrame;
            for (var row = Math.Max(0, -plane.Top); own >= 0 && own < plane.Frames && row < Math.Min(plane.Rows, Layout.Rows - plane.Top); row++)
            {
                for (var column = Math.Max(0, -plane.Left); column < Math.Min(plane.Columns, Layout.Columns - plane.Left); column++)
                {
                    drawn[((plane.Top + row) * Layout.Columns) + plane.Left + column] |= plane[own, row, column] ? (byte)255 : (byte)0;
                }
            }
        }
        for (var i = 0; overlayBits != 0 && i < drawn.Length; i++)
        {
            var cell = Layout.SampleBytes == 1 ? samples[i]
                : pixels!.IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(samples[(2 * i)..]) : BinaryPrimitives.ReadUInt16LittleEndian(samples[(2 * i)..]);
            drawn[i] |= (cell & overlayBits) != 0 ? (byte)255 : (byte)0;
        }
        return drawn.AsSpan().ContainsAnyExcept((byte)0) ? drawn : null;
    }

    private FrameImage ReadGrey(ReadOnlySpan<byte> samples)
    {
        var (width, height) = (Layout.Columns, Layout.Rows);
        var grey = GC.AllocateUninitializedArray<ushort>(width * height);
        if (Layout.SampleBytes > 2)
        {
            ReadWide(samples, grey);
        }
        else
        {
            ReadNarrow(samples, grey);
        }
        var isInverted = Layout.PhotometricInterpretation == "MONOCHROME1";
        if (isInverted)
        {
            for (var i = 0; i < grey.Length; i++)
            {
                grey[i] = (ushort)(Highest - grey[i]);
            }
        }
        return new FrameImage(width, height, grey) { Window = Layout.SampleBytes > 2 ? null : ToGrey(isInverted) };
    }

    private void ReadNarrow(ReadOnlySpan<byte> samples, Span<ushort> grey)
    {
        var lowBit = Layout.HighBit + 1 - Layout.BitsStored;
        var mask = (ushort)((1 << Layout.BitsStored) - 1);
        if (Layout.SampleBytes == 1)
        {
            for (var i = 0; i < grey.Length; i++)
            {
                grey[i] = (ushort)((samples[i] >> lowBit) & mask);
            }
        }
        else
        {
            MemoryMarshal.Cast<byte, ushort>(samples)[..grey.Length].CopyTo(grey);
            if (pixels!.IsBigEndian)
            {
                BinaryPrimitives.ReverseEndianness(grey, grey);
            }
            if (lowBit != 0 || mask != ushort.MaxValue)
            {
                for (var i = 0; i < grey.Length; i++)
                {
                    grey[i] = (ushort)((grey[i] >> lowBit) & mask);
                }
            }
        }
        if (Layout.IsSigned)
        {
            // The sign bit turned over sorts two's complement; the offset puts zero in the middle for every depth.
            var sign = 1 << (Layout.BitsStored - 1);
            for (var i = 0; i < grey.Length; i++)
            {
                grey[i] = (ushort)((grey[i] ^ sign) - sign + SignedOffset);
            }
        }
    }

    /// <summary>32 and 64 bits and floating point: stretched from the frame's least to its greatest number.</summary>
    private void ReadWide(ReadOnlySpan<byte> samples, Span<ushort> grey)
    {
        var numbers = new double[grey.Length];
        var (least, greatest) = (double.MaxValue, double.MinValue);
        for (var i = 0; i < numbers.Length; i++)
        {
            var cell = samples.Slice(i * Layout.SampleBytes, Layout.SampleBytes);
            var bits = Layout.SampleBytes == 4
                ? pixels!.IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(cell) : BinaryPrimitives.ReadUInt32LittleEndian(cell)
                : pixels!.IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(cell) : BinaryPrimitives.ReadUInt64LittleEndian(cell);
            numbers[i] = Layout.SampleKind switch
            {
                SampleKind.SinglePrecision => BitConverter.UInt32BitsToSingle((uint)bits),
                SampleKind.DoublePrecision => BitConverter.UInt64BitsToDouble(bits),
                _ => Layout.IsSigned ? (long)(bits << (64 - Layout.HighBit - 1)) >> (64 - Layout.BitsStored)
                    : (bits << (64 - Layout.HighBit - 1)) >> (64 - Layout.BitsStored),
            };
            if (double.IsFinite(numbers[i]))
            {
                (least, greatest) = (Math.Min(least, numbers[i]), Math.Max(greatest, numbers[i]));
            }
        }
        for (var i = 0; i < numbers.Length; i++)
        {
            grey[i] = greatest > least && !double.IsNaN(numbers[i]) ? (ushort)Math.Clamp((numbers[i] - least) / (greatest - least) * Highest, 0, Highest) : (ushort)0;
        }
    }

    private FrameImage ReadPalette(ReadOnlySpan<byte> samples, int first, byte[][] colours)
    {
        var indices = GC.AllocateUninitializedArray<ushort>(Layout.Columns * Layout.Rows);
        ReadNarrow(samples, indices);
        var offset = first + (Layout.IsSigned ? SignedOffset : 0);
        var (grey, blue, red) = (new ushort[indices.Length], new byte[indices.Length], new byte[indices.Length]);
        for (var i = 0; i < indices.Length; i++)
        {
            var entry = Math.Clamp(indices[i] - offset, 0, colours[0].Length - 1);
            SetRgb(i, colours[0][entry], colours[1][entry], colours[2][entry], grey, blue, red);
        }
        return Colour(grey, blue, red);
    }

    private FrameImage ReadColour(ReadOnlySpan<byte> samples, SampleFormat format)
    {
        var (width, height, shape) = (Layout.Columns, Layout.Rows, format.Shape);
        var (grey, blue, red) = (new ushort[width * height], new byte[width * height], new byte[width * height]);
        var bytes = Layout.SampleBytes;
        var isRgb = format.PhotometricInterpretation == "RGB";
        for (int y = 0, i = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++, i++)
            {
                var (at, second, third) = shape.UnitWidth == 2
                    ? ((((y * shape.UnitsPerRow) + (x / 2)) * 4) + (x % 2), (((y * shape.UnitsPerRow) + (x / 2)) * 4) + 2, (((y * shape.UnitsPerRow) + (x / 2)) * 4) + 3)
                    : shape.Planes == 3 ? (i, i + (width * height), i + (2 * width * height)) : (3 * i, (3 * i) + 1, (3 * i) + 2);
                var (a, b, c) = (Take(samples, at), Take(samples, second), Take(samples, third));
                if (isRgb)
                {
                    SetRgb(i, a, b, c, grey, blue, red);
                }
                else
                {
                    (grey[i], blue[i], red[i]) = (a, b, c);
                }
            }
        }
        return Colour(grey, blue, red);

        byte Take(ReadOnlySpan<byte> all, int sample)
        {
            if (bytes == 1)
            {
                return all[sample];
            }
            var place = sample * bytes;
            // The eight highest bits that are stored.
            var value = pixels!.IsBigEndian ? (all[place] << 8) | all[place + 1] : all[place] | (all[place + 1] << 8);
            return (byte)Math.Min(255, value >> Math.Max(0, Math.Min(Layout.HighBit, 15) - 7));
        }
    }

    private FrameImage Colour(ushort[] grey, byte[] blue, byte[] red) => new(Layout.Columns, Layout.Rows, grey)
    {
        // A grey picture stored in three samples is grey.
        Chroma = IsGrey(blue) && IsGrey(red) ? null : (blue, red),
        Window = (0, 255),
    };

    private static bool IsGrey(byte[] chroma) => chroma.AsSpan().IndexOfAnyExceptInRange((byte)126, (byte)130) < 0;

    private static void SetRgb(int i, int r, int g, int b, ushort[] grey, byte[] blue, byte[] red)
    {
        // PS3.3 C.7.6.3.1.2, in 1/65536.
        grey[i] = (ushort)(((19595 * r) + (38470 * g) + (7471 * b) + 32768) >> 16);
        blue[i] = (byte)(128 + (((-11059 * r) - (21709 * g) + (32768 * b)) >> 16));
        red[i] = (byte)(128 + (((32768 * r) - (27439 * g) - (5329 * b)) >> 16));
    }

    /// <summary>The window in numbers of <see cref="FrameImage.Grey"/>.</summary>
    private (int Black, int White)? ToGrey(bool isInverted)
    {
        if (storedWindow is not { } window)
        {
            return Layout.BitsStored <= 8 ? (0, (1 << Layout.BitsStored) - 1) : null;
        }
        var offset = Layout.IsSigned ? SignedOffset : 0;
        var (black, white) = ((int)Math.Clamp(window.Black + offset, -Highest, 2 * Highest), (int)Math.Clamp(window.White + offset, -Highest, 2 * Highest));
        // PS3.3 C.7.6.3.1.2: in MONOCHROME1 what the window makes black is shown white.
        return isInverted ? (Highest - white, Highest - black) : (black, white);
    }

    /// <summary>The first window of the header or of its functional groups, undone by the rescale to stored values (PS3.3 C.11.1, C.11.2).</summary>
    private (double Black, double White)? FindWindow()
    {
        if (ReadNumber(new DicomTag(0x00281050)) is not { } center || ReadNumber(new DicomTag(0x00281051)) is not (> 0 and var width))
        {
            return null;
        }
        var (slope, intercept) = (ReadNumber(new DicomTag(0x00281053)) ?? 1, ReadNumber(new DicomTag(0x00281052)) ?? 0);
        if (slope == 0)
        {
            return null;
        }
        var (one, other) = ((center - (width / 2) - intercept) / slope, (center + (width / 2) - intercept) / slope);
        return one < other ? (one, other) : (other, one);
    }

    private double? ReadNumber(DicomTag tag) =>
        Find(File.Elements, tag, 4) is { ValueLength: > 0 and < 1024 } element
        && double.TryParse(File.ReadText(element)?.Split('\\')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number) ? number : null;

    /// <summary>The top level first, then functional groups (PS3.3 C.7.6.16), shared before those of the frames.</summary>
    private static DicomElement? Find(IReadOnlyList<DicomElement> elements, DicomTag tag, int depth) =>
        elements.FirstOrDefault(element => element.Tag == tag)
        ?? (depth == 0 ? null : elements.Where(element => element.Tag.Value is 0x52009229 or 0x52009230 or 0x00289132 or 0x00289145 && element.Items is { Count: > 0 })
            .Select(element => Find(element.Items![0].Elements, tag, depth - 1)).FirstOrDefault(found => found is not null));
}
