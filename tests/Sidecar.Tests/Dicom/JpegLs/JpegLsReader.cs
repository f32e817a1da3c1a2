using System.Buffers.Binary;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Codecs.JpegLs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Tests.Dicom.JpegLs;

/// <summary>Reads the one frame of a file with our own decoder, which others' decoders judge in <see cref="JpegLsTests"/>.</summary>
internal static class JpegLsReader
{
    public static byte[] Codestream(byte[] file)
    {
        using var stream = new MemoryStream(file);
        var fragment = Part10File.Read(stream, FileMeta.Read(stream)).Elements.First(element => element.Tag.IsPixelData).Fragments![1];
        return file[(int)fragment.ValueStart..(int)fragment.ValueEnd];
    }

    public static IEnumerable<int> Decode(byte[] file)
    {
        using var stream = new MemoryStream(file);
        var layout = PixelLayout.Read(Part10File.Read(stream, FileMeta.Read(stream)));
        var frame = new byte[layout.Rows * layout.Columns * layout.SamplesPerPixel * layout.SampleBytes];
        new JpegLsCodec(new DecodedFrames()).Decode(Codestream(file), layout, frame);
        return frame.Chunk(layout.SampleBytes).Select(cell => layout switch
        {
            { SampleBytes: 1, IsSigned: true } => (int)(sbyte)cell[0],
            { SampleBytes: 1 } => cell[0],
            { IsSigned: true } => BinaryPrimitives.ReadInt16LittleEndian(cell),
            _ => BinaryPrimitives.ReadUInt16LittleEndian(cell),
        }).ToList();
    }
}
