using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Sidecar.Integration;
using Sidecar.TestData;
using Sidecar.Tests.Storage;

namespace Sidecar.Benchmarks;

/// <summary>
/// The same mask jobs with one and with two sidecars on one PostgreSQL and one Orthanc. Two share more work only where a node waits for something:
/// so once with all on this machine, whose processors are the limit, and once with an Orthanc that is a long way off.
/// </summary>
internal static class NodesBenchmark
{
    private const int Studies = 12;
    private const int ImagesOfStudy = 16;

    public static async Task Run(int rounds)
    {
        if (PostgresCluster.Missing is { } missing)
        {
            Console.WriteLine(missing);
            return;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Studies} jobs of {ImagesOfStudy} images (64×64), 4 images in work a node; images a second, median of {rounds}; processors: {Environment.ProcessorCount}"));
        foreach (var distance in (int[])[40, 0])
        {
            await Measure(TimeSpan.FromMilliseconds(distance), rounds);
        }
    }

    private static async Task Measure(TimeSpan distance, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-nodes-").FullName;
        try
        {
            await using var orthanc = await OrthancServer.Start();
            List<(string Study, string Series, string Image)> studies = [];
            for (var study = 0; study < Studies; study++)
            {
                for (var image = 0; image < ImagesOfStudy; image++)
                {
                    await orthanc.Upload(Slice(study, image));
                }

                studies.Add((Uids.From($"nodes/{study}"), Uids.From($"nodes/{study}/series"), Uids.From($"nodes/{study}/0")));
            }

            await using var proxy = await OrthancProxy.Start(orthanc);
            proxy.Decide = async (_, _) =>
            {
                await Task.Delay(distance);
                return Fault.None;
            };
            (string, string)[] settings =
            [
                ("SIDECAR_Storage__Directory", folder),
                ("SIDECAR_Storage__ConnectionString", await PostgresCluster.CreateDatabase()),
                ("SIDECAR_Journal__Key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))),
                ("SIDECAR_Orthanc__Connections", "4"),
            ];
            var address = distance > TimeSpan.Zero ? proxy.Address : orthanc.Address;
            var width = 2;
            await using var first = await SidecarProcess.Start(address, settings);
            await Mask([first], studies, width++); // compiles
            var alone = await Rounds([first]);
            await using var second = await SidecarProcess.Start(address, settings);
            await Mask([first, second], studies, width++);
            var both = await Rounds([first, second]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(distance > TimeSpan.Zero ? $"Orthanc {distance.TotalMilliseconds} ms away" : "Orthanc beside it"),-22} one node {alone.Rate,6:0.0} ({alone.Busy:0.00} of a processor)   two nodes {both.Rate,6:0.0} ({both.Busy:0.00})   ratio {both.Rate / alone.Rate:0.00}"));

            async Task<(double Rate, double Busy)> Rounds(SidecarProcess[] nodes)
            {
                List<(double Rate, double Busy)> seen = [];
                for (var round = 0; round < rounds; round++)
                {
                    var (begun, used) = (Stopwatch.GetTimestamp(), nodes.Sum(n => n.ProcessorTime.TotalSeconds));
                    await Mask(nodes, studies, width++);
                    var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                    seen.Add((Studies * ImagesOfStudy / seconds, (nodes.Sum(n => n.ProcessorTime.TotalSeconds) - used) / seconds));
                }

                return seen.Order().ElementAt(rounds / 2);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Wider each time, so that there is something to burn.
    private static async Task Mask(SidecarProcess[] nodes, List<(string Study, string Series, string Image)> studies, int width)
    {
        var jobs = new List<(SidecarProcess Node, string Id)>();
        foreach (var (study, series, image) in studies)
        {
            var node = nodes[jobs.Count % nodes.Length];
            jobs.Add((node, await node.Submit(new
            {
                studyInstanceUid = study,
                source = new { seriesInstanceUid = series, sopInstanceUid = image },
                regions = new[] { new { x = 4, y = 4, width, height = 8 } },
                scope = "series",
            })));
        }

        foreach (var (node, id) in jobs)
        {
            await node.Http.GetStringAsync($"api/mask-jobs/{id}/events"); // ends with the job
            Assert.Equal("succeeded", (await node.ReadJob(id)).GetProperty("state").GetString());
        }
    }

    private static byte[] Slice(int study, int image)
    {
        var format = PixelFormat.Grey(64, 64, bitsStored: 12);
        return new InstanceBuilder($"nodes/{study}/{image}").Identify(Uids.From($"nodes/{study}"), Uids.From($"nodes/{study}/series"), Uids.From($"nodes/{study}/{image}"))
            .Set(Tags.Modality, "CT").Set(Tags.InstanceNumber, image + 1).Image(format, SampleFrame.Noise(format, image)).Build();
    }
}
