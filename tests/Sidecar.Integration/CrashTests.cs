using System.Diagnostics;

namespace Sidecar.Integration;

/// <summary>The worst moments: after each, every image is there, masked, and the job says so.</summary>
public sealed class CrashTests
{
    /// <summary>Requests of one replacement, in their order; at the n-th one of a kind the sidecar is killed.</summary>
    [Theory]
    [InlineData("GET", "/file", 1, false)] // reading the original
    [InlineData("GET", "/metadata", 4, false)] // taking the snapshot
    [InlineData("POST", "/instances", 3, false)] // storing: not sent yet (the first two belong to the probe)
    [InlineData("POST", "/instances", 3, true)] // stored, the answer lost
    [InlineData("POST", "/instances", 5, true)]
    [InlineData("GET", "/file", 2, false)] // reading back
    [InlineData("PUT", "/metadata/1024", 1, false)] // restoring
    [InlineData("PUT", "/metadata/1024", 3, true)]
    [InlineData("PUT", "/attachments/1025", 1, false)]
    public async Task Killed_at_this_request_the_job_is_finished_after_a_restart(string method, string pathEnd, int nth, bool afterOrthanc)
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        var instances = new List<string>();
        for (var series = 1; series <= 4; series++)
        {
            instances.Add(await study.Add(orthanc, 1, series));
        }

        var resources = await Annotate(orthanc, instances);
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var killed = proxy.KillAt(sidecar, method, pathEnd, nth, afterOrthanc);
        var (request, key) = (study.Request("study", chosenSeries: [1, 2, 3, 4]), Guid.NewGuid().ToString());
        var answer = sidecar.Submit(request, key);
        await killed.WaitAsync(TimeSpan.FromSeconds(30));
        // The service may be killed before it answers. Whoever asks again with the same key gets the same job.
        await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await sidecar.StartProcess();
        var job = await sidecar.Submit(request, key);
        var view = await sidecar.WaitForEnd(job);

