using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Sidecar.Integration;

/// <summary>The script that wakes the sidecar, in a real Orthanc.</summary>
public sealed class WakeFileTests : IDisposable
{
    private static readonly string Script = Path.Combine(
        AppContext.BaseDirectory[..AppContext.BaseDirectory.LastIndexOf(Path.Combine("tests", "Sidecar.Integration"), StringComparison.Ordinal)], "orthanc-config", "wake-sidecar.lua");

    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-wake-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_study_that_came_to_rest_wakes_a_sidecar_that_would_look_in_an_hour_only()
    {
        var file = Path.Combine(_folder, "wake");
        await File.WriteAllTextAsync(file, "");
        await using var orthanc = await Start(file);
        await using var sidecar = await SidecarProcess.Start(
            orthanc.Address, ("SIDECAR_Discovery__Enabled", "true"), ("SIDECAR_Discovery__PollPause", "01:00:00"), ("SIDECAR_Discovery__WakeFile", file));
        await Wait.Until(async () => await Count(sidecar, "change_cursor WHERE is_begun = 1 AND reconciled_at IS NOT NULL") == 1, TimeSpan.FromSeconds(60), "the first look is over");

        for (var study = 1; study <= 2; study++)
        {
            await new SampleStudy().Add(orthanc, 1);
            await Wait.Until(async () => await Count(sidecar, "known_studies") == study, TimeSpan.FromSeconds(60), $"study {study} is known; log:\n{sidecar.Log}");
        }

        Assert.Equal(1, new FileInfo(file).Length);
    }

    [Theory]
    [InlineData("/dev/full")] // as on a full disk
    [InlineData("missing/folder/wake")]
    [InlineData(".")] // a folder
    public async Task Orthanc_goes_on_where_the_file_cannot_be_written(string file)
    {
        await using var orthanc = await Start(Path.Combine(_folder, file));

        for (var study = 0; study < 2; study++)
        {
            var uploaded = new SampleStudy();
            var image = await uploaded.Add(orthanc, 1);
            var id = (await orthanc.Read($"instances/{image}/study")).GetProperty("ID").GetString();
            await Wait.Until(async () => (await orthanc.Read($"studies/{id}")).GetProperty("IsStable").GetBoolean(), TimeSpan.FromSeconds(60), "the study is at rest");
            Assert.Equal(uploaded.Originals[image], await orthanc.ReadFile(image));
        }

        await Wait.Until(
            async () => (await orthanc.Read("changes")).GetProperty("Changes").EnumerateArray().Count(c => c.GetProperty("ChangeType").GetString() == "StableStudy") == 2, TimeSpan.FromSeconds(60), "both rests are in the list of changes");
        Assert.False(File.Exists(Path.Combine(_folder, "missing", "folder", "wake")));
    }

    private static Task<OrthancServer> Start(string file) =>
        OrthancServer.Start(new JsonObject { ["LuaScripts"] = new JsonArray(Script) }, environment: new() { ["SIDECAR_WAKE_FILE"] = file });

    private static async Task<long> Count(SidecarProcess sidecar, string rows)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(sidecar.Folder, "state", "sidecar.db")}");
        return await database.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM {rows}");
    }
}
