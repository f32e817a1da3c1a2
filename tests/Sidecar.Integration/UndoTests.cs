using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sidecar.Tests.Storage;

namespace Sidecar.Integration;

/// <summary>Originals that are kept for some days: put back bit by bit over exactly the image that was stored, through every kill, or not at all.</summary>
public sealed class UndoTests
{
    private static readonly (string, string)[] Settings = [("SIDECAR_MaskJobs__UndoDays", "30"), ("SIDECAR_Permissions__Restore__0", "break-glass")];

    [Fact]
    public async Task Originals_come_back_bit_by_bit_and_the_ledger_forgets_them()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        var (study, masking) = await Mask(orthanc, sidecar, images: 3);
        var sealedFolder = Path.Combine(sidecar.Folder, "state", "sealed");
        Assert.Equal(6, Directory.EnumerateFiles(sealedFolder, "*", SearchOption.AllDirectories).Count());
        Assert.Empty(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder));
        Assert.Equal(0, (await sidecar.RunCommand("doctor")).Output.Split('\n').Count(l => l.StartsWith("FAILED  kept", StringComparison.Ordinal)));

        using var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass");
        var restoring = await sidecar.WaitForEnd(await Restore(glenn, masking));

        Assert.Equal(("succeeded", 3), (restoring.GetProperty("state").GetString(), restoring.GetProperty("done").GetInt32()));
        foreach (var (id, original) in study.Originals)
        {
            Assert.Equal(original, await orthanc.ReadFile(id));
        }

        Assert.Empty(Directory.EnumerateFiles(sealedFolder, "*", SearchOption.AllDirectories));
        await using (var database = new SqliteConnection($"Data Source={Path.Combine(sidecar.Folder, "state", "sidecar.db")}"))
        {
            Assert.Equal(0, await database.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM masked_instances"));
        }

        var file = Path.Combine(sidecar.Folder, "certificate.json");
        await File.WriteAllTextAsync(file, await sidecar.Http.GetStringAsync($"api/mask-jobs/{masking}/certificate"));
        Assert.Matches("note    until .* the originals could be restored; 3 were, so those images are not masked any more", (await sidecar.RunCommand("verify", file)).Output);

        // What was undone may be masked again.
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")))).GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task An_image_that_is_another_one_by_now_is_left_alone()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        var (study, masking) = await Mask(orthanc, sidecar, images: 2);
        var changed = study.Originals.Keys.First();
        await orthanc.Upload(study.Originals[changed]);
        var before = await orthanc.ReadText($"instances/{changed}/attachments/dicom/info");

        using var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass");
        var restoring = await sidecar.WaitForEnd(await Restore(glenn, masking));

        Assert.Equal(("failed", 1, 1), (restoring.GetProperty("state").GetString(), restoring.GetProperty("done").GetInt32(), restoring.GetProperty("failed").GetInt32()));
        Assert.StartsWith("The image in the archive (Orthanc) is another one than this masking stored", restoring.GetProperty("failures")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await orthanc.ReadText($"instances/{changed}/attachments/dicom/info"));
    }

    [Theory]
    [InlineData("POST", "/instances", 3, false)] // not sent yet; the first two belong to the probe
    [InlineData("POST", "/instances", 3, true)] // stored, the answer lost
    [InlineData("GET", "/file", 2, false)] // reading back
    public async Task Killed_while_it_is_put_back_the_original_is_there_after_a_restart(string method, string pathEnd, int nth, bool afterOrthanc)
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        await using var sidecar = await SidecarProcess.Start(proxy.Address, Settings);
        var (study, masking) = await Mask(orthanc, sidecar, images: 1);
        await sidecar.Kill(); // so that the probe is made anew, and counted
        await sidecar.StartProcess();
        var killed = proxy.KillAt(sidecar, method, pathEnd, nth, afterOrthanc);

        using (var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass"))
        {
            var restore = await Restore(glenn, masking);
            await killed.WaitAsync(TimeSpan.FromSeconds(60));
            await sidecar.StartProcess();
            Assert.Equal("succeeded", (await sidecar.WaitForEnd(restore)).GetProperty("state").GetString());
        }

        var (id, original) = study.Originals.Single();
        Assert.Equal(original, await orthanc.ReadFile(id));
        Assert.Empty(Directory.EnumerateFileSystemEntries(sidecar.JournalFolder));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(sidecar.Folder, "state", "sealed"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task An_image_does_not_count_as_masked_before_its_original_is_kept()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        var sealedFolder = Path.Combine(sidecar.Folder, "state", "sealed");
        await File.WriteAllTextAsync(sealedFolder, "no folder can be made here");

        var job = await sidecar.Submit(study.Request("image"));
        await Wait.Until(() => Task.FromResult(sidecar.Log.Contains("will be tried again", StringComparison.Ordinal)), TimeSpan.FromSeconds(60), "the job meets the fault");
        var view = await sidecar.ReadJob(job);
        Assert.Equal(("running", 0), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));

        File.Delete(sealedFolder);
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(job)).GetProperty("state").GetString());
        Assert.Equal(2, Directory.EnumerateFiles(sealedFolder, "*", SearchOption.AllDirectories).Count());
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task A_kept_original_that_is_damaged_or_sealed_with_another_key_leaves_the_masked_image_alone()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        var (study, masking) = await Mask(orthanc, sidecar, images: 2);
        var (damaged, locked) = (study.Originals.Keys.First(), study.Originals.Keys.Last());
        var folder = Path.Combine(sidecar.Folder, "state", "sealed", masking);
        foreach (var (file, place) in ((string, int)[])[($"{damaged}.original", 100), ($"{locked}.seal", 10)])
        {
            var path = Path.Combine(folder, file);
            var bytes = await File.ReadAllBytesAsync(path);
            bytes[place] ^= 1; // of the seal: the id of its key
            await File.WriteAllBytesAsync(path, bytes);
        }

        using var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass");
        var restoring = await sidecar.WaitForEnd(await Restore(glenn, masking));

        var reasons = restoring.GetProperty("failures").EnumerateArray().Select(f => f.GetProperty("reason").GetString()!).ToList();
        Assert.Equal(("failed", 0), (restoring.GetProperty("state").GetString(), restoring.GetProperty("done").GetInt32()));
        Assert.Contains(reasons, r => r.StartsWith("The kept original is damaged or missing", StringComparison.Ordinal));
        Assert.Contains(reasons, r => r.StartsWith("The kept original cannot be opened.", StringComparison.Ordinal));
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task A_restoring_that_gives_up_says_where_both_files_are_and_can_be_asked_for_again()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        await using var sidecar = await SidecarProcess.Start(proxy.Address, [.. Settings, ("SIDECAR_MaskJobs__OrthancPatience", "00:00:01")]);
        var (study, masking) = await Mask(orthanc, sidecar, images: 1);
        proxy.Decide = (_, _) => Task.FromResult(Fault.CutBefore);

        using var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass");
        var restore = await Restore(glenn, masking);
        await Wait.Until(async () => (await sidecar.ReadJob(restore)).GetProperty("failed").GetInt32() == 1, TimeSpan.FromSeconds(60), $"the restoring gives up; log:\n{sidecar.Log}");
        proxy.Decide = (_, _) => Task.FromResult(Fault.None);
        var view = await sidecar.WaitForEnd(restore);

        Assert.Equal(
            "The image archive (Orthanc) could not be used for too long. The masked image stays in the archive (Orthanc), the original is kept in this service until its time is over. Ask for the restoring again when the archive works.",
            view.GetProperty("failures")[0].GetProperty("reason").GetString());
        await study.AssertAllMasked(orthanc);
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(await Restore(glenn, masking, "again"))).GetProperty("state").GetString());
        Assert.Equal(study.Originals.Values.Single(), await orthanc.ReadFile(study.Originals.Keys.Single()));
    }

    [PostgresFact]
    public async Task A_node_that_did_not_mask_restores_and_of_two_one_erases_when_the_time_is_over()
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-shared-").FullName;
        try
        {
            await using var orthanc = await OrthancServer.Start();
            var database = await PostgresCluster.CreateDatabase();
            (string, string)[] settings =
            [
                .. Settings,
                ("SIDECAR_Storage__Directory", folder),
                ("SIDECAR_Storage__ConnectionString", database),
                ("SIDECAR_Journal__Key", Convert.ToBase64String(new byte[32])),
            ];
            await using var first = await SidecarProcess.Start(orthanc.Address, settings);
            var (undone, masking) = await Mask(orthanc, first, images: 3);
            var standing = new SampleStudy();
            await standing.Add(orthanc, 1);
            await standing.Add(orthanc, 2);
            var other = await first.Submit(standing.Request("series"));
            Assert.Equal("succeeded", (await first.WaitForEnd(other)).GetProperty("state").GetString());
            await first.Kill();
            await using var second = await SidecarProcess.Start(orthanc.Address, settings);

            using (var glenn = second.ClientOf("glenn", "Glenn", second.Http.BaseAddress!.ToString(), "break-glass"))
            {
                var restoring = await second.WaitForEnd(await Restore(glenn, masking));
                Assert.Equal(("succeeded", 3), (restoring.GetProperty("state").GetString(), restoring.GetProperty("done").GetInt32()));
            }

            foreach (var (id, original) in undone.Originals)
            {
                Assert.Equal(original, await orthanc.ReadFile(id));
            }

            var kept = Path.Combine(folder, "sealed");
            Assert.Equal(4, Directory.EnumerateFiles(kept, "*", SearchOption.AllDirectories).Count());

            // The time is over while both are down; both look for what is due when they start.
            await second.Kill();
            await using (var connection = new NpgsqlConnection(database))
            {
                await connection.ExecuteAsync("UPDATE sealed_originals SET restorable_until = '2026-01-01T00:00:00.0000000Z' WHERE state = 'sealed'");
            }

            await Task.WhenAll(first.StartProcess(), second.StartProcess());
            await using (var connection = new NpgsqlConnection(database))
            {
                await Wait.Until(
                    async () => await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM sealed_originals WHERE state = 'sealed'") == 0, TimeSpan.FromSeconds(60), $"they are erased; log:\n{first.Log}\n{second.Log}");
                var told = (await connection.QueryAsync<string>("SELECT details FROM audit_events WHERE action = 'originalsErased'")).Select(d => (int)JsonNode.Parse(d)!["instances"]!).ToList();
                Assert.Equal(2, told.Sum());
            }

            Assert.Empty(Directory.EnumerateFiles(kept, "*", SearchOption.AllDirectories));
            using var late = first.ClientOf("glenn", "Glenn", first.Http.BaseAddress!.ToString(), "break-glass");
            using var request = new HttpRequestMessage(HttpMethod.Post, $"api/mask-jobs/{other}/restore") { Content = JsonContent.Create(new { reason = "too late" }) };
            request.Headers.Add("Idempotency-Key", "late");
            using var answer = await late.SendAsync(request);
            Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
            List<(byte[], byte[])> files = [];
            foreach (var (id, original) in standing.Originals)
            {
                files.Add((original, await orthanc.ReadFile(id)));
            }

            await Oracle.AssertMasked(files, (4, 6, 20, 10));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [SmallDiskFact]
    public async Task On_a_full_disk_no_image_is_touched_and_the_job_says_what_to_do()
    {
        using var disk = SmallDisk.Mount()!;
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, [.. await OnDisk(disk.Folder)]);
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        await study.Add(orthanc, 2);
        disk.Fill();

        var job = await sidecar.Submit(study.Request("series"));
        await Wait.Until(async () => (await sidecar.ReadJob(job)).GetProperty("failed").GetInt32() == 2, TimeSpan.FromSeconds(60), $"the job gives up; log:\n{sidecar.Log}");
        disk.Empty();
        var view = await sidecar.WaitForEnd(job);

        Assert.All(view.GetProperty("failures").EnumerateArray(), f => Assert.Equal(
            "The service's own folder (Storage:Directory) could not be written for too long: its disk is full or broken, or may not be used. This image was not touched. Tell the administrator; mask it again when there is room.",
            f.GetProperty("reason").GetString()));
        foreach (var (id, original) in study.Originals)
        {
            Assert.Equal(original, await orthanc.ReadFile(id));
        }

        Assert.Equal("succeeded", (await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")))).GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);
    }

    /// <summary>The image is stored masked by then: its original stays in the journal, and it counts as nothing, until it can be kept.</summary>
    [SmallDiskFact]
    public async Task On_a_full_disk_of_the_kept_originals_alone_the_original_stays_in_the_journal()
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-state-").FullName;
        try
        {
            using var disk = SmallDisk.Mount(Directory.CreateDirectory(Path.Combine(folder, "sealed")).FullName)!;
            await using var orthanc = await OrthancServer.Start();
            await using var sidecar = await SidecarProcess.Start(orthanc.Address, [.. await OnDisk(folder)]);
            var study = new SampleStudy();
            await study.Add(orthanc, 1);
            disk.Fill();

            var job = await sidecar.Submit(study.Request("series"));
            await Wait.Until(() => Task.FromResult(sidecar.Log.Split("will be tried again").Length > 3), TimeSpan.FromSeconds(60), "the job meets the fault again and again");
            var view = await sidecar.ReadJob(job);
            Assert.Equal(("running", 0, 0), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32(), view.GetProperty("failed").GetInt32()));
            Assert.NotEmpty(Directory.EnumerateFiles(sidecar.JournalFolder, "*original*", SearchOption.AllDirectories));

            disk.Empty();
            Assert.Equal("succeeded", (await sidecar.WaitForEnd(job)).GetProperty("state").GetString());
            await study.AssertAllMasked(orthanc);
            using var glenn = sidecar.ClientOf("glenn", "Glenn", sidecar.Http.BaseAddress!.ToString(), "break-glass");
            Assert.Equal("succeeded", (await sidecar.WaitForEnd(await Restore(glenn, job))).GetProperty("state").GetString());
            Assert.Equal(study.Originals.Values.Single(), await orthanc.ReadFile(study.Originals.Keys.Single()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The database elsewhere, so that the journal and the kept originals alone are without room.
    private static async Task<(string, string)[]> OnDisk(string folder) =>
    [
        .. Settings,
        ("SIDECAR_Storage__Directory", folder),
        ("SIDECAR_Storage__ConnectionString", await PostgresCluster.CreateDatabase()),
        ("SIDECAR_MaskJobs__OrthancPatience", "00:00:01"),
    ];

    private static async Task<(SampleStudy Study, string Job)> Mask(OrthancServer orthanc, SidecarProcess sidecar, int images)
    {
        var study = new SampleStudy();
        for (var number = 1; number <= images; number++)
        {
            await study.Add(orthanc, number);
        }

        var job = await sidecar.Submit(study.Request("series"));
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(job)).GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);
        return (study, job);
    }

    private static async Task<string> Restore(HttpClient client, string masking, string key = "key")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/mask-jobs/{masking}/restore") { Content = JsonContent.Create(new { reason = "the wrong study was masked" }) };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        return (string)JsonNode.Parse(body)!["id"]!;
    }
}
