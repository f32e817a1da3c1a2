using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sidecar.Commands;
using Sidecar.Http;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.MaskJobs;
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
        var faults = string.Join('\n', FaultsWith(new()
        {
            ["Orthanc:BaseUrl"] = "ftp://x",
            ["Orthanc:PasswordFile"] = "/does/not/exist",
            ["Orthanc:Connections"] = "0",
            ["Authentication:Authority"] = "http://idp.example",
            ["MaskJobs:OrthancPatience"] = "00:00:00",
        }));
        foreach (var word in (string[])["Orthanc:BaseUrl", "Orthanc:PasswordFile", "Orthanc:Connections", "Storage:Directory", "Journal:KeyFile", "Authentication:Audience", "plain HTTP", "MaskJobs:OrthancPatience"])
        {
            Assert.Contains(word, faults, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_wrong_setting_has_its_sentence()
    {
        (string Name, string Value, string Sentence)[] wrong =
        [
            ("Reviews:LookPause", "00:00:00", "Reviews:LookPause must be between 0.1 seconds and one minute."),
            ("TextModels:Languages", "eng,deu", "TextModels:Languages must be Tesseract's names with + between them, e.g. eng+deu."),
            ("TextModels:LanguageDirectory", "", "TextModels:LanguageDirectory must name the folder with Tesseract's .traineddata files."),
            ("Authentication:RolesClaim", "", "Authentication:RolesClaim must not be empty."),
            ("Authentication:NameClaim", "", "Authentication:NameClaim must not be empty."),
            ("Authentication:Authority", "", "Authentication:Authority (SIDECAR_Authentication__Authority) is missing: give the address of the identity provider."),
            ("Authentication:Audience", "", "Authentication:Audience (SIDECAR_Authentication__Audience) is missing: give the audience that the identity provider writes into access tokens for this service."),
            ("MaskJobs:ConcurrentJobs", "0", "MaskJobs:ConcurrentJobs must be 1 to 32."),
            ("MaskJobs:Lease", "00:00:01", "MaskJobs:Lease must be between two seconds and ten minutes."),
            ("MaskJobs:LookPause", "00:00:00", "MaskJobs:LookPause must be between 10 milliseconds and one minute."),
            ("MaskJobs:OrthancPatience", "00:00:00", "MaskJobs:OrthancPatience must be between one second and seven days."),
            ("MaskJobs:RetryPause", "00:00:00", "MaskJobs:RetryPause must be between 10 milliseconds and one hour."),
            ("MaskJobs:UndoDays", "366", "MaskJobs:UndoDays must be 0 to 365."),
            ("Audit:CheckpointInterval", "00:00:01", "Audit:CheckpointInterval must be between ten seconds and seven days."),
            ("Audit:Syslog:Port", "0", "Audit:Syslog:Port must be 1 to 65535."),
            ("Scans:ConcurrentSeries", "0", "Scans:ConcurrentSeries must be 1 to 16."),
            ("Scans:BulkCpuShare", "0", "Scans:BulkCpuShare must be 1 to 100 (per cent)."),
            ("Scans:Lease", "00:00:01", "Scans:Lease must be between two seconds and ten minutes."),
            ("Scans:LookPause", "00:00:00", "Scans:LookPause must be between 10 milliseconds and one minute."),
            ("Scans:RetryPause", "00:00:00", "Scans:RetryPause must be between 10 milliseconds and one hour."),
            ("Scans:InstancesAtOnce", "0", "Scans:InstancesAtOnce must be 1 to 10000."),
            ("Orthanc:BaseUrl", "", "Orthanc:BaseUrl (SIDECAR_Orthanc__BaseUrl) is missing: give the address of Orthanc's REST API."),
            ("Orthanc:Connections", "65", "Orthanc:Connections must be 1 to 64."),
            ("Orthanc:BytesInFlight", "0", "Orthanc:BytesInFlight must be positive."),
            ("Discovery:PollPause", "00:00:00", "Discovery:PollPause must be between 50 milliseconds and one hour."),
            ("Discovery:ReconcileEvery", "00:00:00", "Discovery:ReconcileEvery must be between one second and 30 days."),
            ("Discovery:RetryPause", "00:00:00", "Discovery:RetryPause must be between 50 milliseconds and one hour."),
            ("Storage:Directory", "", "Storage:Directory (SIDECAR_Storage__Directory) is missing: give a folder on a local disk, or with PostgreSQL one that all sidecars share."),
        ];

        var faults = FaultsWith(wrong.ToDictionary(w => w.Name, w => (string?)w.Value));

        Assert.All(wrong, w => Assert.Contains(w.Sentence, faults));
    }

    [Theory]
    [InlineData("Orthanc:BaseUrl", "ftp://x", "Orthanc:BaseUrl \"ftp://x\" is not an http or https address.")]
    [InlineData("Orthanc:PasswordFile", "/does/not/exist", "Orthanc:PasswordFile /does/not/exist does not exist or may not be read.")]
    [InlineData("Audit:CheckpointFile", "/does/not/exist", "Audit:CheckpointFile: the folder of /does/not/exist does not exist. Make it, or mount the disk that holds it.")]
    [InlineData("Storage:ConnectionString", "Database=sidecar", "Storage:ConnectionString must name Host and Database of a PostgreSQL server, e.g. Host=db.example;Database=sidecar;Username=sidecar;Passfile=/run/secrets/pgpass.")]
    [InlineData("Storage:ConnectionString", "Colour=blue", "Storage:ConnectionString cannot be read: write it as name=value pairs with semicolons in between, in the words of Npgsql (PostgreSQL for .NET).")]
    public void Settings_that_contradict_the_world_have_theirs(string name, string value, string sentence) =>
        Assert.Contains(sentence, FaultsWith(new() { ["Orthanc:BaseUrl"] = "http://127.0.0.1:9", ["Storage:Directory"] = "/tmp/nothing-is-written-here", [name] = value }));

    [Theory]
    [InlineData("Orthanc:Password", "Orthanc:PasswordFile", "Orthanc: give Password or PasswordFile, not both.")]
    [InlineData("Journal:Key", "Journal:KeyFile", "Journal: give Key or KeyFile, not both.")]
    public void A_secret_is_given_in_one_way(string one, string other, string sentence) =>
        Assert.Contains(sentence, FaultsWith(new() { ["Orthanc:BaseUrl"] = "http://127.0.0.1:9", ["Storage:Directory"] = "/tmp/nothing-is-written-here", [one] = "a", [other] = "b" }));

    private static List<string> FaultsWith(Dictionary<string, string?> settings)
    {
        var services = new ServiceCollection();
        ServeCommand.AddSidecar(services, new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), validateAtStart: true);
        using var provider = services.BuildServiceProvider();
        return [.. ServeCommand.FaultsOf(Record.Exception(provider.GetRequiredService<IStartupValidator>().Validate)!)];
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
        Assert.Contains(
            "FAILED  journal is empty or in work: It still holds 0 images of 1 jobs that nobody works on (a-job-nobody-knows). Start the service again: it settles them, or says in its log why it cannot.", lines);
        Assert.Contains("ok      storage is writable", lines);
        Assert.Contains("ok      identity provider publishes keys", lines);
        Assert.Contains("ok      native codecs load", lines);
        Assert.Equal(2, File.ReadAllLines(quarantine).Length);
        Assert.Contains(lines, l => l.StartsWith("note    quarantine: ", StringComparison.Ordinal) && l.Contains($"refused now: 1. {quarantine}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_tells_of_kept_originals_that_are_lost()
    {
        await using var app = new SidecarApp { RunsMaskJobs = false };
        var job = JobStores.Job();
        await app.Services.GetRequiredService<MaskJobStore>().Create(job, [JobStores.Item(0)], "key", "fingerprint", default);
        await app.Services.GetRequiredService<Database>().Write(
            t => t.Connection!.ExecuteAsync(
                "INSERT INTO sealed_originals (job_id, orthanc_id, masked_md5, sealed_at, restorable_until, state) VALUES (@Id, 'orthanc-0', 'a', '2026', '2999', 'sealed')", job, t),
            default);
        using var output = new StringWriter();

        Assert.Equal(1, await DoctorCommand.Run(app.Services, output, CancellationToken.None));

        Assert.Contains(
            "FAILED  kept originals are in order: 1 originals that can be restored by the database are not in sealed/ of Storage:Directory. Put that folder back from the backup that belongs to the database; else they are lost, and the masked images stay.",
            output.ToString().Split('\n'));
    }

    [Fact]
    public void Doctor_says_how_much_room_is_left_and_how_much_is_needed()
    {
        Assert.Null(DoctorCommand.DescribeRoom("/var/lib/sidecar", 2L << 30));
        Assert.Equal(
            "/var/lib/sidecar has 2047 MB left; the journal needs room for the images in work. Free 2048 MB or name another folder in Storage:Directory.",
            DoctorCommand.DescribeRoom("/var/lib/sidecar", (2L << 30) - 1));
    }

    [Fact]
    public async Task Doctor_names_each_wrong_setting_and_checks_nothing_else()
    {
        var services = new ServiceCollection();
        ServeCommand.AddSidecar(
            services, new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Orthanc:BaseUrl"] = "ftp://x", ["Orthanc:PasswordFile"] = "/does/not/exist" }).Build(), validateAtStart: false);
        await using var provider = services.BuildServiceProvider();
        using var output = new StringWriter();

        Assert.Equal(1, await DoctorCommand.Run(provider, output, CancellationToken.None));

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("FAILED  settings: Orthanc:BaseUrl \"ftp://x\" is not an http or https address.", lines);
        Assert.Contains("FAILED  settings: Orthanc:PasswordFile /does/not/exist does not exist or may not be read.", lines);
        Assert.All(lines, l => Assert.StartsWith("FAILED  settings: ", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_says_what_to_install_and_that_Orthanc_is_away()
    {
        await using var app = new SidecarApp
        {
            Orthanc = request => request.RequestUri!.AbsolutePath == "/plugins" ? SidecarApp.Json("[]") : new HttpResponseMessage(HttpStatusCode.Unauthorized),
        };
        using var output = new StringWriter();

        Assert.Equal(1, await DoctorCommand.Run(app.Services, output, CancellationToken.None));

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("FAILED  Orthanc answers: Orthanc refused the service's user (401). Check Orthanc:UserName and Orthanc:PasswordFile.", lines);
        Assert.Contains("FAILED  Orthanc's plugins: The DICOMweb plugin is not loaded, so OHIF finds no images. Install orthanc-dicomweb and name it under \"Plugins\" in Orthanc's configuration.", lines);
    }

    [Fact]
    public async Task An_identity_provider_without_keys_is_told_by_doctor()
    {
        await using var app = new SidecarApp { IdentityProviderHasNoKeys = true };
        using var output = new StringWriter();

        Assert.Equal(1, await DoctorCommand.Run(app.Services, output, CancellationToken.None));

        Assert.Contains("FAILED  identity provider publishes keys: It publishes no signing keys. Check Authentication:Authority.", output.ToString().Split('\n'));
    }

    [Fact]
    public async Task An_identity_provider_that_is_away_or_another_one_is_told()
    {
        await using var away = new SidecarApp { IdentityProviderIsAway = true };
        Assert.Equal(
            "The identity provider did not give its keys at http://127.0.0.1:9/issuer/.well-known/openid-configuration: ",
            (await Fault(away))[..107]);

        await using var other = new SidecarApp { Settings = { ["Authentication:Authority"] = "http://127.0.0.1:9/other" } };
        Assert.Equal(
            "The discovery document at http://127.0.0.1:9/other/.well-known/openid-configuration belongs to issuer \"http://127.0.0.1:9/issuer\", not to Authentication:Authority \"http://127.0.0.1:9/other\".",
            await Fault(other));

        static async Task<string> Fault(SidecarApp app) => (await Assert.ThrowsAsync<IOException>(() => app.Services.GetRequiredService<IdentityProvider>().Probe(CancellationToken.None))).Message;
    }
}
