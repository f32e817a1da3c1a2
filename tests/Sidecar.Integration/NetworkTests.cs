using System.Diagnostics;
using Xunit.Abstractions;

namespace Sidecar.Integration;

/// <summary>The network between the sidecar and Orthanc falls silent in mid-job: packets are lost, and nobody hears that a connection is over.</summary>
public sealed class NetworkTests(ITestOutputHelper output)
{
    private const int Images = 80;

    [NetworkTheory]
    [InlineData(Loss.Both)]
    [InlineData(Loss.There)]
    [InlineData(Loss.Back)]
    [InlineData(Loss.Half)]
    public Task A_job_goes_on_when_the_network_is_back(object loss) => Run((Loss)loss, TimeSpan.FromSeconds(3), saysSo: false);

    /// <summary>Orthanc does what it was asked, the sidecar hears nothing until it gives up (60 s) and looks what became of it.</summary>
    [LongNetworkFact]
    public Task Answers_lost_for_longer_than_a_request_waits_are_resolved_by_reading_back() => Run(Loss.Back, TimeSpan.FromSeconds(65), saysSo: true);

    private async Task Run(Loss loss, TimeSpan time, bool saysSo)
    {
        await using var link = await NetworkLink.Start();
        await using var orthanc = await OrthancServer.Start(link: link);
        await using var sidecar = await SidecarProcess.Start(orthanc.Address);
        var study = new SampleStudy();
        for (var number = 1; number <= Images; number++)
        {
            await study.Add(orthanc, number);
        }

        var job = await sidecar.Submit(study.Request("series"));
        await Wait.Until(async () => await Done(sidecar, job) >= 3, TimeSpan.FromSeconds(60), "some images are masked");
        var lost = link.Lose(loss, time);
        if (loss != Loss.Half)
        {
            await Task.Delay(time / 3);
            var stuck = await Done(sidecar, job);
            await Task.Delay(time / 3);
            Assert.Equal(stuck, await Done(sidecar, job));
            Assert.InRange(stuck, 3, Images - 1);
        }

        await lost;
        var back = Stopwatch.GetTimestamp();
        var view = await sidecar.WaitForEnd(job, seconds: 90);

        output.WriteLine($"{loss} for {time.TotalSeconds} s: ended {Stopwatch.GetElapsedTime(back).TotalSeconds:0.0} s after the network was back");
        Assert.Equal(("succeeded", Images), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        Assert.Equal(saysSo, sidecar.Log.Contains("did not answer within 60 seconds", StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder), e => Path.GetFileName(e) != "identity");
        await study.AssertAllMasked(orthanc);
    }

    private static async Task<int> Done(SidecarProcess sidecar, string job) => (await sidecar.ReadJob(job)).GetProperty("done").GetInt32();
}
