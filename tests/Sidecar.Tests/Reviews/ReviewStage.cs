using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Reviews;
using Sidecar.Storage;
using Sidecar.Tests.Audit;
using Sidecar.Tests.Http;
using Sidecar.Tests.Storage;

namespace Sidecar.Tests.Reviews;

/// <summary>The real application on an empty database of either kind, an archive of invented images, and what a scan would have written about them.</summary>
internal sealed class ReviewStage : IAsyncDisposable
{
    public const string Study = "1.2.3";

    private ReviewStage()
    {
    }

    public SidecarApp App { get; } = new() { RunsMaskJobs = false };

    public ArchiveStub Archive { get; } = new();

    public Database Database => App.Services.GetRequiredService<Database>();

    /// <summary>Rita, who may review and mask.</summary>
    public HttpClient Rita { get; private set; } = null!;

    public static async Task<ReviewStage> Create(string kind, bool holds = false, params (string Name, string Value)[] settings)
    {
        var stage = new ReviewStage();
        stage.App.Orthanc = stage.Archive.Answer;
        stage.App.Settings["Storage:ConnectionString"] = kind == TestDatabase.Postgres ? await PostgresCluster.CreateDatabase() : "";
        stage.App.Settings["Reviews:HoldUntilFinalized"] = holds ? "true" : "false";
        stage.App.Settings["Reviews:LookPause"] = "00:01:00"; // the tests look themselves
        foreach (var (name, value) in settings)
        {
            stage.App.Settings[name] = value;
        }

        stage.Rita = stage.As("rita", "image-review", "image-masking");
        return stage;
    }

    public HttpClient As(string subject, params string[] roles) => App.ClientWithToken(App.Issuer.Create(subject, char.ToUpperInvariant(subject[0]) + subject[1..], roles));

    public Task<int> Look() => App.Services.GetRequiredService<ReviewWatch>().Look(default);

    public Task<int> Execute(string sql, object? parameters = null) => Database.Write(t => t.Connection!.ExecuteAsync(sql, parameters, t), default);

    public Task<string?> Text(string sql) => Database.Read(c => c.ExecuteScalarAsync<string?>(sql), default);

    /// <summary>An image in the archive, and its row in the ledger.</summary>
    public async Task AddImage(string id, string study = Study, string? reason = null, string model = "M1", bool isWeak = false, string modality = "US")
    {
        Archive.Add(id, study);
        await Scan(id, reason, model, isWeak, modality);
    }

    /// <summary>The scan has seen the image as it is in the archive now.</summary>
    public async Task Scan(string id, string? reason = null, string model = "M1", bool isWeak = false, string modality = "US")
    {
        var image = Archive.Images[id];
        await Execute(
            """
            INSERT INTO scanned_instances (orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, study_orthanc_id, series_orthanc_id, instance_number, md5, uuid, state, reason, cause, engine, is_weak,
                                           frames, rows, columns, modality, manufacturer, model, station, photometric, sop_class, scanned_at)
            VALUES (@id, @Study, @Series, @Sop, @StudyId, @SeriesId, @Number, @Md5, 'uuid', @state, @reason, @cause, 'engine 1', @weak, 4, 48, 64, @modality, 'Maker', @model, 'ROOM1', 'MONOCHROME2', '1.2.840.10008.5.1.4.1.1.6.1', @at)
            ON CONFLICT (orthanc_id) DO UPDATE SET md5 = excluded.md5, state = excluded.state, reason = excluded.reason, is_weak = excluded.is_weak, scanned_at = excluded.scanned_at
            """,
            new { id, image.Study, image.Series, image.Sop, image.StudyId, image.SeriesId, Number = (long)image.Number, image.Md5, state = reason is null ? "scanned" : "unscannable", reason, cause = reason is null ? null : "damaged", weak = isWeak ? 1L : 0L, modality, model, at = Instant.ToText(App.Clock.GetUtcNow()) });
    }

    public async Task AddFinding(string finding, string image, int x = 4, int y = 6, int width = 20, int height = 10, string kind = "personName", string? attribute = "PatientName", string? frames = null, long confidence = 900, bool afterMasking = false)
    {
        var its = Archive.Images[image];
        await Execute(
            """
            INSERT INTO scan_findings (id, orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, md5, frames, x, y, width, height, confidence, kind, matched_attribute, after_masking, state, found_at)
            VALUES (@finding, @image, @Study, @Series, @Sop, @Md5, @frames, @x, @y, @width, @height, @confidence, @kind, @attribute, @after, 'open', @at)
            """,
            new { finding, image, its.Study, its.Series, its.Sop, its.Md5, frames, x = (long)x, y = (long)y, width = (long)width, height = (long)height, confidence, kind, attribute, after = afterMasking ? 1L : 0L, at = Instant.ToText(App.Clock.GetUtcNow()) });
    }

    public async Task<JsonNode> Findings(string study = Study) => JsonNode.Parse(await Rita.GetStringAsync($"/api/scan-findings?study={study}"))!;

