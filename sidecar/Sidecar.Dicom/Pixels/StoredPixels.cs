using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Pixels;

/// <summary>The pixel data element of one file: reads single frames decoded, and writes the element's value with regions burned in.</summary>
internal abstract class StoredPixels(Part10File file, DicomElement element, PixelLayout layout)
{
    public DicomElement Element { get; } = element;

    public PixelLayout Layout { get; } = layout;

    /// <summary>Whether decoded samples have their high byte first.</summary>
    public abstract bool IsBigEndian { get; }

    protected Part10File File { get; } = file;

    /// <summary>The file's bytes for frames, as several are read at once.</summary>
    protected SharedStream Source { get; } = new(file.Stream);

    /// <param name="file">The index of the file.</param>
    /// <param name="layout">Its checked layout.</param>
    /// <param name="black">Black in that layout.</param>
    /// <param name="codec">For the file's transfer syntax; null where that is native.</param>
    /// <exception cref="DicomFormatException">The element's size or kind is not what the header says.</exception>
    public static StoredPixels Open(Part10File file, PixelLayout layout, BlackSample black, IFrameCodec? codec)
    {
        var element = file.Elements.First(candidate => candidate.Tag.IsPixelData);
        if (codec is null)
        {
            return element.Fragments is null
                ? new NativePixels(file, element, layout, black)
                : throw new DicomFormatException(file.Meta.IsAssumed
                    ? "The pixels are compressed, but the file names no transfer syntax, so nothing says how. Add its file meta information first."
                    : "The transfer syntax says that the pixels are not compressed, but they are encapsulated.");
        }
        return element.Fragments is not null
            ? new EncapsulatedPixels(file, element, layout, black, codec)
            : throw new DicomFormatException("The transfer syntax says that the pixels are compressed, but they are not encapsulated.");
    }

    /// <summary>What the result's attributes must say after <see cref="WriteBurned"/>; null where they stay.</summary>
    public virtual Transcoding? PlanTranscoding() => null;

    public abstract FrameFormat FormatOf(int frame);

    /// <summary>Decodes one frame; <paramref name="samples"/> is exactly as long as its format's shape. Several threads may do so at once.</summary>
    public abstract void ReadFrame(int frame, Span<byte> samples);

    /// <summary>Decodes one frame to be looked at, to samples whatever <see cref="FormatOf"/> says. Several threads may do so at once.</summary>
    /// <param name="frame">0-based.</param>
    /// <param name="room">As long as the layout's planar shape.</param>
    public virtual SampleFormat ReadSamples(int frame, Span<byte> room)
    {
        var shape = FormatOf(frame).Shape;
        ReadFrame(frame, room[..(int)shape.FrameBytes]);
        return new SampleFormat(shape, Layout.PhotometricInterpretation);
    }

    /// <summary>One frame decoded: in <paramref name="room"/>, or where its bytes already lie in memory.</summary>
    public virtual ReadOnlySpan<byte> ViewFrame(int frame, Span<byte> room)
    {
        ReadFrame(frame, room);
        return room;
    }

    /// <summary>Writes the value of the element, from its first byte to before its delimiter.</summary>
    /// <param name="result">Seekable, at the place of the first byte.</param>
    /// <param name="regionsOf">The regions to burn in a frame, inside the image.</param>
    /// <param name="token">Checked between frames.</param>
    public abstract void WriteBurned(Stream result, Func<int, IReadOnlyList<Region>> regionsOf, CancellationToken token);

    /// <summary>Values elsewhere in the file that the last <see cref="WriteBurned"/> changed, by their offset in the original.</summary>
    public virtual IEnumerable<(long ValueStart, byte[] Value)> DependentValues => [];
}
