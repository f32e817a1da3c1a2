using System.IO.Compression;
using Sidecar.Dicom.Files;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>Deflated Image Frame Compression, which no decoder at hand reads: zlib inflates the frames, and native files stand for the pixels.</summary>
public sealed class DeflatedFrameTests
{
    private const string Syntax = "1.2.840.10008.1.2.8.1";

    private static readonly Dictionary<string, PixelFormat> Formats = new()
    {
        ["8 bits"] = PixelFormat.Grey(15, 9),
        ["16 bits, signed, inverted"] = PixelFormat.Grey(15, 9, bitsStored: 12, isSigned: true, inverted: true),
        ["RGB"] = PixelFormat.Colour(15, 9),
        ["RGB by planes"] = PixelFormat.Colour(15, 9, planarConfiguration: 1),
        ["1 bit"] = PixelFormat.Grey(15, 9, bitsStored: 1),
    };

    public static TheoryData<string> Names() => [.. Formats.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void BurnMasks_AnyFormat_GivesTheNativePixelsDeflated(string name)
    {
        var frames = SampleFrame.Noise(Formats[name], 3);
        var native = frames.Select(frame => new InstanceBuilder().Image(Formats[name], frame).Build()).ToList();
        var file = new InstanceBuilder().Image(Formats[name], frames)
            .Encapsulate(Syntax, [.. native.Select(single => new[] { Deflate(PixelsOf(single)) })], OffsetTable.Basic).Build();
        var mask = MaskerCalls.Mask(3, 2, 6, 4);

        var masked = MaskerCalls.Masked(file, mask);

        // Single native frames are masked by the code that pydicom judges; both roads must meet.
        var index = Index(masked);
        var inflated = index.Find(DicomTag.PixelData)!.Fragments!.Skip(1).Select(fragment => Inflate(masked.AsSpan((int)fragment.ValueStart, (int)fragment.Length).ToArray())).ToList();
        var length = ((Formats[name].Columns * Formats[name].Rows * Formats[name].SamplesPerPixel * Formats[name].BitsAllocated) + 7) / 8;
        Assert.Equal(native.Select(single => PixelsOf(MaskerCalls.Masked(single, mask))[..length]), inflated.Select(bytes => bytes[..length]));
    }

    [Fact]
    public void BurnMasks_FrameOfAnotherSize_IsRefused()
    {
        var file = new InstanceBuilder().Encapsulate(Syntax, [[Deflate(new byte[100])]]).Build();

        Assert.Contains("does not hold the 3072 bytes", MaskerCalls.Refused(file, MaskerCalls.Mask(0, 0, 2, 2)), StringComparison.Ordinal);
    }

    private static byte[] Deflate(byte[] bytes)
    {
        using var result = new MemoryStream();
        using (var deflater = new DeflateStream(result, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflater.Write(bytes);
        }
        return result.ToArray();
    }

    private static byte[] Inflate(byte[] bytes)
    {
        using var result = new MemoryStream();
        using var inflater = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
        inflater.CopyTo(result);
        return result.ToArray();
    }

    private static byte[] PixelsOf(byte[] file) => Index(file).ReadValue(DicomTag.PixelData)!;

    private static Part10File Index(byte[] file)
    {
        var stream = new MemoryStream(file, writable: false);
        return Part10File.Read(stream, FileMeta.Read(stream));
    }
}
