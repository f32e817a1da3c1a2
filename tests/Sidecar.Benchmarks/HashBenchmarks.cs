using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Sidecar.Dicom.Masking;

namespace Sidecar.Benchmarks;

/// <summary>Eight files of the size of a CT slice: together, and one after the other as the operating system's library does it.</summary>
public class HashBenchmarks
{
    private ReadOnlyMemory<byte>[] files = [];

    [GlobalSetup]
    public void Create()
    {
        var random = new Random(8);
        files = [.. Enumerable.Range(0, HashLanes.Lanes).Select(_ =>
        {
            var file = new byte[526_000];
            random.NextBytes(file);
            return new ReadOnlyMemory<byte>(file);
        })];
    }

    [Benchmark]
    public byte[][] Sha256Together() => HashLanes.Hash<Sha256Lanes>(files);

    [Benchmark]
    public byte[][] Sha256OneByOne() => Array.ConvertAll(files, file => SHA256.HashData(file.Span));

    [Benchmark]
    public byte[][] Md5Together() => HashLanes.Hash<Md5Lanes>(files);

#pragma warning disable CA5351 // MD5 is the digest that Orthanc publishes; it guards against mix-ups, not against attackers.
    [Benchmark]
    public byte[][] Md5OneByOne() => Array.ConvertAll(files, file => MD5.HashData(file.Span));
#pragma warning restore CA5351
}
