using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Dicom.Masking;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.Storage;

namespace Sidecar.Tests.MaskJobs;

/// <summary>The stores of one node on an empty database, and jobs to put into it.</summary>
internal sealed class JobStores : IDisposable
{
    private readonly TestDatabase _its;

    private JobStores(TestDatabase its)
    {
        _its = its;
        Database = its.Open();
        Store = new MaskJobStore(Database, new AuditLog(TimeProvider.System), TimeProvider.System);
        Reader = new MaskJobReader(Database, new MaskJobPace(TimeProvider.System));
        Queue = NewNode();
    }

    public Database Database { get; }

    public MaskJobStore Store { get; }

    public MaskJobReader Reader { get; }

    public MaskJobQueue Queue { get; }

    public static async Task<JobStores> Create(string kind) => new(await TestDatabase.Create(kind));

    /// <summary>The queue as another node sees it, over a connection of its own.</summary>
    public MaskJobQueue NewNode(TimeProvider? time = null) =>
        new(_its.Open(time), Options.Create(_its.Options), Options.Create(new MaskJobOptions()), time ?? TimeProvider.System);

    public async Task<MaskJob> Add(MaskJob job, int instances = 1)
    {
        await Store.Create(job, [.. Enumerable.Range(0, instances).Select(Item)], Guid.NewGuid().ToString(), "fingerprint", default);
        return job;
    }

    public async Task<JobClaim> AddAndClaim(int instances)
    {
        await Add(Job(), instances);
        return (await Queue.Claim(true, default))!;
    }

    /// <summary>The leases of all claims have run out.</summary>
    public Task LetLeasesRunOut() => Database.Write(t => t.Connection!.ExecuteAsync("UPDATE mask_jobs SET lease_until = 0 WHERE node IS NOT NULL", transaction: t), default);

    public Task<IReadOnlyList<string>> Actions() =>
        Database.Read<IReadOnlyList<string>>(async c => [.. await c.QueryAsync<string>("SELECT action FROM audit_events ORDER BY sequence")], default);

    public void Dispose()
    {
        Queue.Dispose();
        _its.Dispose();
    }

    public static MaskJob Job(string study = "1.2", string user = "mia") => new()
    {
        Id = Guid.NewGuid().ToString(),
        StudyInstanceUid = study,
        StudyOrthancId = "study",
        State = MaskJobState.Queued,
        Scope = MaskScope.Series,
        Source = new SourceImage("1.9", "1.0"),
        Regions = [new Region(1, 2, 3, 4)],
        LeftOut = [new LeftOut("1.9", LeftOutCode.TransferSyntax, "No.", 2)],
        Reason = "because",
        CreatedAt = TimeProvider.System.GetUtcNow(),
        CreatedBySubject = user,
        CreatedByName = "Mia Masker",
    };

    public static MaskJobItem Item(int ordinal) => new() { Ordinal = ordinal, OrthancId = $"orthanc-{ordinal}", SeriesInstanceUid = "1.9", SopInstanceUid = $"1.{ordinal}", InstanceNumber = 7, Frames = 4 };

    public static ReplacementOutcome.Replaced Replaced(string instance = "orthanc-0") => new(
        new InstanceRecord
        {
            JobId = "job",
            Instance = new ResourceSnapshot { Level = OrthancLevel.Instances, Id = instance, Metadata = new Dictionary<string, byte[]>(), SystemMetadata = new Dictionary<string, string> { ["RemoteAET"] = "CT1" }, Attachments = [] },
            Uuid = "old-uuid",
            Md5 = "a",
            MaskedMd5 = "b",
            Proof = new MaskProof { Frames = 4, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [new(1, 2, 3, 4)], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", FrameXxh64 = ["e"] },
            Keys = SpoolKeys.Create(),
        },
        "new-uuid");
}
