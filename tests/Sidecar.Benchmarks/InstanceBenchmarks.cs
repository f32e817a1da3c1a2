using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Workers;

namespace Sidecar.Benchmarks;

/// <summary>One instance of each kind masked in memory, from its bytes to its proof, beside what every masker must at least do: copy and hash them.</summary>
[MemoryDiagnoser]
[SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls the method marked as clean-up, and inherits from the class.")]
public class InstanceBenchmarks
{
    private static readonly Region Banner = new(4, 4, 400, 50);

    private readonly CodecWorkerPool pool = new(new WorkerOptions(), new Quarantine());
    private byte[] original = [];
    private InstanceMasker masker = null!;
    private MemoryStream result = null!;

    [Params("CT native", "cine native", "cine RLE", "cine JPEG", "radiograph JPEG Lossless", "radiograph JPEG-LS", "radiograph JPEG 2000")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        original = Kind switch
        {
            "CT native" => WorkSets.Slice(0),
            "cine native" => WorkSets.Cine(800, 600, 10),
            "cine RLE" => DebianTools.Compress(WorkSets.Cine(800, 600, 10), "gdcmconv", "--rle"),
            "cine JPEG" => DebianTools.Compress(WorkSets.Cine(800, 600, 10), "dcmcjpeg", "+eb", "+q", "90"),
            "radiograph JPEG Lossless" => DebianTools.Compress(WorkSets.Radiograph(0), "gdcmconv", "--jpeg"),
            "radiograph JPEG-LS" => DebianTools.Compress(WorkSets.Radiograph(0), "gdcmconv", "--jpegls"),
            _ => DebianTools.Compress(WorkSets.Radiograph(0), "gdcmconv", "--j2k"),
        };
        result = new MemoryStream(original.Length * 2);
        masker = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool));
    }

    [GlobalCleanup]
    public void StopWorkers() => pool.Dispose();

    [Benchmark(Baseline = true)]
    public int CopyAndHash()
    {
        result.SetLength(0);
        result.Write(original);
        return SHA256.HashData(original).Length + SHA256.HashData(result.GetBuffer().AsSpan(0, (int)result.Length)).Length;
    }

    [Benchmark]
    public MaskOutcome Mask()
    {
        result.SetLength(0);
        var outcome = masker.BurnMasks(new MemoryStream(original, writable: false), result, [new Mask(Banner)], CancellationToken.None);
        return outcome is MaskOutcome.Masked ? outcome : throw new InvalidOperationException($"{Kind} was not masked: {outcome}");
    }
}
