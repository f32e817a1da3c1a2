using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Sidecar.Orthanc;

namespace Sidecar.Tests.Scans;

/// <summary>An Orthanc of the mind: its list of changes, its listings and its files, as 1.10.1 answers them. Counts what it was asked.</summary>
internal sealed class FakeArchive : HttpMessageHandler
{
    private readonly Dictionary<string, Study> _studies = [];
    private readonly List<(long Seq, string Type, string Id, string Date)> _changes = [];
    private long _sequence;
    private int _clock;

    public FakeArchive() => Client = new OrthancClient(new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://127.0.0.1:9/") }, TimeProvider.System);

    public OrthancClient Client { get; }

    public List<string> Asked { get; } = [];

    public bool IsAway { get; set; }

    /// <summary>Ids of instances whose file is not delivered.</summary>
    public HashSet<string> Broken { get; } = [];

    /// <summary>Stores an instance under ids made of its names; the study comes to rest at once unless told otherwise.</summary>
    public string Store(string study, string series, string instance, string content = "content", bool isStable = true)
    {
        var one = _studies.TryGetValue(study, out var there) ? there : _studies[study] = new Study();
        var id = $"{study}-{series}-{instance}";
        one.Instances[id] = new Instance(series, instance, Encoding.ASCII.GetBytes(content), Guid.NewGuid().ToString());
        one.LastUpdate = $"20261122T{++_clock:D6}";
        one.IsStable = isStable;
        Change("NewInstance", id);
        if (isStable)
        {
            Change("StableStudy", study);
        }

        return id;
    }

    /// <summary>As after a SIGKILL before the study came to rest: it is, and nothing says so.</summary>
    public void SettleSilently(string study) => _studies[study].IsStable = true;

    public void Delete(string study)
    {
        _studies.Remove(study);
        _changes.RemoveAll(c => c.Id == study || c.Id.StartsWith(study + "-", StringComparison.Ordinal));
    }

    public string UuidOf(string instance) => Find(instance)!.Uuid;

    public string Md5Of(string instance) => Md5(Find(instance)!.Content);

    /// <summary>A new database: nothing is in it, and its list of changes begins at 1.</summary>
    public void Reset()
    {
        _studies.Clear();
        _changes.Clear();
        _sequence = 0;
    }

    public void Change(string type, string id) => _changes.Add((++_sequence, type, id, $"20261122T{_clock:D6}"));

    public void ForgetChanges() => _changes.Clear();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsAway)
        {
            throw new HttpRequestException("connection refused");
        }

        var path = request.RequestUri!.AbsolutePath.Trim('/');
        Asked.Add(path);
        var query = HttpUtility.ParseQueryString(request.RequestUri.Query);
        var answer = path.Split('/') switch
        {
            ["system"] => Json(new JsonObject { ["Version"] = "1.10.1" }),
            ["changes"] => Json(Changes(query["since"] is { } since ? long.Parse(since, null) : null, int.Parse(query["limit"] ?? "100", null))),
            ["studies"] when query["limit"] is { } limit => Json(new JsonArray([.. _studies.Keys.Skip(int.Parse(query["since"]!, null)).Take(int.Parse(limit, null)).Select(StudyJson)])),
            ["studies"] => Json(new JsonArray([.. _studies.Keys.Select(k => JsonValue.Create(k))])),
            ["studies", var id] when _studies.ContainsKey(id) => Json(StudyJson(id)),
            ["studies", var id, "series"] => Json(new JsonArray([.. _studies[id].Instances.Values.Select(i => i.Series).Distinct().Select(s => SeriesJson(id, s))])),
            ["studies", var id, "instances"] => Json(new JsonArray([.. _studies[id].Instances.Keys.Select(InstanceJson)])),
            ["series", var id] when InstancesOf(id).Any() => Json(SeriesJson(id.Split('-')[0], id.Split('-')[1])),
            ["series", var id, "instances"] => Json(new JsonArray([.. InstancesOf(id).Select(InstanceJson)])),
            ["instances", _, "simplified-tags"] => Json(new JsonObject { ["Modality"] = "CT" }),
            ["instances", var id, "attachments", "dicom", "info"] when Find(id) is { } file => Json(new JsonObject { ["Uuid"] = file.Uuid, ["UncompressedMD5"] = Md5(file.Content), ["UncompressedSize"] = file.Content.Length }),
            ["instances", var id, "file"] when !Broken.Contains(id) && Find(id) is { } file => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(file.Content) },
            _ => new HttpResponseMessage(HttpStatusCode.NotFound),
        };
        answer.RequestMessage = request;
        return Task.FromResult(answer);
    }

    private JsonObject Changes(long? since, int limit)
    {
        var rows = since is null ? _changes.TakeLast(1).ToList() : [.. _changes.Where(c => c.Seq > since).Take(limit)];
        return new JsonObject
        {
            ["Changes"] = new JsonArray([.. rows.Select(c => new JsonObject { ["Seq"] = c.Seq, ["ChangeType"] = c.Type, ["ID"] = c.Id, ["Date"] = c.Date })]),
            ["Done"] = rows.Count == 0 || rows[^1] == _changes[^1],
            ["Last"] = rows.Count == 0 ? _sequence : rows[^1].Seq,
        };
    }

    private JsonObject StudyJson(string id) => new()
    {
        ["ID"] = id,
        ["IsStable"] = _studies[id].IsStable,
        ["LastUpdate"] = _studies[id].LastUpdate,
        ["MainDicomTags"] = new JsonObject { ["StudyInstanceUID"] = UidOf(id), ["StudyDate"] = "20261122" },
    };

    private static JsonObject SeriesJson(string study, string series) => new()
    {
        ["ID"] = $"{study}-{series}",
        ["ParentStudy"] = study,
        ["MainDicomTags"] = new JsonObject { ["SeriesInstanceUID"] = UidOf(series), ["Modality"] = "CT", ["StationName"] = "CT1" },
    };

    private JsonObject InstanceJson(string id)
    {
        var one = Find(id)!;
        return new JsonObject
        {
            ["ID"] = id,
            ["ParentSeries"] = $"{id.Split('-')[0]}-{one.Series}",
            ["FileUuid"] = one.Uuid,
            ["FileSize"] = one.Content.Length,
            ["MainDicomTags"] = new JsonObject { ["SOPInstanceUID"] = UidOf(one.Name), ["InstanceNumber"] = one.Name },
        };
    }

    private IEnumerable<string> InstancesOf(string series) =>
        _studies.TryGetValue(series.Split('-')[0], out var study) ? study.Instances.Keys.Where(k => k.StartsWith(series + "-", StringComparison.Ordinal)) : [];

    private Instance? Find(string id) => _studies.TryGetValue(id.Split('-')[0], out var study) ? study.Instances.GetValueOrDefault(id) : null;

    private static string UidOf(string name) => "1.2." + string.Concat(name.Select(c => (c % 10).ToString(null as IFormatProvider)));

    private static HttpResponseMessage Json(JsonNode json) => new(HttpStatusCode.OK) { Content = new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json") };

#pragma warning disable CA5351 // MD5 is the digest that Orthanc publishes.
    private static string Md5(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351

    private sealed class Study
    {
        public Dictionary<string, Instance> Instances { get; } = [];

        public string LastUpdate { get; set; } = "";

        public bool IsStable { get; set; }
    }

    private sealed record Instance(string Series, string Name, byte[] Content, string Uuid);
}
