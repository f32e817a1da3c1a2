using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sidecar.TestData;
using Sidecar.Tests.Storage;
using Xunit.Abstractions;

namespace Sidecar.Integration;

/// <summary>
/// Mask jobs on a real Orthanc while, at random requests, programs are killed, answers lost and disks filled. Afterwards others judge: pydicom the pixels and
/// attributes, `sidecar audit verify` the chain. In every other round a second person confirms each job, originals are kept, and many jobs are undone. FAULT_CAMPAIGN is the number of faults on each database, FAULT_SEED draws them; docs/reliability.md has
/// the command and the outcome of the long run.
/// </summary>
public sealed class FaultCampaign(ITestOutputHelper output)
{
    private const int FaultsARound = 10;
    private const int Images = 8;
    private const int Loop = 7;
    private const int LoopFrames = 720;
    private static readonly int Faults = Number("FAULT_CAMPAIGN", 3);
    private static readonly int Seed = Number("FAULT_SEED", 1);

    private enum Harm
    {
        SidecarKilled,
        WorkerKilled,
        OrthancKilled,
        DatabaseKilled,
        ConnectionCutBefore,
        ConnectionCutAfter,
        Answered503,
        AnsweredSlowly,
        NetworkAway,
        NetworkSilent,
        AnswersLost,
        HalfOfPacketsLost,
        SidecarDiskFull,
        OrthancDiskFull,
    }

    [Fact]
    public Task Whatever_fails_on_SQLite_every_image_is_masked_once_and_none_is_lost() => Run(onPostgres: false);

    [PostgresFact]
    public Task Whatever_fails_on_PostgreSQL_every_image_is_masked_once_and_none_is_lost() => Run(onPostgres: true);

    private async Task Run(bool onPostgres)
    {
        var random = new Random(Seed);
        // So that the short runs of both databases together do most kinds of harm.
        var kind = onPostgres ? 3 : 0;
        var undone = onPostgres;
        var tally = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var left = Faults; left > 0; left -= FaultsARound)
        {
            await RunRound(random, kind, Math.Min(left, FaultsARound), onPostgres, undone, tally);
            kind += FaultsARound;
            undone = !undone;
        }

