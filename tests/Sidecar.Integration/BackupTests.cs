using System.Data.Common;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sidecar.Tests.Storage;

namespace Sidecar.Integration;

/// <summary>The commands of docs/operations.md, as they stand there, in the middle of a job; then a sidecar in a fresh place with what they saved.</summary>
public sealed class BackupTests : IDisposable
{
    private const int Images = 12;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-backup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public Task Saved_from_SQLite_while_it_runs_everything_is_there_again() => Run(null);

    [Fact]
    public Task What_was_masked_after_the_backup_is_found_masked() => Run(null, endsBeforeItIsLost: true);

    [PostgresFact]
    public async Task Saved_from_PostgreSQL_everything_is_there_again() => await Run(await PostgresCluster.CreateDatabase());

    private async Task Run(string? database, bool endsBeforeItIsLost = false)
    {
        var (storage, backup, fresh) = (Path.Combine(_folder, "old"), Directory.CreateDirectory(Path.Combine(_folder, "backup")).FullName, Path.Combine(_folder, "new"));
        List<(string, string)> settings =
        [
            ("SIDECAR_Journal__Key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))), ("SIDECAR_MaskJobs__Lease", "00:00:03"),
        ];
        List<(string, string)> InFolder(string folder, string? connection) =>
            [.. settings, ("SIDECAR_Storage__Directory", folder), .. connection is null ? (List<(string, string)>)[] : [("SIDECAR_Storage__ConnectionString", connection)]];
        await using var orthanc = await OrthancServer.Start();
        await using var proxy = await OrthancProxy.Start(orthanc);
        var (reviewed, study) = (new SampleStudy(), new SampleStudy());
        var instance = await reviewed.Add(orthanc, 1);
        var (job, images) = ("", new List<string>());
        IReadOnlyList<string> annotated;
        Remembered before;
        await using (var sidecar = await SidecarProcess.Start(proxy.Address, [.. InFolder(storage, database)]))
        {
            await using (DbConnection rows = database is null ? new SqliteConnection($"Data Source={Path.Combine(storage, "sidecar.db")};Pooling=false") : new NpgsqlConnection(database))
            {
                await MakeFindingAndSchedule(sidecar, rows, orthanc, reviewed, instance);
            }

            for (var number = 1; number <= Images; number++)
            {
                images.Add(await study.Add(orthanc, number));
            }

            annotated = await CrashTests.Annotate(orthanc, images);

            var release = await HoldInMidJob(proxy, async () => job = await sidecar.Submit(study.Request("series")));
            before = await Remember(sidecar, reviewed);
            Assert.InRange((await sidecar.ReadJob(job)).GetProperty("done").GetInt32(), 1, Images - 1);
            if (database is not null)
            {
                await sidecar.Kill();
            }

            await Shell(database is null ? 0 : 1, storage, backup, database);
            if (endsBeforeItIsLost)
            {
                release.SetResult();
                Assert.Equal("succeeded", (await sidecar.WaitForEnd(job)).GetProperty("state").GetString());
            }

            await sidecar.Kill();
            release.TrySetResult();
        }

        Directory.Delete(storage, recursive: true);
        var again = database is null ? null : await PostgresCluster.CreateDatabase();
        await Shell(2, fresh, backup, again);
        if (again is not null)
        {
            await Shell(3, fresh, backup, again);
        }

        await using var restored = await SidecarProcess.Start(orthanc.Address, [.. InFolder(fresh, again)]);
        var view = await restored.WaitForEnd(job);
        Assert.Equal(("succeeded", Images), (view.GetProperty("state").GetString(), view.GetProperty("done").GetInt32()));
        await CrashTests.AssertAnnotated(orthanc, annotated); // what Orthanc forgot is in the journal alone
        var after = await Remember(restored, reviewed);
        Assert.Equal(before with { Audit = [] }, after with { Audit = [] });
        Assert.Equal(before.Audit, after.Audit.Take(before.Audit.Count));
        (await orthanc.Http.DeleteAsync($"instances/{instance}")).EnsureSuccessStatusCode();
        await study.AssertAllMasked(orthanc);
        var (status, said) = await restored.RunCommand("audit", "verify");
        Assert.True(status == 0, said);
        said = (await restored.RunCommand("doctor")).Output;
        Assert.Contains("ok      journal is empty or in work", said, StringComparison.Ordinal);
        Assert.Contains("ok      the audit's chain holds", said, StringComparison.Ordinal);
    }

    /// <summary>A finding that a person accepted, in a study of its own, and a schedule. The scan itself is not the matter here: its rows are written by the test.</summary>
    private static async Task MakeFindingAndSchedule(SidecarProcess sidecar, DbConnection database, OrthancServer orthanc, SampleStudy study, string image)
    {
        await database.OpenAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO scanned_instances (orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, study_orthanc_id, series_orthanc_id, instance_number, md5, uuid, state, engine, is_weak,
                                           frames, rows, columns, modality, manufacturer, model, station, photometric, sop_class, scanned_at)
            VALUES (@image, @study, @series, @sop, 'study', 'series', 1, @md5, 'uuid', 'scanned', 'engine', 0, 1, 48, 64, 'US', 'Maker', 'M', 'S', 'MONOCHROME2', '1.2', @at);
            INSERT INTO scan_findings (id, orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, md5, x, y, width, height, confidence, kind, matched_attribute, after_masking, state, found_at)
            VALUES ('finding', @image, @study, @series, @sop, @md5, 4, 6, 20, 10, 900, 'personName', 'PatientName', 0, 'open', @at)
            """,
            new
            {
                image,
                study = study.Uid,
                series = study.SeriesUid(),
                sop = study.SopUid(1),
                md5 = await orthanc.ReadText($"instances/{image}/attachments/dicom/md5"),
                at = Storage.Instant.ToText(TimeProvider.System.GetUtcNow()),
            });
        using var client = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-masking", "image-review", "sidecar-administrator");
        using var decided = await client.PostAsJsonAsync("api/scan-findings/decisions", new { study = study.Uid, decisions = new object[] { new { findingIds = (string[])["finding"], action = "accept" } } });
        Assert.True(decided.IsSuccessStatusCode, await decided.Content.ReadAsStringAsync());
        using var made = await client.PostAsJsonAsync("api/scan-schedules", new { name = "By night", cron = "0 0 3 * * ?", timeZone = "Europe/Berlin", query = new { } });
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        Assert.Contains("\"accepted\"", await Findings(client, study), StringComparison.Ordinal);
    }

    /// <summary>Lets a few images be masked, and the next four wait for Orthanc's answer; then nothing moves.</summary>
    private static async Task<TaskCompletionSource> HoldInMidJob(OrthancProxy proxy, Func<Task> begin)
    {
        var (stored, waiting, all, release) = (0, 0, new TaskCompletionSource(), new TaskCompletionSource());
        proxy.Answered = async (method, path) =>
        {
            // The probe may have passed within the last minute, or store two images of nobody.
            if (method == "POST" && path == "/instances" && Interlocked.Increment(ref stored) > 5)
            {
                if (Interlocked.Increment(ref waiting) == 4)
                {
                    all.SetResult();
                }

                await release.Task;
            }
        };
        await begin();
        await all.Task.WaitAsync(Limit);
        return release;
    }

    private sealed record Remembered(string Findings, string Schedules, IReadOnlyList<string> Audit);

    private async Task<Remembered> Remember(SidecarProcess sidecar, SampleStudy study)
    {
        using var client = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-masking", "image-review", "sidecar-administrator");
        var export = Path.Combine(_folder, Guid.NewGuid().ToString());
        var (status, said) = await sidecar.RunCommand("audit", "export", "--out", export);
        Assert.True(status == 0, said);
        return new Remembered(
            await Findings(client, study),
            (await client.GetFromJsonAsync<JsonElement>("api/scan-schedules")).ToString(),
            await File.ReadAllLinesAsync(export));
    }

    private static Task<string> Findings(HttpClient client, SampleStudy study) => client.GetStringAsync($"api/scan-findings?study={study.Uid}");

    private static async Task Shell(int block, string storage, string backup, string? database)
    {
        var start = new ProcessStartInfo("sh", ["-ec", Documented(block)]) { RedirectStandardError = true };
        (start.Environment["STORAGE"], start.Environment["BACKUP"]) = (storage, backup);
        if (database is not null)
        {
            var words = new NpgsqlConnectionStringBuilder(database);
            start.Environment["DATABASE"] = $"host={words.Host} dbname={words.Database} user={words.Username}";
        }

        using var shell = Process.Start(start)!;
        var said = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, said);
    }

    /// <summary>The n-th block of commands under "Backup".</summary>
    private static string Documented(int block)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "docs", "operations.md")))
        {
            folder = folder.Parent ?? throw new FileNotFoundException("docs/operations.md is not above the test's folder.");
        }

        var section = File.ReadAllText(Path.Combine(folder.FullName, "docs", "operations.md")).Split("\n## Backup\n")[1].Split("\n## ")[0];
        return section.Split("```\n")[(block * 2) + 1];
    }
}
