using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Tests.Dicom;
using Sidecar.Workers;
using Xunit;
using Xunit.Abstractions;

namespace Sidecar.Tests.Workers;

/// <summary>
/// Real HTJ2K files, as no encoder is installed: opj_decompress reads the original, gdcm the result. They are in the folder of real files, which is not
/// part of the repository.
/// </summary>
public sealed class HighThroughputTests(ITestOutputHelper output)
{
    private static readonly Region Banner = new(5, 7, 60, 21);

    [Fact]
    public void BurnMasks_RealHighThroughputFiles_BecomeLosslessJpeg2000()
    {
        if (ConformanceTests.FindFolder() is not { } folder)
        {
            output.WriteLine("Ran on nothing: SIDECAR_CONFORMANCE_DIR is not set and there is no shared/dicom beside the repository.");
            return;
        }
        var files = Directory.EnumerateFiles(folder, "HTJ2K*.dcm", SearchOption.AllDirectories).ToList();
        if (files.Count == 0)
        {
            output.WriteLine($"Ran on nothing: {folder} holds no file named HTJ2K*.dcm.");
        }
        using var pool = WorkerFrames.Pool();
        var masker = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool));
        foreach (var path in files)
        {
            using var original = File.OpenRead(path);
            using var result = new MemoryStream();

            var outcome = masker.BurnMasks(original, result, [new Mask(Banner)], CancellationToken.None);

            var proof = Assert.IsType<MaskOutcome.Masked>(outcome).Proof;
            Assert.Equal(TransferSyntaxUids.Jpeg2000Lossless, proof.OutputTransferSyntaxUid);
            Assert.Equal(0, proof.ChangedOutside);
            var (samples, layout) = DecodeOriginal(original);
            Blacken(samples, layout);
            Assert.Equal(samples, Oracle.Decode([result.ToArray()])[0]);
            output.WriteLine($"{Path.GetFileName(path)}: {proof.TransferSyntaxUid} became {proof.OutputTransferSyntaxUid}, as opj_decompress and gdcm agree.");
        }
    }

    /// <summary>The samples pixel by pixel, and the layout. opj_decompress writes planes of bytes.</summary>
    private static (int[] Samples, PixelLayout Layout) DecodeOriginal(Stream original)
    {
        var file = Part10File.Read(original, FileMeta.Read(original));
        var layout = PixelLayout.Read(file);
        Assert.Equal(1, layout.SampleBytes);
        var fragment = file.Elements.First(element => element.Tag.IsPixelData).Fragments![1];
        var codestream = new byte[fragment.Length];
        original.Position = fragment.ValueStart;
        original.ReadExactly(codestream);
        var planes = Oracle.InFolder(folder =>
        {
            var (source, target) = (Path.Combine(folder, "frame.j2c"), Path.Combine(folder, "frame.rawl"));
            File.WriteAllBytes(source, codestream);
            Oracle.Run("opj_decompress", ["-i", source, "-o", target]);
            return File.ReadAllBytes(target);
        });
        var pixels = layout.Rows * layout.Columns;
        Assert.Equal(pixels * layout.SamplesPerPixel, planes.Length);
        return ([.. Enumerable.Range(0, planes.Length).Select(i => (int)planes[(i % layout.SamplesPerPixel * pixels) + (i / layout.SamplesPerPixel)])], layout);
    }

    private static void Blacken(int[] samples, PixelLayout layout)
    {
        for (var y = Banner.Y; y < Banner.Bottom; y++)
        {
            samples.AsSpan(((y * layout.Columns) + Banner.X) * layout.SamplesPerPixel, Banner.Width * layout.SamplesPerPixel).Clear();
        }
    }
}