        output.WriteLine($"{(onPostgres ? "PostgreSQL" : "SQLite")}, seed {Seed}: {string.Join(", ", tally.Select(t => $"{t.Key} {t.Value}"))}");
    }

    private static async Task RunRound(Random random, int kind, int faults, bool onPostgres, bool undone, SortedDictionary<string, int> tally)
    {
        using var sidecarDisk = SmallDisk.Mount();
        using var orthancDisk = SmallDisk.Mount();
        await using var orthanc = await OrthancServer.Start(folder: orthancDisk?.Folder);
        await using var link = NetworkLink.Missing is null ? await NetworkLink.Start() : null;
        await using var proxy = await OrthancProxy.Start(orthanc, link);
        await using var cluster = onPostgres ? await PostgresCluster.Start() : null;
        List<(string, string)> settings = cluster is null ? [] : [("SIDECAR_Storage__ConnectionString", await cluster.Create())];
        if (sidecarDisk is not null)
        {
            settings.Add(("SIDECAR_Storage__Directory", Path.Combine(sidecarDisk.Folder, "state")));
        }

        if (undone)
        {
            settings.AddRange([("SIDECAR_MaskJobs__TwoPersonApproval", "true"), ("SIDECAR_MaskJobs__UndoDays", "30"), ("SIDECAR_Permissions__Restore__0", "break-glass")]);
        }

        await using var sidecar = await SidecarProcess.Start(proxy.Address, [.. settings]);
        var study = new SampleStudy();
        for (var number = 1; number <= Images; number++)
        {
            // Every other one is JPEG 2000, so that there are workers to kill; one is a loop, longer than what is held in memory.
            var native = study.Build(number, change: b => Lengthen(b, number == Loop ? LoopFrames : 1, number));
            await study.Add(orthanc, number % 2 == 0 ? await Compress(native) : native);
        }

        var world = new World(orthanc, proxy, link, cluster, sidecar, sidecarDisk, orthancDisk);
        List<Harm> possible = [.. Enum.GetValues<Harm>().Where(world.Can)];
        var history = new History(undone);
        Task? running = null;
        for (var fault = 0; fault < faults; fault++)
        {
            // Each kind comes once before one comes twice.
            var harm = possible[(kind + fault) % possible.Count];
            var struck = world.Arm(harm, afterRequests: random.Next(1, 60), afterAnswer: random.Next(2) == 0);
            while (!struck.IsCompleted)
            {
                if (running is null || running.IsCompleted)
                {
                    await (running ?? Task.CompletedTask);
                    running = undone && history.Standing.Count > 0 && (history.Restores.Count == 0 || random.Next(2) == 0)
                        ? Undo(world, study, history)
                        : MaskSeries(world, study, history, history.DrawRegion(random));
                }

                await Task.WhenAny(struck, running);
            }

            await struck;
            tally[harm.ToString()] = tally.GetValueOrDefault(harm.ToString()) + 1;
        }

        await running!;
        if (undone && history.Restores.Count == 0)
        {
            await Undo(world, study, history); // else a short run would say nothing of it
        }

        await Judge(world, study, history);
        tally["jobs"] = tally.GetValueOrDefault("jobs") + history.Jobs.Count;
        tally["images masked"] = tally.GetValueOrDefault("images masked") + (history.Jobs.Count * Images);
        tally["jobs undone"] = tally.GetValueOrDefault("jobs undone") + history.Restores.Count;
    }

    private static async Task MaskSeries(World world, SampleStudy study, History history, (int X, int Y, int Width, int Height) region)
    {
        var before = await ReadAll(world.Orthanc, study);
        var job = await Follow(world.Sidecar, "api/mask-jobs", study.Request("series", region));
        history.Jobs.Add(job);
        history.Standing.Push((job, region, before));
    }

    /// <summary>Puts back what the newest job masked: bit by bit what was there before it, and pydicom finds all earlier masks and nothing else changed.</summary>
    private static async Task Undo(World world, SampleStudy study, History history)
    {
        var (masking, _, before) = history.Standing.Peek();
        var job = await Follow(world.Sidecar, $"api/mask-jobs/{masking}/restore", new { reason = "the campaign" });
        history.Standing.Pop();
        history.Restores.Add((masking, job));
        var after = await ReadAll(world.Orthanc, study);
        Assert.All(before, b => Assert.Equal(b.Value, after[b.Key]));
        if (history.Standing.Count > 0)
        {
            await Oracle.AssertMasked([.. study.Originals.Select(o => (o.Value, after[o.Key]))], [.. history.Standing.Select(s => s.Region)]);
        }
    }

    /// <summary>As patient viewers do: the same request with the same key until it is answered, then the job until it ends, confirmed by somebody else where it waits for that.</summary>
    private static async Task<string> Follow(SidecarProcess sidecar, string path, object request)
    {
        var key = Guid.NewGuid().ToString();
        string? job = null;
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(4), $"A job has not ended after four minutes; the sidecar's last words:\n{string.Join('\n', sidecar.Log.Split('\n').TakeLast(30))}");
            try
            {
                if (job is null)
                {
                    using var mia = sidecar.ClientOf("mia", "Mia Masker", sidecar.Http.BaseAddress!.ToString(), "image-masking", "break-glass");
                    mia.DefaultRequestHeaders.Add("Idempotency-Key", key);
                    using var answer = await mia.PostAsJsonAsync(path, request);
                    job = answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>() : null;
                    Assert.True(job is not null || (int)answer.StatusCode >= 500, $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                    if (job is null)
                    {
                        await Task.Delay(100); // whoever asks more often than 20 times a second is told to wait
                    }

                    continue;
                }

                var view = await sidecar.ReadJob(job);
                switch (view.GetProperty("state").GetString())
                {
                    case "succeeded":
                        return job;
                    case "awaitingConfirmation":
                        using (var ann = sidecar.ClientOf("ann", "Ann Other", sidecar.Http.BaseAddress!.ToString(), "image-masking"))
                        using (var answer = await ann.PostAsJsonAsync($"api/mask-jobs/{job}/confirm", new { reason = "seen" }))
                        {
                            Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode >= 500, $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                        }

                        break;
                    case "failed" or "cancelled" or "declined":
                        Assert.Fail(view.ToString());
                        break;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // The sidecar is away.
            }

            await Task.Delay(50);
        }
    }

    /// <summary>All files as Orthanc holds them, when it is there again.</summary>
    private static async Task<Dictionary<string, byte[]>> ReadAll(OrthancServer orthanc, SampleStudy study)
    {
        Dictionary<string, byte[]> files = [];
        await Wait.Until(
            async () =>
            {
                try
                {
                    foreach (var id in study.Originals.Keys)
                    {
                        files[id] = await orthanc.ReadFile(id);
                    }

                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            TimeSpan.FromMinutes(2),
            "Orthanc delivers all files");
        return files;
    }

    private static async Task Judge(World world, SampleStudy study, History history)
    {
        var sidecar = world.Sidecar;
        if (history.Standing.Count > 0)
        {
            await study.AssertAllMasked(world.Orthanc, [.. history.Standing.Select(s => s.Region)]);
        }
        else
        {
            var files = await ReadAll(world.Orthanc, study);
            Assert.All(study.Originals, o => Assert.Equal(o.Value, files[o.Key]));
        }

        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder), e => Path.GetFileName(e) != "identity");
        var kept = Path.Combine(Path.GetDirectoryName(sidecar.JournalFolder)!, "sealed");
        // The original and its seal, of each image whose masking was not undone.
        Assert.Equal(history.AreKept ? history.Standing.Count * Images * 2 : 0, Directory.Exists(kept) ? Directory.EnumerateFiles(kept, "*", SearchOption.AllDirectories).Count() : 0);
        var (status, said) = await sidecar.RunCommand("audit", "verify");
        Assert.True(status == 0, said);
        var export = Path.Combine(sidecar.Folder, "audit.ndjson");
        (status, said) = await sidecar.RunCommand("audit", "export", "--out", export);
        Assert.True(status == 0, said);
        var rows = (await File.ReadAllLinesAsync(export)).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        List<JsonElement> Of(string job, string action) => [.. rows.Where(r => r.GetProperty("action").GetString() == action && r.GetProperty("jobId").GetString() == job)];
        void OnceForEachImage(string job, string action) =>
            Assert.Equal((Images, Images), (Of(job, action).Count, Of(job, action).Select(r => r.GetProperty("sopInstanceUid").GetString()).Distinct().Count()));
        foreach (var job in history.Jobs)
        {
            OnceForEachImage(job, "instanceMasked");
            Assert.Single(Of(job, "maskJobFinished"));
            Assert.Equal(history.AreKept ? ["ann"] : [], Of(job, "maskJobConfirmed").Select(r => r.GetProperty("subject").GetString()));
        }

        foreach (var (masking, restore) in history.Restores)
        {
            OnceForEachImage(masking, "instanceRestored");
            OnceForEachImage(restore, "instanceRestored");
            Assert.Single(Of(restore, "restoreFinished"));
        }
    }

    private static void Lengthen(InstanceBuilder image, int frames, int seed)
    {
        var format = PixelFormat.Grey(64, 48, bitsStored: 12);
        image.Set(Tags.NumberOfFrames, $"{frames}").Image(format, SampleFrame.Noise(format, frames, seed));
    }

    /// <summary>The same in JPEG 2000.</summary>
    internal static async Task<byte[]> Compress(byte[] native)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-compress-");
        try
        {
            var (from, to) = (Path.Combine(folder.FullName, "a.dcm"), Path.Combine(folder.FullName, "b.dcm"));
            await File.WriteAllBytesAsync(from, native);
            using var process = Process.Start("gdcmconv", ["--j2k", from, to]);
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
            return await File.ReadAllBytesAsync(to);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>What was done in one round.</summary>
    private sealed record History(bool AreKept)
    {
        public List<string> Jobs { get; } = [];

        /// <summary>The newest on top, each with the files before it.</summary>
        public Stack<(string Job, (int X, int Y, int Width, int Height) Region, Dictionary<string, byte[]> Before)> Standing { get; } = [];

        public List<(string Masking, string Restore)> Restores { get; } = [];

        /// <summary>One that is not wholly black already: masking there would change nothing, and keep no original.</summary>
        public (int X, int Y, int Width, int Height) DrawRegion(Random random)
        {
            while (true)
            {
                var (x, y, width, height) = (random.Next(0, 40), random.Next(0, 30), random.Next(1, 20), random.Next(1, 15));
                if (Enumerable.Range(x, width).Any(c => Enumerable.Range(y, height).Any(r =>
                    !Standing.Any(s => c >= s.Region.X && c < s.Region.X + s.Region.Width && r >= s.Region.Y && r < s.Region.Y + s.Region.Height))))
                {
                    return (x, y, width, height);
                }
            }
        }
    }

    /// <summary>The programs and disks of one round, and the harm that can be done to them.</summary>
    private sealed record World(OrthancServer Orthanc, OrthancProxy Proxy, NetworkLink? Link, PostgresCluster? Cluster, SidecarProcess Sidecar, SmallDisk? SidecarDisk, SmallDisk? OrthancDisk)
    {
        public bool Can(Harm harm) => harm switch
        {
            Harm.DatabaseKilled => Cluster is not null,
            Harm.NetworkSilent or Harm.AnswersLost or Harm.HalfOfPacketsLost => Link is not null,
            Harm.SidecarDiskFull => SidecarDisk is not null,
            Harm.OrthancDiskFull => OrthancDisk is not null,
            _ => true,
        };

        /// <summary>Does harm at the n-th request to Orthanc from now. Ends when the harm is over and all programs run again.</summary>
        public Task Arm(Harm harm, int afterRequests, bool afterAnswer)
        {
            var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var count = 0;
            var away = false;
            // What is done to a request on its way cannot wait for its answer.
            afterAnswer &= FaultOf(harm) == Fault.None;
            async Task<bool> IsItsTurn()
            {
                if (Interlocked.Increment(ref count) != afterRequests)
                {
                    return false;
                }

                away = harm == Harm.NetworkAway;
                var end = End();
                if (harm is not (Harm.NetworkAway or Harm.NetworkSilent or Harm.AnswersLost or Harm.HalfOfPacketsLost))
                {
                    await end; // a network lets Orthanc work on meanwhile
                }

                return true;
            }

            async Task End()
            {
                try
                {
                    await Strike(harm);
                    away = false;
                    over.SetResult();
                }
                catch (Exception e)
                {
                    over.SetException(e);
                }
            }

            Proxy.Decide = async (_, _) =>
            {
                if (away)
                {
                    return Fault.CutBefore;
                }

                return !afterAnswer && await IsItsTurn() ? FaultOf(harm) : Fault.None;
            };
            Proxy.Answered = async (_, _) =>
            {
                if (afterAnswer)
                {
                    await IsItsTurn();
                }
            };
            return over.Task;
        }

        private static Fault FaultOf(Harm harm) => harm switch
        {
            Harm.ConnectionCutBefore or Harm.NetworkAway => Fault.CutBefore,
            Harm.ConnectionCutAfter => Fault.CutAfter,
            Harm.Answered503 => Fault.Busy,
            _ => Fault.None,
        };

        private async Task Strike(Harm harm)
        {
            switch (harm)
            {
                case Harm.SidecarKilled:
                    await Sidecar.Kill();
                    await Sidecar.StartProcess();
                    break;
                case Harm.WorkerKilled:
                    Sidecar.KillWorkers();
                    break;
                case Harm.OrthancKilled:
                    await Orthanc.Kill();
                    await Orthanc.StartProcess();
                    break;
                case Harm.DatabaseKilled:
                    await Cluster!.KillAndRestart();
                    break;
                case Harm.AnsweredSlowly:
                    await Task.Delay(3000);
                    break;
                case Harm.NetworkAway:
                    await Task.Delay(1500);
                    break;
                case Harm.NetworkSilent:
                    await Link!.Lose(Loss.Both, TimeSpan.FromSeconds(3));
                    break;
                case Harm.AnswersLost:
                    await Link!.Lose(Loss.Back, TimeSpan.FromSeconds(3));
                    break;
                case Harm.HalfOfPacketsLost:
                    await Link!.Lose(Loss.Half, TimeSpan.FromSeconds(3));
                    break;
                case Harm.SidecarDiskFull:
                    await SidecarDisk!.FillFor(TimeSpan.FromSeconds(2));
                    break;
                case Harm.OrthancDiskFull:
                    await OrthancDisk!.FillFor(TimeSpan.FromSeconds(2));
                    break;
            }
        }
    }
}
