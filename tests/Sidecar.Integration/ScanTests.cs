using System.Data.Common;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sidecar.TestData;
using Sidecar.Tests.Storage;

namespace Sidecar.Integration;

/// <summary>Discovery, scans and originals sent again, on a real Orthanc. What the detector finds is judged elsewhere.</summary>
public sealed class ScanTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-shared-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_comes_in_is_scanned_once_our_mask_once_more_and_an_original_sent_again_is_masked_again()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings());
        var study = new SampleStudy();
        for (var number = 1; number <= 3; number++)
        {
            await study.Add(orthanc, number);
        }

        await Wait.Until(async () => await Looked(sidecar) == 3, Limit, $"three images are scanned; log:\n{sidecar.Log}");
        await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));
        await Wait.Until(async () => await Looked(sidecar) == 6 && await IsIdle(sidecar), Limit, $"the masked images are scanned; log:\n{sidecar.Log}");

        // Two of them come again as they were; the third as it is.
        var originals = study.Originals.ToList();
        await orthanc.Upload(originals[0].Value);
        await orthanc.Upload(originals[1].Value);
        await orthanc.Upload(await orthanc.ReadFile(originals[2].Key));
        await Wait.Until(async () => (await Jobs(sidecar, study)).Count == 2, Limit, $"a job masks them again; log:\n{sidecar.Log}");
        var again = (await Jobs(sidecar, study)).Single(j => j.GetProperty("createdBy").GetString() == "service");
        Assert.Equal(2, (await sidecar.WaitForEnd(again.GetProperty("id").GetString()!)).GetProperty("done").GetInt32());
        await study.AssertAllMasked(orthanc);

        // Masked in the same way they are the files that were scanned before, byte for byte: nothing is scanned again, however often the study comes to rest.
        await Task.Delay(3000); // Orthanc reports the rest after a second
        await Wait.Until(() => IsIdle(sidecar), Limit, $"the study is looked at; log:\n{sidecar.Log}");
        Assert.Equal(6, await Looked(sidecar));
        Assert.Equal(2, (await Jobs(sidecar, study)).Count);
        Assert.Equal(["originalsResent"], await Texts(sidecar, "SELECT action FROM audit_events WHERE action = 'originalsResent'"));

        using var reviewer = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-review");
        using var asked = await reviewer.PostAsJsonAsync("api/scans", new { study = study.Uid });
        var run = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        JsonElement view = default;
        await Wait.Until(async () => (view = await reviewer.GetFromJsonAsync<JsonElement>($"api/scans/{run}")).GetProperty("state").GetString() == "finished", Limit, "the study is scanned again");
        Assert.Equal(3, Count(view));
    }

    [Fact]
    public async Task A_bulk_scan_goes_on_where_it_was_after_a_kill_and_a_new_database_of_Orthanc_is_scanned()
    {
        const int Images = 12;
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        await using var sidecar = await SidecarProcess.Start(proxy.Address, [.. Settings(), NoDetector]);
        var studies = Enumerable.Range(0, Images).Select(_ => new SampleStudy()).ToList();
        foreach (var study in studies)
        {
            await study.Add(orthanc, 1);
        }

        await Wait.Until(async () => await Looked(sidecar) == Images, Limit, $"all are scanned; log:\n{sidecar.Log}");
        using var administrator = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "sidecar-administrator");
        var killed = proxy.KillAt(sidecar, "GET", "/file", 7, afterOrthanc: false);
        using var asked = await administrator.PostAsJsonAsync("api/scans", new { query = new { } });
        var run = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        await killed.WaitAsync(Limit);
        Assert.InRange(await Looked(sidecar), Images + 1, (2 * Images) - 1);

        await sidecar.StartProcess();
        using var later = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "sidecar-administrator");
        JsonElement view = default;
        await Wait.Until(async () => (view = await later.GetFromJsonAsync<JsonElement>($"api/scans/{run}")).GetProperty("state").GetString() == "finished", Limit, $"the run ends; log:\n{sidecar.Log}");
        Assert.Equal(Images, Count(view)); // none twice, none left out
        await AssertScheduleRuns(sidecar, Images);

        await Wait.Until(() => IsIdle(sidecar), Limit, "the last run of the schedule ends");
        var looked = await Looked(sidecar);

        // Another database: one study as it was, one that is new. The others are gone.
        await orthanc.Reset();
        var (id, file) = studies[0].Originals.Single();
        Assert.Equal(id, await orthanc.Upload(file));
        var fresh = await new SampleStudy().Add(orthanc, 1);
        await Wait.Until(async () => await Looked(sidecar) > looked && await IsIdle(sidecar), Limit, $"the new study is scanned; log:\n{sidecar.Log}");
        await Wait.Until(async () => (await Texts(sidecar, "SELECT orthanc_id FROM scanned_instances")).Contains(fresh), Limit, "it is in the ledger");
        Assert.Equal(looked + 1, await Looked(sidecar));
    }

    [Fact]
    public async Task Without_the_text_detector_health_findings_and_work_list_say_so_and_nothing_is_clean()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, [.. Settings(), NoDetector]);
        var study = new SampleStudy();
        var nothing = new SampleFrame(64, 48, 1);
        Array.Fill(nothing.Samples, 700);
        await study.Add(orthanc, 1, change: file => file.Image(PixelFormat.Grey(64, 48, bitsStored: 12), nothing));

        await Wait.Until(async () => await Looked(sidecar) == 1, Limit, $"the image is scanned; log:\n{sidecar.Log}");

        using var ready = await sidecar.Http.GetAsync("health/ready");
        Assert.True(ready.IsSuccessStatusCode); // it works, though not as well as it could
        var check = (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "textDetector");
        Assert.Equal("failed", check.GetProperty("status").GetString());
        Assert.Contains("npm ci --ignore-scripts", check.GetProperty("detail").GetString(), StringComparison.Ordinal);

        using var reviewer = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-review");
        JsonElement listed = default;
        await Wait.Until(
            async () => (listed = (await reviewer.GetFromJsonAsync<JsonElement>("api/reviews")).GetProperty("items").EnumerateArray().FirstOrDefault()) is { ValueKind: JsonValueKind.Object } item
                && item.GetProperty("images").GetInt32() == 1,
            Limit,
            $"the work list knows of the scan; log:\n{sidecar.Log}");
        Assert.Equal(("new", true, 0), (listed.GetProperty("state").GetString(), listed.GetProperty("isWeak").GetBoolean(), listed.GetProperty("findings").GetInt32()));

        var found = await reviewer.GetFromJsonAsync<JsonElement>($"api/scan-findings?study={study.Uid}");
        Assert.True(found.GetProperty("scan").GetProperty("isWeak").GetBoolean());
        Assert.StartsWith("line candidates", found.GetProperty("scan").GetProperty("engine").GetString(), StringComparison.Ordinal);
        Assert.NotEqual("clean", found.GetProperty("state").GetString());
    }

    [PostgresFact]
    public async Task Two_sidecars_share_the_scans()
    {
        const int Images = 16;
        await using var orthanc = await OrthancServer.Start();
        var connection = await PostgresCluster.CreateDatabase();
        (string, string)[] settings =
        [
            .. Settings(), NoDetector, ("SIDECAR_Storage__Directory", _folder), ("SIDECAR_Storage__ConnectionString", connection), ("SIDECAR_Journal__Key", Convert.ToBase64String(new byte[32])),
        ];
        // Each has an image in hand before either is given one: the work is there for both, however fast one of them is.
        var asked = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var proxies = new List<OrthancProxy>();
        foreach (var source in asked)
        {
            var proxy = await OrthancProxy.Start(orthanc);
            proxy.Decide = async (_, path) =>
            {
                if (path.EndsWith("/file", StringComparison.Ordinal))
                {
                    source.TrySetResult();
                    await Task.WhenAll(asked.Select(a => a.Task)).WaitAsync(Limit);
                }

                return Fault.None;
            };
            proxies.Add(proxy);
        }

        await using var one = proxies[0];
        await using var other = proxies[1];
        await using var first = await SidecarProcess.Start(one.Address, settings);
        await using var second = await SidecarProcess.Start(other.Address, settings);
        for (var number = 0; number < Images; number++)
        {
            await new SampleStudy().Add(orthanc, 1);
        }

        await Wait.Until(async () => await Looked(first, connection) >= Images, Limit, $"all are scanned; log:\n{first.Log}");

        Assert.Equal(Images, await Looked(first, connection));
        await Wait.Until(() => Task.FromResult(Scanned(first) + Scanned(second) >= Images), Limit, "both have written of it in their logs");
        Assert.Equal(Images, Scanned(first) + Scanned(second));
        Assert.True(Scanned(first) > 0 && Scanned(second) > 0, $"{Scanned(first)} and {Scanned(second)}");

        await first.Kill(); // what it knew of the clock is gone; the other has the time of each schedule from the database
        await AssertScheduleRuns(second, Images);
    }

    /// <summary>A schedule that is due each second begins a run that looks at everything, within the images it may.</summary>
    private static async Task AssertScheduleRuns(SidecarProcess sidecar, int images)
    {
        using var administrator = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "sidecar-administrator");
        using var asked = await administrator.PostAsJsonAsync("api/scan-schedules", new { name = "Each second", cron = "* * * * * ?", timeZone = "Europe/Berlin", query = new { }, maxInstances = images });
        Assert.True(asked.IsSuccessStatusCode, await asked.Content.ReadAsStringAsync());
        var schedule = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        JsonElement[] runs = [];
        await Wait.Until(
            async () => (runs = [.. (await administrator.GetFromJsonAsync<JsonElement>("api/scans")).GetProperty("runs").EnumerateArray().Where(r => r.TryGetProperty("schedule", out var by) && by.GetString() == schedule && r.GetProperty("state").GetString() == "finished")]).Length > 0,
            Limit,
            $"the schedule makes a run that ends; log:\n{sidecar.Log}");
        Assert.Equal(images, Count(runs[0]));
        using var deleted = await administrator.DeleteAsync($"api/scan-schedules/{schedule}");
        Assert.True(deleted.IsSuccessStatusCode);
    }

    private static int Scanned(SidecarProcess sidecar) => sidecar.Log.Split('\n').Count(l => l.Contains("images scanned", StringComparison.Ordinal));

    // Where it does not matter what is found: the detector takes more time than all else in a test.
    private (string, string) NoDetector => ("SIDECAR_TextModels__Directory", Directory.CreateDirectory(Path.Combine(_folder, "no-models")).FullName);

    private static (string, string)[] Settings() =>
    [
        ("SIDECAR_Discovery__Enabled", "true"), ("SIDECAR_Discovery__PollPause", "00:00:00.1"), ("SIDECAR_Discovery__RetryPause", "00:00:00.3"),
        ("SIDECAR_Scans__Enabled", "true"), ("SIDECAR_Scans__LookPause", "00:00:00.1"), ("SIDECAR_Scans__RetryPause", "00:00:00.5"), ("SIDECAR_Scans__Lease", "00:00:03"),
        ("SIDECAR_Scans__BulkCpuShare", "100"), // else bulk runs rest for as long as they worked
    ];

    private static long Count(JsonElement run) => run.GetProperty("counts") is var counts ? counts.GetProperty("scanned").GetInt64() + counts.GetProperty("unscannable").GetInt64() : 0;

    private static async Task<IReadOnlyList<JsonElement>> Jobs(SidecarProcess sidecar, SampleStudy study) =>
        [.. (await sidecar.Http.GetFromJsonAsync<JsonElement>($"api/mask-jobs?study={study.Uid}")).GetProperty("jobs").EnumerateArray()];

    /// <summary>How often an image was looked at, over all runs.</summary>
    private static async Task<long> Looked(SidecarProcess sidecar, string? connection = null) =>
        long.Parse((await Texts(sidecar, "SELECT CAST(COALESCE(SUM(scanned + unscannable), 0) AS TEXT) FROM scan_runs", connection)) is [var sum] ? sum : "0", System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<bool> IsIdle(SidecarProcess sidecar) => await Texts(sidecar, "SELECT id FROM scan_work UNION ALL SELECT study_orthanc_id FROM changed_studies") is [];

    private static async Task<IReadOnlyList<string>> Texts(SidecarProcess sidecar, string sql, string? connection = null)
    {
        await using DbConnection database = connection is null ? new SqliteConnection($"Data Source={Path.Combine(sidecar.Folder, "state", "sidecar.db")};Mode=ReadOnly") : new NpgsqlConnection(connection);
        await database.OpenAsync();
        return [.. await database.QueryAsync<string>(sql)];
    }
}
