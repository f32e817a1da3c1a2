using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sidecar.Commands;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Http;

public sealed class HealthAndSettingsTests
{
    [Fact]
    public async Task Ready_names_what_is_missing()
    {
        await using var app = new SidecarApp { IdentityProviderIsAway = true };
        using var client = app.CreateClient();

        using var answer = await client.GetAsync("/health/ready");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var health = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal("failed", (string)health["status"]!);
        Assert.Equal(
            ["audit ok", "identityProvider failed", "orthanc failed", "storage ok", "textDetector ok"],
            health["checks"]!.AsArray().Select(c => $"{c!["name"]} {c["status"]}"));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live")).StatusCode);
    }

    [Fact]
    public async Task Ready_is_ok_when_all_is_there()
    {
        await using var app = new SidecarApp { Orthanc = _ => SidecarApp.Json("""{"Version":"1.10.1"}""") };
        using var client = app.CreateClient();

        Assert.Equal(
            """{"status":"ok","checks":[{"name":"audit","status":"ok"},{"name":"identityProvider","status":"ok"},{"name":"orthanc","status":"ok"},{"name":"storage","status":"ok"},{"name":"textDetector","status":"ok"}]}""",
            await client.GetStringAsync("/health/ready"));
    }

    [Fact]
    public void All_wrong_settings_are_told_at_once()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Orthanc:BaseUrl"] = "ftp://x",
            ["Orthanc:PasswordFile"] = "/does/not/exist",
            ["Orthanc:Connections"] = "0",
            ["Authentication:Authority"] = "http://idp.example",
            ["MaskJobs:OrthancPatience"] = "00:00:00",
        }).Build();
        var services = new ServiceCollection();
        ServeCommand.AddSidecar(services, settings, validateAtStart: true);
        using var provider = services.BuildServiceProvider();

        var refused = Record.Exception(provider.GetRequiredService<IStartupValidator>().Validate)!;

        var faults = string.Join('\n', ServeCommand.FaultsOf(refused));
        foreach (var word in (string[])["Orthanc:BaseUrl", "Orthanc:PasswordFile", "Orthanc:Connections", "Storage:Directory", "Journal:KeyFile", "Authentication:Audience", "plain HTTP", "MaskJobs:OrthancPatience"])
        {
            Assert.Contains(word, faults, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Doctor_says_ok_or_what_to_do_and_fails_when_one_check_does()
    {
        await using var app = new SidecarApp { Orthanc = _ => SidecarApp.Json("""{"Version":"1.10.1"}""") };
        app.Orthanc = request => request.RequestUri!.AbsolutePath switch
        {
            "/system" => SidecarApp.Json("""{"Version":"1.10.1"}"""),
            "/plugins" => SidecarApp.Json("""["dicom-web","gdcm"]"""),
            "/instances" => SidecarApp.Json("""{"ID":"a","Status":"AlreadyStored"}"""),
            _ => new HttpResponseMessage(HttpStatusCode.NotFound),
        };
        for (var death = 0; death < 2; death++)
        {
            app.Services.GetRequiredService<Quarantine>().AddDeath([1, 2, 3], "it crashed");
        }

        var quarantine = app.Services.GetRequiredService<IOptions<StorageOptions>>().Value.QuarantineFile;
        // Of another key, so that the running service cannot settle it.
        var otherKey = new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String([.. Enumerable.Repeat((byte)9, 32)]) }));
        new ReplacementJournal(app.Services.GetRequiredService<IOptions<StorageOptions>>(), otherKey).OpenParents("a-job-nobody-knows", new ParentsRecord([]));
        using var output = new StringWriter();

        var status = await DoctorCommand.Run(app.Services, output, CancellationToken.None);

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1, status);
        Assert.Contains("ok      Orthanc answers", lines);
        Assert.Contains(lines, l => l.StartsWith("FAILED  Orthanc replaces images safely", StringComparison.Ordinal) && l.Contains("\"OverwriteInstances\": true", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("FAILED  Orthanc's plugins", StringComparison.Ordinal) && l.Contains("orthanc-gdcm", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("FAILED  journal is empty or in work", StringComparison.Ordinal) && l.Contains("a-job-nobody-knows", StringComparison.Ordinal));
        Assert.Contains("ok      storage is writable", lines);
        Assert.Contains("ok      identity provider publishes keys", lines);
        Assert.Contains("ok      native codecs load", lines);
        Assert.Equal(2, File.ReadAllLines(quarantine).Length);
        Assert.Contains(lines, l => l.StartsWith("note    quarantine: ", StringComparison.Ordinal) && l.Contains($"refused now: 1. {quarantine}", StringComparison.Ordinal));
    }
}