    /// <summary>What an endpoint answers: status and body.</summary>
    public static async Task<(int Status, JsonNode? Body)> Send(HttpClient client, string method, string path, object? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text.Length > 0 ? JsonNode.Parse(text) : null);
    }

    public Task<(int Status, JsonNode? Body)> Decide(object decision, string? version = null) =>
        Send(Rita, "POST", "/api/scan-findings/decisions", new { study = Study, findingsVersion = version, decisions = new[] { decision } });

    public static string[] Ids(params string[] ids) => ids;

    /// <summary>The last word of a problem's type.</summary>
    public static string Problem((int Status, JsonNode? Body) answer) => $"{answer.Status} {((string?)answer.Body?["type"])?.Split(':')[^1]}";

    /// <summary>Rows of the audit with one of these actions: action, subject, details.</summary>
    public async Task<IReadOnlyList<(string Subject, JsonNode Details)>> Audit(string action) =>
        await Database.Read<IReadOnlyList<(string, JsonNode)>>(
            async c => [.. (await c.QueryAsync<(string Subject, string Details)>("SELECT subject, details FROM audit_events WHERE action = @action ORDER BY sequence", new { action })).Select(r => (r.Subject, JsonNode.Parse(r.Details)!))],
            default);

    public async ValueTask DisposeAsync() => await App.DisposeAsync();
}

/// <summary>Answers as Orthanc does, about images that consist of nothing but their ids.</summary>
internal sealed class ArchiveStub
{
    private readonly Dictionary<string, string> _probes = [];

    public Dictionary<string, Image> Images { get; } = [];

    public string LastUpdate { get; set; } = "20261122T080000";

    /// <summary>Paths that were asked, newest last.</summary>
    public List<string> Asked { get; } = [];

    internal sealed record Image(string Study, string Series, string Sop, int Number, string Md5, string Patient = "")
    {
        public string StudyId => "study-" + Study + Patient;

        public string SeriesId => "series-" + Series;
    }

    public void Add(string id, string study) =>
        Images[id] = new Image(study, study + ".1", $"{study}.1.{Images.Count + 1}", Images.Count + 1, "md5-" + id);

    /// <summary>Somebody has stored another file under the same UIDs.</summary>
    public void Change(string id)
    {
        Images[id] = Images[id] with { Md5 = Images[id].Md5 + "x" };
        LastUpdate += "1";
    }

    public HttpResponseMessage Answer(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath;
        Asked.Add(request.RequestUri.PathAndQuery);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (request.Method.Method, parts) switch
        {
            ("GET", ["system"]) => SidecarApp.Json("""{"Version":"1.10.1"}"""),
            ("POST", ["tools", "lookup"]) => Lookup(request.Content!.ReadAsStringAsync().GetAwaiter().GetResult()),
            ("GET", ["studies", var id]) when Images.Values.Any(i => i.StudyId == id) => SidecarApp.Json(
                $$$"""{"ID":"{{{id}}}","LastUpdate":"{{{LastUpdate}}}","MainDicomTags":{"StudyDate":"20261101","StudyDescription":"Liver"},"PatientMainDicomTags":{"PatientName":"DOE^JANE","PatientID":"P1"}}"""),
            ("GET", ["studies", var id, "series"]) => SidecarApp.Json(
                $"[{string.Join(',', Images.Values.Where(i => i.StudyId == id).Select(i => i.Series).Distinct().Select(s => $$$"""{"ID":"series-{{{s}}}","MainDicomTags":{"SeriesInstanceUID":"{{{s}}}"}}"""))}]"),
            ("GET", ["series", var id, "instances"]) => SidecarApp.Json($"[{string.Join(',', Images.Where(i => i.Value.SeriesId == id).Select(i => $$"""{"ID":"{{i.Key}}","FileUuid":"u"}"""))}]"),
            ("GET", ["instances", var id, "attachments", "dicom", "info"]) when Md5Of(id) is { } md5 => SidecarApp.Json($$"""{"Uuid":"u","UncompressedMD5":"{{md5}}","UncompressedSize":1}"""),
            ("POST", ["instances"]) => Probe(request.Content!.ReadAsByteArrayAsync().GetAwaiter().GetResult()),
            ("DELETE", ["instances", _]) => SidecarApp.Json("{}"),
            ("GET", ["dicom-web", ..]) => Search(request.RequestUri),
            _ => new HttpResponseMessage(HttpStatusCode.NotFound),
        };
    }

    private string? Md5Of(string id) => Images.TryGetValue(id, out var image) ? image.Md5 : _probes.GetValueOrDefault(id);

    private HttpResponseMessage Lookup(string uid) =>
        SidecarApp.Json($"[{string.Join(',', Images.SelectMany(i => ((string Uid, string Id, string Type)[])[(i.Value.Study, i.Value.StudyId, "Study"), (i.Value.Series, i.Value.SeriesId, "Series"), (i.Value.Sop, i.Key, "Instance")])
            .Where(r => r.Uid == uid).Distinct().Select(r => $$"""{"ID":"{{r.Id}}","Type":"{{r.Type}}"}"""))}]");

    private HttpResponseMessage Probe(byte[] file)
    {
#pragma warning disable CA5351 // Orthanc's digest
        _probes["probe"] = Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(file));
#pragma warning restore CA5351
        return SidecarApp.Json("""{"ID":"probe","Status":"Success"}""");
    }

    // Each study is one result, with counts over its patient as Orthanc gives them.
    private HttpResponseMessage Search(Uri asked)
    {
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(asked.Query);
        var (offset, limit) = (int.Parse(query.GetValueOrDefault("offset").FirstOrDefault() ?? "0"), int.Parse(query.GetValueOrDefault("limit").FirstOrDefault() ?? "0"));
        var found = Images.Values.Select(i => i.Study).Distinct().Skip(offset).Take(limit == 0 ? int.MaxValue : limit)
            .Select(s => $$$"""{"0020000D":{"vr":"UI","Value":["{{{s}}}"]},"00201200":{"vr":"IS","Value":[9]},"00100010":{"vr":"PN"}}""");
        return SidecarApp.Json($"[{string.Join(',', found)}]");
    }
}
