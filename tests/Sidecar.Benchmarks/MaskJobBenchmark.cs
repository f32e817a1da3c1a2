using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sidecar.Integration;
using Sidecar.TestData;

namespace Sidecar.Benchmarks;

/// <summary>
/// A mask job, from its request to its end, on a real Orthanc, in turn with its floor: getting every file and posting it back unchanged over four
/// connections. For a series also Orthanc's own modification, the nearest thing it does by itself.
/// </summary>
internal static class MaskJobBenchmark
{
    private const int Connections = 4;

    private const string Header = "set                      images  MB     floor s  job s   ratio  modify s  processor s: Orthanc, floor  Orthanc, job  sidecar  sidecar RSS MB (s: median)";

    public static async Task Run(int rounds)
    {
        Console.WriteLine(Header);
        await Measure("CT 512×512×16", rounds, withModify: true, Enumerable.Range(0, 500).Select(WorkSets.Slice));
        await Measure("US cine 800×600×200 RGB", rounds, withModify: false, [WorkSets.Cine(800, 600, 200)]);
    }

    /// <summary>Whether time and memory stay what they are when a series gets longer.</summary>
    public static async Task RunSizes()
    {
        Console.WriteLine(Header);
        foreach (var slices in (int[])[50, 500, 2000])
        {
            await Measure("CT 512×512×16", 1, withModify: false, Enumerable.Range(0, slices).Select(WorkSets.Slice));
        }

        foreach (var slices in (int[])[100, 1000, 10_000])
        {
            await Measure("CT 64×64×16", 1, withModify: false, Enumerable.Range(0, slices).Select(Small));
        }
    }

    private static async Task Measure(string name, int rounds, bool withModify, IEnumerable<byte[]> files)
    {
        await using var orthanc = await OrthancServer.Start();
        var bytes = 0L;
        List<string> ids = [];
        foreach (var file in files)
        {
            bytes += file.Length;
            ids.Add(await orthanc.Upload(file));
        }

        await using var sidecar = await SidecarProcess.Start(orthanc.Address);
        var first = await orthanc.Read($"instances/{ids[0]}/tags?short");
        string Value(string tag) => first.GetProperty(tag).GetString()!;
        List<double> floors = [], jobs = [], modifications = [], archiveFloors = [], archiveJobs = [], sidecars = [];
        for (var round = 0; round < rounds; round++)
        {
            var archiveBefore = orthanc.ProcessorTime;
            floors.Add(await Time(() => GetAndPostBack(orthanc, ids)));
            archiveFloors.Add((orthanc.ProcessorTime - archiveBefore).TotalSeconds);
            archiveBefore = orthanc.ProcessorTime;
            var sidecarBefore = sidecar.ProcessorTime;
            jobs.Add(await Time(async () =>
            {
                // More of the banner each time, so that each job has something to burn.
                var job = await sidecar.Submit(new
                {
                    studyInstanceUid = Value("0020,000d"),
                    source = new { seriesInstanceUid = Value("0020,000e"), sopInstanceUid = Value("0008,0018") },
                    regions = new[] { new { x = 16, y = 16, width = 16 + (8 * round), height = 20 } },
                    scope = "series",
                });
                // Watched as the viewer watches it; the stream ends with the job.
                await sidecar.Http.GetStringAsync($"api/mask-jobs/{job}/events");
                Assert.Equal("succeeded", (await sidecar.ReadJob(job)).GetProperty("state").GetString());
            }));
            archiveJobs.Add((orthanc.ProcessorTime - archiveBefore).TotalSeconds);
            sidecars.Add((sidecar.ProcessorTime - sidecarBefore).TotalSeconds);
            if (withModify)
            {
                var series = (await orthanc.Read($"instances/{ids[0]}")).GetProperty("ParentSeries").GetString();
                modifications.Add(await Time(async () =>
                {
                    using var answer = await orthanc.Http.PostAsJsonAsync($"series/{series}/modify", new JsonObject { ["Replace"] = new JsonObject { ["SeriesDescription"] = "modified" }, ["Synchronous"] = true });
                    answer.EnsureSuccessStatusCode();
                }));
            }
        }

        var (floor, took) = (Median(floors), Median(jobs));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-24} {ids.Count,6} {bytes / 1e6,5:0} {floor,8:0.00} {took,7:0.00} {took / floor,7:0.00} {(modifications.Count > 0 ? Median(modifications).ToString("0.00", CultureInfo.InvariantCulture) : ""),8}  {Median(archiveFloors),27:0.00}  {Median(archiveJobs),12:0.00}  {Median(sidecars),7:0.00}  {sidecar.PeakBytes / 1e6:0}"));
        Console.WriteLine($"    ms an image: {await ReadPhases(sidecar)}");
    }

    /// <summary>Means over all rounds. Images are in work beside each other, so they add up to more than the job takes.</summary>
    private static async Task<string> ReadPhases(SidecarProcess sidecar)
    {
        const string Metric = "sidecar_mask_items_phase_duration_seconds_";
        var lines = (await sidecar.Http.GetStringAsync("metrics")).Split('\n');
        double Value(string line) => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);
        return string.Join(", ", lines.Where(line => line.StartsWith(Metric + "sum", StringComparison.Ordinal)).Select(sum =>
        {
            var count = lines.First(line => line.StartsWith(sum[..sum.IndexOf('}', StringComparison.Ordinal)].Replace("_sum", "_count", StringComparison.Ordinal), StringComparison.Ordinal));
            return string.Create(CultureInfo.InvariantCulture, $"{sum.Split('"').SkipWhile(word => !word.Contains("phase=", StringComparison.Ordinal)).ElementAt(1)} {1000 * Value(sum) / Value(count):0.0}");
        }));
    }

    private static Task GetAndPostBack(OrthancServer orthanc, List<string> ids) =>
        Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = Connections }, async (id, _) => await orthanc.Upload(await orthanc.ReadFile(id)));

    private static async Task<double> Time(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static byte[] Small(int index)
    {
        var format = PixelFormat.Grey(64, 64, bitsStored: 12);
        return new InstanceBuilder($"benchmark/small/{index}").Identify(Uids.From("benchmark/small/study"), Uids.From("benchmark/small/series"), Uids.From($"benchmark/small/{index}"))
            .Set(Tags.Modality, "CT").Set(Tags.InstanceNumber, index + 1).Image(format, SampleFrame.Noise(format, seed: index)).Build();
    }
}
