using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Dicom.Text;
using Sidecar.Scans;
using Sidecar.Storage;
using Sidecar.Tests.Storage;

namespace Sidecar.Tests.Scans;

/// <summary>The stores of one node on an empty database, with the run for arrivals.</summary>
internal sealed class ScanStores : IDisposable
{
    private readonly TestDatabase _its;

    private ScanStores(TestDatabase its)
    {
        _its = its;
        Database = its.Open();
        Runs = new ScanRunStore(Database, new AuditLog(TimeProvider.System), TimeProvider.System);
        Ledger = new ScanLedger(Database, TimeProvider.System);
        Queue = NewNode();
    }

    public Database Database { get; }

    public ScanRunStore Runs { get; }

    public ScanLedger Ledger { get; }

    public ScanWorkQueue Queue { get; }

    public static async Task<ScanStores> Create(string kind)
    {
        var stores = new ScanStores(await TestDatabase.Create(kind));
        await stores.Runs.EnsureStanding(default);
        return stores;
    }

    /// <summary>The queue as another node sees it, over a connection of its own.</summary>
    public ScanWorkQueue NewNode(TimeProvider? time = null) => new(_its.Open(time), Options.Create(new ScanOptions()));

    public Task Add(string run, params ScanWork[] works) => Runs.AddWork(run, new("study"), works, default);

    public async Task<ScanClaim> AddAndClaim(string series = "series")
    {
        await Add(ScanRun.ArrivalsId, Work(series));
        return (await Queue.Claim([ScanRun.ArrivalsId], default))!;
    }

    public async Task<ScanRun> AddRun(ScanPriority priority = ScanPriority.Bulk)
    {
        var run = Run(priority);
        await Runs.Create(run, default);
        return run;
    }

    public Task<int> Execute(string sql) => Database.Write(t => t.Connection!.ExecuteAsync(sql, transaction: t), default);

    public Task<IReadOnlyList<string>> Texts(string sql) => Database.Read<IReadOnlyList<string>>(async c => [.. await c.QueryAsync<string>(sql)], default);

    public static ScanRun Run(ScanPriority priority = ScanPriority.Bulk) => new()
    {
        Id = Guid.CreateVersion7().ToString(),
        Kind = priority == ScanPriority.Bulk ? ScanRunKind.Bulk : ScanRunKind.Study,
        State = ScanRunState.Running,
        Priority = priority,
        Query = new ScanQuery(Modality: "US", DateFrom: new DateOnly(2026, 1, 2)),
        Window = new TimeWindow(new TimeOnly(22, 0), new TimeOnly(6, 30), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")),
        Budget = 100,
        IsListed = true,
        CreatedAt = TimeProvider.System.GetUtcNow(),
        CreatedBySubject = "ada",
        CreatedByName = "Ada Administrator",
    };

    public static ScanWork Work(string series, long risk = 0, string study = "1.2") =>
        new() { StudyInstanceUid = study, StudyOrthancId = "study", SeriesInstanceUid = "1.2.3", SeriesOrthancId = series, Risk = risk, Instances = 5 };

    public static ScannedImage Image(string id = "image", string md5 = "md5", string? reason = null, params ScanFinding[] findings) => new()
    {
        OrthancId = id,
        SopInstanceUid = "1.2.3.4",
        Md5 = md5,
        Uuid = "uuid-" + md5,
        InstanceNumber = 3,
        Header = reason is null ? new ImageHeader(480, 640, "US", "Maker", "Model", "Station", "RGB", "1.2.840.10008.5.1.4.1.1.6.1") : null,
        Frames = 4,
        Unscannable = reason is null ? null : new Unscannable(UnscannableCause.Damaged, reason),
        Findings = findings,
    };

    public static ScanFinding Finding(int x = 10, int y = 10, FindingKind kind = FindingKind.Other) => new() { Region = new(x, y, 100, 20), Confidence = 0.876, Kind = kind };

    public void Dispose() => _its.Dispose();
}
