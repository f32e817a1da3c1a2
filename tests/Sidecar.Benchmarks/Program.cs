using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Sidecar.Benchmarks;
using Sidecar.Benchmarks.Text;

const string Usage = """
    sidecar-benchmarks sets DIR      writes the uncompressed sets that whole-process.sh masks: ct, us, dx
    sidecar-benchmarks parts [...]   measures the parts with BenchmarkDotNet; what follows is its own (--filter '*Rle*', --list flat)
    sidecar-benchmarks discovery [N] measures noticing and remembering N instances (1000000), on SQLite and PostgreSQL
    sidecar-benchmarks queue [N]     measures the job queue with N images waiting (1000000), on SQLite and PostgreSQL
    sidecar-benchmarks mask-job [N]  measures mask jobs on a real Orthanc against its own floor, N times (5)
    sidecar-benchmarks mask-job sizes
                                     measures whether they take the same time and memory for each image of longer and longer series
    sidecar-benchmarks nodes [N]     measures mask jobs with one and with two sidecars on one PostgreSQL, N times (3), Orthanc beside them and 40 ms away
    sidecar-benchmarks image [N]     measures how long one image takes to be searched for text, from the request to the answer, N times (20)
    sidecar-benchmarks text DIR [--tesseract]
                                     measures what is found of the text in DIR (ground_truth.json, negatives.csv; Text/generate.py writes such a folder),
                                     with --tesseract beside the command on every frame
    """;

switch (args)
{
    case ["sets", var directory]:
        WorkSets.Write(directory);
        return 0;
    case ["parts", .. var options]:
        // In this process: the build that BenchmarkDotNet would otherwise make restores packages without the lock files.
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        BenchmarkSwitcher.FromAssembly(typeof(WorkSets).Assembly).Run(options is [] ? ["--filter", "*"] : options, config);
        return 0;
    case ["discovery", .. var number]:
        await DiscoveryBenchmark.Run(number is [var many] ? int.Parse(many, System.Globalization.CultureInfo.InvariantCulture) : 1_000_000);
        return 0;
    case ["queue", .. var count]:
        await QueueBenchmark.Run(count is [var n] ? int.Parse(n, System.Globalization.CultureInfo.InvariantCulture) : 1_000_000);
        return 0;
    case ["mask-job", "sizes"]:
        await MaskJobBenchmark.RunSizes();
        return 0;
    case ["mask-job", .. var rounds]:
        await MaskJobBenchmark.Run(rounds is [var times] ? int.Parse(times, System.Globalization.CultureInfo.InvariantCulture) : 5);
        return 0;
    case ["nodes", .. var turns]:
        await NodesBenchmark.Run(turns is [var often] ? int.Parse(often, System.Globalization.CultureInfo.InvariantCulture) : 3);
        return 0;
    case ["image", .. var scans]:
        await ImageScanBenchmark.Run(scans is [var how] ? int.Parse(how, System.Globalization.CultureInfo.InvariantCulture) : 20);
        return 0;
    case ["text", var directory, .. [] or ["--tesseract"]]:
        TextBenchmark.Run(directory, args.Length > 2);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
