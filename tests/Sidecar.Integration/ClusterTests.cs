using System.Text.Json;
using Sidecar.Tests.Storage;

namespace Sidecar.Integration;

/// <summary>A test on a real PostgreSQL; says why where there is none.</summary>
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = PostgresCluster.Missing;
}

/// <summary>Several sidecars, one PostgreSQL, one journal folder, one Orthanc.</summary>
public sealed class ClusterTests : IDisposable
{
    private const int Studies = 6;
    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-shared-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [PostgresFact]
    public async Task Two_sidecars_share_the_work_and_when_one_is_killed_the_other_takes_over_its_images()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var slow = await OrthancProxy.Start(orthanc);
        await using var doomed = await OrthancProxy.Start(orthanc);
        var studies = new List<SampleStudy>();
        var resources = new List<string>();
        for (var number = 0; number < Studies; number++)
        {
            var study = new SampleStudy();
            resources.AddRange(await CrashTests.Annotate(orthanc, [await study.Add(orthanc, 1), await study.Add(orthanc, 2), await study.Add(orthanc, 1, series: 2)]));
            studies.Add(study);
        }

        var settings = Settings(await PostgresCluster.CreateDatabase());
        await using var first = await SidecarProcess.Start(doomed.Address, settings);
        await using var second = await SidecarProcess.Start(slow.Address, settings);
        var storedBySecond = 0;
        slow.Answered = async (method, path) =>
        {
            if (method == "POST" && path == "/instances")
            {
                Interlocked.Increment(ref storedBySecond);
                await Task.Delay(100);
            }
        };
        // The first sidecar dies when Orthanc has stored two of its images (after the two of the probe) and it has heard of none.
        var (storedByFirst, reached, asked) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        doomed.Answered = async (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref storedByFirst) > 2)
            {
                if (storedByFirst >= 4)
                {
                    reached.TrySetResult();
                }

                await Task.WhenAll(reached.Task, asked.Task);
                await first.Kill();
            }
        };

        var jobs = new List<string>();
        for (var number = 0; number < Studies; number++)
        {
            var ask = number % 2 == 0 ? first : second;
            jobs.Add(await ask.Submit(studies[number].Request("study", chosenSeries: [1, 2])));
        }

        asked.SetResult();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await first.Kill();
        foreach (var job in jobs)
        {
            var view = await second.WaitForEnd(job, seconds: 120);
            Assert.Equal(("succeeded", 3), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        }

        Assert.True(storedBySecond > 2);
        List<(byte[], byte[])> files = [];
        foreach (var (id, original) in studies.SelectMany(s => s.Originals))
        {
            files.Add((original, await orthanc.ReadFile(id)));
        }

        await Oracle.AssertMasked(files, (4, 6, 20, 10));

        Assert.Equal(Studies * 3, (await orthanc.ListInstances()).Count);
        await CrashTests.AssertAnnotated(orthanc, resources);
        Assert.Equal([Path.Combine(_folder, "journal", "identity")], Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "journal")));
    }

    [PostgresFact]
    public async Task PostgreSQL_killed_in_mid_job_is_waited_for()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        await using var cluster = await PostgresCluster.Start();
        var study = new SampleStudy();
        for (var number = 1; number <= 10; number++)
        {
            await study.Add(orthanc, number);
        }

        await using var sidecar = await SidecarProcess.Start(proxy.Address, Settings(await cluster.Create()));
        var (stored, killed) = (0, new TaskCompletionSource());
        proxy.Answered = async (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) == 6)
            {
                await cluster.KillAndRestart();
                killed.TrySetResult();
            }
        };
        var job = await sidecar.Submit(study.Request("series"));
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var view = await sidecar.WaitForEnd(job);

        Assert.Equal(("succeeded", 10), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await study.AssertAllMasked(orthanc);
    }

    [PostgresFact]
    public async Task A_job_is_followed_and_cancelled_by_way_of_a_sidecar_that_does_not_run_it()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var study = new SampleStudy();
        for (var number = 1; number <= 20; number++)
        {
            await study.Add(orthanc, number);
        }

        var settings = Settings(await PostgresCluster.CreateDatabase());
        // Five images are stored, and as many as are in work are brought to their end.
        await using var worker = await SidecarProcess.Start(proxy.Address, [.. settings, ("SIDECAR_Orthanc__Connections", "4")]);
        var (stored, amid, cancelled) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        proxy.Answered = async (method, path) =>
        {
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) > 5)
            {
                amid.TrySetResult();
                await cancelled.Task;
            }
        };
        var job = await worker.Submit(study.Request("series"));
        await amid.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await using var other = await SidecarProcess.Start(orthanc.Address, settings);
        using var events = await other.Http.GetAsync($"api/mask-jobs/{job}/events", HttpCompletionOption.ResponseHeadersRead);
        using var answer = await other.Http.PostAsync($"api/mask-jobs/{job}/cancel", null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        await Task.Delay(1000); // two renewals: the worker has heard of it
        cancelled.TrySetResult();

        var view = await other.WaitForEnd(job);
        var (done, left) = (view.GetProperty("done").GetInt32(), view.GetProperty("cancelled").GetInt32());
        Assert.Equal(("cancelled", 20, "Mia Masker"), (view.GetProperty("state").GetString(), done + left, view.GetProperty("cancelledBy").GetString()));
        Assert.InRange(done, 3, 10);
        var unchanged = 0;
        foreach (var (id, original) in study.Originals)
        {
            unchanged += (await orthanc.ReadFile(id)).SequenceEqual(original) ? 1 : 0;
        }

        Assert.Equal(left, unchanged);
        var told = (await events.Content.ReadAsStringAsync()).Split('\n').Where(l => l.StartsWith("data: ", StringComparison.Ordinal)).Select(l => JsonDocument.Parse(l[6..]).RootElement).ToList();
        Assert.Equal("cancelled", told[^1].GetProperty("state").GetString());
        using var again = await other.Http.PostAsync($"api/mask-jobs/{job}/cancel", null);
        Assert.Equal(409, (int)again.StatusCode);
    }

    private (string, string)[] Settings(string connectionString) =>
    [
        ("SIDECAR_Storage__Directory", _folder),
        ("SIDECAR_Storage__ConnectionString", connectionString),
        ("SIDECAR_Journal__Key", Convert.ToBase64String(new byte[32])),
        ("SIDECAR_MaskJobs__Lease", "00:00:03"),
        ("SIDECAR_MaskJobs__LookPause", "00:00:00.1"),
    ];
}
