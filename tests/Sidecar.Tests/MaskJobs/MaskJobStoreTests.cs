using Dapper;
using Sidecar.Audit;
using Sidecar.Dicom.Masking;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.Storage;
using Xunit;

namespace Sidecar.Tests.MaskJobs;

public sealed class MaskJobStoreTests
{
    [Theory]
    [InlineData(nameof(MaskJobState.Queued), nameof(MaskJobEvent.Start), nameof(MaskJobState.Running))]
    [InlineData(nameof(MaskJobState.Running), nameof(MaskJobEvent.Start), nameof(MaskJobState.Running))]
    [InlineData(nameof(MaskJobState.Running), nameof(MaskJobEvent.FinishAllMasked), nameof(MaskJobState.Succeeded))]
    [InlineData(nameof(MaskJobState.Running), nameof(MaskJobEvent.FinishWithFailures), nameof(MaskJobState.Failed))]
    [InlineData(nameof(MaskJobState.Queued), nameof(MaskJobEvent.FinishAllMasked), null)]
    [InlineData(nameof(MaskJobState.Queued), nameof(MaskJobEvent.FinishWithFailures), null)]
    [InlineData(nameof(MaskJobState.Succeeded), nameof(MaskJobEvent.Start), null)]
    [InlineData(nameof(MaskJobState.Succeeded), nameof(MaskJobEvent.FinishAllMasked), null)]
    [InlineData(nameof(MaskJobState.Succeeded), nameof(MaskJobEvent.FinishWithFailures), null)]
    [InlineData(nameof(MaskJobState.Failed), nameof(MaskJobEvent.Start), null)]
    [InlineData(nameof(MaskJobState.Failed), nameof(MaskJobEvent.FinishAllMasked), null)]
    [InlineData(nameof(MaskJobState.Failed), nameof(MaskJobEvent.FinishWithFailures), null)]
    public void A_job_goes_only_where_the_table_says(string state, string happened, string? next) =>
        Assert.Equal(next, Enum.Parse<MaskJobState>(state).Next(Enum.Parse<MaskJobEvent>(happened))?.ToString());

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_is_stored_with_its_items_and_comes_back_as_it_was(string kind)
    {
        using var its = await Stores.Create(kind);
        var job = Job();
        await its.Store.Create(job, [Item(0), Item(1)], "key", "fingerprint", default);

        var open = Assert.Single(await its.Store.ListOpen(default));
        Assert.Equal(job with { Regions = open.Regions, LeftOut = open.LeftOut }, open);
        Assert.Equal(job.Regions, open.Regions);
        Assert.Equal(job.LeftOut, open.LeftOut);
        Assert.Equal([Item(0), Item(1)], await its.Store.ListWaiting(job.Id, default));
        Assert.Equal(["maskJobCreated"], await its.Actions());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Outcomes_are_counted_once_even_when_they_are_recorded_twice(string kind)
    {
        using var its = await Stores.Create(kind);
        var job = Job();
        await its.Store.Create(job, [Item(0), Item(1)], "key", "fingerprint", default);
        await its.Store.Start(job, default);
        for (var time = 0; time < 2; time++)
        {
            await its.Store.RecordMasked(job, "orthanc-0", Replaced(), default);
            await its.Store.RecordFailed(job, Item(1), "It cannot be decoded.", default);
        }

        await its.Store.Finish(job, default);
        await its.Store.Finish(job, default);

        var view = (await its.Store.ReadView(job.Id, default))!;
        Assert.Equal((MaskJobState.Failed, 2, 1, 1, 8), (view.State, view.Total, view.Done, view.Failed, view.Frames));
        Assert.Equal(["1.0"], view.MaskedSopInstanceUids);
        Assert.Equal(new MaskFailure("1.9", "1.1", "It cannot be decoded.", 7), Assert.Single(view.Failures));
        Assert.Equal(["maskJobCreated", "instanceMasked", "instanceFailed", "maskJobFinished"], await its.Actions());
        Assert.Equal("new-uuid", await its.Database.Read(c => c.ExecuteScalarAsync<string>("SELECT uuid FROM masked_instances WHERE orthanc_id = 'orthanc-0'"), default));
        Assert.Empty(await its.Store.ListOpen(default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_with_an_instance_without_an_outcome_cannot_be_finished(string kind)
    {
        using var its = await Stores.Create(kind);
        var job = Job();
        await its.Store.Create(job, [Item(0)], "key", "fingerprint", default);
        await its.Store.Start(job, default);

        await Assert.ThrowsAsync<InvalidOperationException>(() => its.Store.Finish(job, default));
        Assert.Equal(MaskJobState.Running, (await its.Store.ReadView(job.Id, default))!.State);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_key_belongs_to_its_user_and_makes_one_job(string kind)
    {
        using var its = await Stores.Create(kind);
        var (first, second) = (Job(), Job());
        await its.Store.Create(first, [Item(0)], "key", "a", default);

        Assert.Equal(first.Id, (await its.Store.Create(second, [Item(0)], "key", "b", default)).JobId);
        Assert.Null(await its.Store.FindByKey("someone else", "key", default));
        Assert.Single(await its.Store.ListOpen(default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_same_key_on_several_nodes_at_once_makes_one_job(string kind)
    {
        using var its = await Stores.Create(kind);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => its.Store.Create(Job(), [Item(0)], "key", "a", default)));

        Assert.Single(made.Select(m => m.JobId).Distinct());
        Assert.Single(await its.Store.ListOpen(default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_list_of_a_study_is_newest_first_and_at_most_fifty(string kind)
    {
        using var its = await Stores.Create(kind);
        for (var number = 0; number < 51; number++)
        {
            await its.Store.Create(Job() with { Id = $"job-{number:00}", CreatedAt = DateTimeOffset.UnixEpoch.AddMinutes(number) }, [], $"key-{number}", "a", default);
        }

        var list = await its.Store.ListViews("1.2", default);
        Assert.Equal((50, "job-50", "job-01"), (list.Count, list[0].Id, list[^1].Id));
        Assert.Empty(await its.Store.ListViews("1.3", default));
    }

    private static MaskJob Job() => new()
    {
        Id = Guid.NewGuid().ToString(),
        StudyInstanceUid = "1.2",
        StudyOrthancId = "study",
        State = MaskJobState.Queued,
        Scope = MaskScope.Series,
        Source = new SourceImage("1.9", "1.0"),
        Regions = [new Region(1, 2, 3, 4)],
        LeftOut = [new LeftOut("1.9", LeftOutCode.TransferSyntax, "No.", 2)],
        Reason = "because",
        CreatedAt = TimeProvider.System.GetUtcNow(),
        CreatedBySubject = "mia",
        CreatedByName = "Mia Masker",
    };

    private static MaskJobItem Item(int ordinal) => new() { Ordinal = ordinal, OrthancId = $"orthanc-{ordinal}", SeriesInstanceUid = "1.9", SopInstanceUid = $"1.{ordinal}", InstanceNumber = 7, Frames = 4 };

    private static ReplacementOutcome.Replaced Replaced() => new(
        new InstanceRecord
        {
            JobId = "job",
            Instance = new ResourceSnapshot { Level = OrthancLevel.Instances, Id = "orthanc-0", Metadata = new Dictionary<string, byte[]>(), SystemMetadata = new Dictionary<string, string> { ["RemoteAET"] = "CT1" }, Attachments = [] },
            Uuid = "old-uuid",
            Md5 = "a",
            MaskedMd5 = "b",
            Proof = new MaskProof { Frames = 4, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [new(1, 2, 3, 4)], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", FrameXxh64 = ["e"] },
            Keys = SpoolKeys.Create(),
        },
        "new-uuid");

    private sealed class Stores(TestDatabase database) : IDisposable
    {
        public Database Database { get; } = database.Open();

        public MaskJobStore Store => new(Database, new AuditLog(TimeProvider.System), new MaskJobPace(TimeProvider.System), TimeProvider.System);

        public static async Task<Stores> Create(string kind) => new(await TestDatabase.Create(kind));

        public Task<IReadOnlyList<string>> Actions() =>
            Database.Read<IReadOnlyList<string>>(async c => [.. await c.QueryAsync<string>("SELECT action FROM audit_events ORDER BY sequence")], default);

        public void Dispose() => database.Dispose();
    }
}
