using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;

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
        Assert.Contains("another one", restoring.GetProperty("failures")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
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

    private static async Task<string> Restore(HttpClient client, string masking)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/mask-jobs/{masking}/restore") { Content = JsonContent.Create(new { reason = "the wrong study was masked" }) };
        request.Headers.Add("Idempotency-Key", "key");
        using var answer = await client.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        return (string)JsonNode.Parse(body)!["id"]!;
    }
}