        Assert.Equal(("succeeded", 4), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
        await AssertAnnotated(orthanc, resources);
        Assert.Empty(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder));
    }

    /// <summary>Only the journal has the images then: they come back with what hung on them, and are masked.</summary>
    [Theory]
    [InlineData(false, "0")] // killed before the masked image was stored
    [InlineData(true, "7")] // the originals are to be kept
    public async Task Killed_and_then_lost_by_the_archive_the_images_come_back_and_are_masked(bool afterOrthanc, string undoDays)
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        var instances = new List<string> { await study.Add(orthanc, 1), await study.Add(orthanc, 2) };
        var resources = await Annotate(orthanc, instances);
        await using var sidecar = await SidecarProcess.Start(proxy.Address, ("SIDECAR_MaskJobs__UndoDays", undoDays), ("SIDECAR_Orthanc__Connections", "1"));
        var killed = proxy.KillAt(sidecar, "POST", "/instances", 3, afterOrthanc); // the first two belong to the probe
        var job = await sidecar.Submit(study.Request("series"));
        await killed.WaitAsync(TimeSpan.FromSeconds(30));
        var begun = Path.GetFileNameWithoutExtension(Directory.EnumerateFiles(sidecar.JournalFolder, "*.original", SearchOption.AllDirectories).Single());
        using (var deleted = await orthanc.Http.DeleteAsync($"instances/{begun}"))
        {
            deleted.EnsureSuccessStatusCode();
        }

        await sidecar.StartProcess();

        var view = await sidecar.WaitForEnd(job);
        Assert.Equal(("succeeded", 2), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
        await AssertAnnotated(orthanc, resources);
        Assert.Empty(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder));
    }

    [Fact]
    public async Task A_codec_worker_killed_before_it_is_ready_costs_no_image()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address);
        var study = new SampleStudy();
        await study.Add(orthanc, await FaultCampaign.Compress(study.Build(1)));

        var job = await sidecar.Submit(study.Request("image"));
        var started = Stopwatch.GetTimestamp();
        while (!sidecar.KillWorkers())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "No worker has started.");
        }

        Assert.Equal("succeeded", (await sidecar.WaitForEnd(job)).GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task Told_to_stop_in_mid_job_it_ends_soon_and_goes_on_at_its_next_start()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        for (var number = 1; number <= 40; number++)
        {
            await study.Add(orthanc, number);
        }

        // The first two belong to the probe; from the fifth on nothing is answered until the service was told to stop.
        var (stored, fifth, told) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        proxy.Answered = async (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) >= 5)
            {
                fifth.TrySetResult();
                await told.Task;
            }
        };
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var job = await sidecar.Submit(study.Request("series"));
        await fifth.Task.WaitAsync(TimeSpan.FromSeconds(60));

        var stopped = sidecar.Stop();
        told.SetResult();
        Assert.Equal(0, await stopped);
        Assert.InRange(Volatile.Read(ref stored), 5, 41); // amid the work

        await sidecar.StartProcess();
        var view = await sidecar.WaitForEnd(job);
        Assert.Equal(("succeeded", 40), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
        Assert.Empty(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder));
    }

    [Fact]
    public async Task Killed_again_and_again_a_long_job_still_ends_well()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        for (var number = 1; number <= 24; number++)
        {
            await study.Add(orthanc, number);
        }

        // Each fifth store is the last thing that a life of the service does: what it asks then waits until it is killed.
        var stored = 0;
        (TaskCompletionSource Fifth, TaskCompletionSource Killed)? life = (new(), new());
        proxy.Decide = async (_, _) =>
        {
            if (life is { Fifth.Task.IsCompleted: true, Killed: var killed })
            {
                await killed.Task;
            }

            return Fault.None;
        };
        proxy.Answered = (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) % 5 == 0)
            {
                life?.Fifth.TrySetResult();
            }

            return Task.CompletedTask;
        };
        // Four at once: of more, too few would be left for the later lives.
        await using var sidecar = await SidecarProcess.Start(proxy.Address, ("SIDECAR_Orthanc__Connections", "4"));
        var job = await sidecar.Submit(study.Request("series"));
        for (var kill = 0; kill < 3; kill++)
        {
            var (fifth, killed) = life!.Value;
            await fifth.Task.WaitAsync(TimeSpan.FromSeconds(60));
            await sidecar.Kill();
            life = kill < 2 ? (new(), new()) : null;
            killed.SetResult();
            await sidecar.StartProcess();
        }

        var view = await sidecar.WaitForEnd(job);
        Assert.Equal(("succeeded", 24), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
    }

    internal static async Task<IReadOnlyList<string>> Annotate(OrthancServer orthanc, IReadOnlyList<string> instances)
    {
        var resources = new HashSet<string>();
        foreach (var instance in instances)
        {
            var series = (await orthanc.Read($"instances/{instance}")).GetProperty("ParentSeries").GetString()!;
            var study = (await orthanc.Read($"series/{series}")).GetProperty("ParentStudy").GetString()!;
            var patient = (await orthanc.Read($"studies/{study}")).GetProperty("ParentPatient").GetString()!;
            resources.UnionWith([$"instances/{instance}", $"series/{series}", $"studies/{study}", $"patients/{patient}"]);
        }

        foreach (var resource in resources)
        {
            await orthanc.Put($"{resource}/metadata/1024", resource);
            await orthanc.Put($"{resource}/attachments/1025", resource);
        }

        return [.. resources];
    }

    internal static async Task AssertAnnotated(OrthancServer orthanc, IReadOnlyList<string> resources)
    {
        foreach (var resource in resources)
        {
            Assert.Equal(resource, await orthanc.ReadText($"{resource}/metadata/1024"));
            Assert.Equal(resource, await orthanc.ReadText($"{resource}/attachments/1025/data"));
        }
    }
}
