using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs;

/// <summary>
/// One compression of one frame. A codec promises: decoding what <see cref="Burn"/> wrote gives black in the regions and, unit for unit, what decoding
/// the original gives everywhere else; the transfer syntax stays unless <see cref="PlanTranscoding"/> says otherwise. Holds no state; one object serves all threads. Codestreams are hostile: sizes they
/// claim are compared with the layout before anything is allocated.
/// </summary>
public interface IFrameCodec
{
    /// <summary>How this codestream decodes. The smallest unit a codec can blacken alone may be more than a pixel.</summary>
    /// <exception cref="DicomFormatException">The codestream is damaged or contradicts the layout.</exception>
    /// <exception cref="UnsupportedInstanceException">The codestream is of a kind that cannot be masked exactly.</exception>
    FrameFormat Describe(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black);

    /// <summary>Decodes all of <paramref name="frame"/>, multi-byte samples little endian.</summary>
    /// <exception cref="DicomFormatException">The codestream is damaged or contradicts the layout.</exception>
    void Decode(ReadOnlySpan<byte> codestream, PixelLayout layout, Span<byte> frame);

    /// <summary>Decodes a frame to be looked at: to samples, also where <see cref="Decode"/> answers something else that proofs need.</summary>
    /// <param name="codestream">The frame.</param>
    /// <param name="layout">The instance's layout.</param>
    /// <param name="black">Black in that layout.</param>
    /// <param name="samples">As long as the layout's planar shape; what is not needed stays as it was.</param>
    /// <exception cref="DicomFormatException">The codestream is damaged or contradicts the layout.</exception>
    /// <exception cref="UnsupportedInstanceException">The codestream is of a kind that is not supported.</exception>
    SampleFormat DecodeSamples(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, Span<byte> samples)
    {
        var shape = Describe(codestream, layout, black).Shape;
        Decode(codestream, layout, samples[..(int)shape.FrameBytes]);
        // PS3.5 8.2.4: the transforms of JPEG 2000 are part of its decoding.
        return new SampleFormat(shape, layout.PhotometricInterpretation is "YBR_RCT" or "YBR_ICT" ? "RGB" : layout.PhotometricInterpretation);
    }

    /// <summary>
    /// What the result's attributes must say when frames like this one are burned; null where they stay as they are. Where not null, every frame of the
    /// instance goes through <see cref="Burn"/>, so that one description holds for all.
    /// </summary>
    /// <exception cref="DicomFormatException">The codestream is damaged.</exception>
    Transcoding? PlanTranscoding(ReadOnlySpan<byte> codestream, PixelLayout layout) => null;

    /// <summary>Writes the codestream with <paramref name="regions"/> (inside the image; none where only <see cref="PlanTranscoding"/> asks for it) black.</summary>
    /// <param name="codestream">The original, a padding byte included.</param>
    /// <param name="layout">The instance's layout.</param>
    /// <param name="black">Black in that layout.</param>
    /// <param name="regions">In pixels.</param>
    /// <param name="result">Empty. The caller pads to an even length.</param>
    void Burn(ReadOnlySpan<byte> codestream, PixelLayout layout, BlackSample black, IReadOnlyList<Region> regions, MemoryStream result);
}
