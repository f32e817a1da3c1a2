using Sidecar.TestData;

namespace Sidecar.Integration;

/// <summary>Orthanc away, its answers lost, images changed or deleted by others while a job runs.</summary>
public sealed class ArchiveFaultTests
{
    [Fact]
    public async Task Orthanc_killed_in_mid_job_is_waited_for()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        for (var number = 1; number <= 10; number++)
        {
            await study.Add(orthanc, number);
        }

        var stored = 0;
        var killed = new TaskCompletionSource();
        proxy.Decide = async (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) == 5)
            {
                await orthanc.Kill();
                killed.TrySetResult();
                return Fault.CutBefore;
            }

            return Fault.None;
        };
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var job = await sidecar.Submit(study.Request("series"));
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("running", (await sidecar.ReadJob(job)).GetProperty("state").GetString());
        await orthanc.StartProcess();
        var view = await sidecar.WaitForEnd(job);

        Assert.Equal(("succeeded", 10), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
    }

    [Theory]
    [InlineData(Fault.CutBefore)]
    [InlineData(Fault.CutAfter)]
    [InlineData(Fault.Busy)]
    public async Task A_store_without_a_good_answer_is_resolved_by_reading_back(object fault)
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        var instance = await study.Add(orthanc, 1);
        var resources = await CrashTests.Annotate(orthanc, [instance]);
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var stored = 0;
        proxy.Decide = (method, path) => Task.FromResult(method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) == 3 ? (Fault)fault : Fault.None);

        var view = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image")));

        Assert.Equal("succeeded", view.GetProperty("state").GetString());
        Assert.Equal((Fault)fault == Fault.CutAfter ? 3 : 4, stored);
        await study.AssertAllMasked(orthanc);
        await CrashTests.AssertAnnotated(orthanc, resources);
    }

    [Fact]
    public async Task An_instance_that_somebody_stores_in_between_is_masked_in_its_new_form()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        var instance = await study.Add(orthanc, 1);
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var reads = 0;
        proxy.Answered = async (method, path) =>
        {
            if (method == "GET" && path.EndsWith("/file", StringComparison.Ordinal) && Interlocked.Increment(ref reads) == 1)
            {
                await study.Add(orthanc, 1, change: b => b.Set(Tags.StudyDescription, "corrected"));
            }
        };

        var view = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image")));

        Assert.Equal("succeeded", view.GetProperty("state").GetString());
        Assert.Equal("corrected", (await orthanc.Read($"instances/{instance}/simplified-tags")).GetProperty("StudyDescription").GetString());
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task An_instance_deleted_in_between_fails_with_that_reason()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        var deleted = await study.Add(orthanc, 1);
        await study.Add(orthanc, 2);
        await using var sidecar = await SidecarProcess.Start(proxy.Address);
        var infos = 0;
        proxy.Decide = async (method, path) =>
        {
            if (path.EndsWith($"{deleted}/attachments/dicom/info", StringComparison.Ordinal) && Interlocked.Increment(ref infos) == 1)
            {
                (await orthanc.Http.DeleteAsync($"instances/{deleted}")).EnsureSuccessStatusCode();
            }

            return Fault.None;
        };

        var view = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));

        Assert.Equal(("failed", 1, 1), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32(), view.GetProperty("failed").GetInt32()));
        var failure = view.GetProperty("failures")[0];
        Assert.Equal(("deleted", "The image is no longer in Orthanc; somebody deleted it after the job was started."), (failure.GetProperty("cause").GetString(), failure.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task An_archive_away_for_too_long_fails_the_untouched_images_and_says_so()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        await using var sidecar = await SidecarProcess.Start(proxy.Address, ("SIDECAR_MaskJobs__OrthancPatience", "00:00:01"));
        var away = false;
        proxy.Decide = (method, path) =>
        {
            away |= path.EndsWith("/file", StringComparison.Ordinal);
            return Task.FromResult(away ? Fault.CutBefore : Fault.None);
        };

        var job = await sidecar.Submit(study.Request("image"));
        await Wait.Until(async () => (await sidecar.ReadJob(job)).GetProperty("failed").GetInt32() == 1, TimeSpan.FromSeconds(60), $"the image fails; log:\n{sidecar.Log}");
        proxy.Decide = (_, _) => Task.FromResult(Fault.None);
        var view = await sidecar.WaitForEnd(job);

        var failure = view.GetProperty("failures")[0];
        Assert.Equal(
            ("archive", "The image archive (Orthanc) could not be used for too long. This image was not touched; mask it again when the archive works."),
            (failure.GetProperty("cause").GetString(), failure.GetProperty("reason").GetString()));
        Assert.Equal(study.Originals.Values.Single(), await orthanc.ReadFile(study.Originals.Keys.Single()));
    }
}
