using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Sidecar.Integration;

namespace Sidecar.Benchmarks;

/// <summary>
/// How long a person waits for one image to be searched for text: from the request at the service to the answer that it is done, on a real Orthanc,
/// with the real detector, warm.
/// </summary>
internal static class ImageScanBenchmark
{
    private const int WarmUps = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task Run(int rounds)
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, ("SIDECAR_Scans__Enabled", "true"));
        var id = await orthanc.Upload(WorkSets.Slice(0));
        var study = (await orthanc.Read($"instances/{id}/tags?short")).GetProperty("0020,000d").GetString();
        using var reviewer = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-review");
        List<double> seconds = [];
        for (var round = 0; round < WarmUps + rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            using var asked = await reviewer.PostAsJsonAsync("api/scans", new { study });
            asked.EnsureSuccessStatusCode();
            var run = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
            JsonElement view = default;
            await Wait.Until(
                async () => (view = await reviewer.GetFromJsonAsync<JsonElement>($"api/scans/{run}")).GetProperty("state").GetString() == "finished", Limit, $"the image is scanned; log:\n{sidecar.Log}");
            if (round >= WarmUps)
            {
                seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }

            Assert.Equal(1, view.GetProperty("counts").GetProperty("scanned").GetInt32());
            Assert.True(view.GetProperty("counts").GetProperty("findings").GetInt32() > 0, "The banner was not found.");
        }

        seconds.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"CT 512×512×16 with two lines of text, {rounds} scans: median {seconds[rounds / 2]:0.00} s, fastest {seconds[0]:0.00} s, slowest {seconds[^1]:0.00} s"));
    }
}
