using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Dicom.Masking;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.MaskJobs;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class MaskJobStoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-store-");
    private readonly Database _database;
    private readonly MaskJobStore _store;

    public MaskJobStoreTests()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        _database = new Database(Options.Create(new StorageOptions { Directory = _folder.FullName }), TimeProvider.System);
        _store = new MaskJobStore(_database, new AuditLog(TimeProvider.System), new MaskJobPace(TimeProvider.System), TimeProvider.System);
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Delete(recursive: true);
    }

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

    [Fact]
    public async Task A_job_is_stored_with_its_items_and_comes_back_as_it_was()
    {
        var job = Job();
        await _store.Create(job, [Item(0), Item(1)], "key", "fingerprint", default);

        var open = Assert.Single(await _store.ListOpen(default));
        Assert.Equal(job with { Regions = open.Regions, LeftOut = open.LeftOut }, open);
        Assert.Equal(job.Regions, open.Regions);
        Assert.Equal(job.LeftOut, open.LeftOut);
        Assert.Equal([Item(0), Item(1)], await _store.ListWaiting(job.Id, default));
        Assert.Equal(["maskJobCreated"], await Actions());
    }

    [Fact]
    public async Task Outcomes_are_counted_once_even_when_they_are_recorded_twice()
    {
        var job = Job();
        await _store.Create(job, [Item(0), Item(1)], "key", "fingerprint", default);
        await _store.Start(job, default);
        for (var time = 0; time < 2; time++)
        {
            await _store.RecordMasked(job, "orthanc-0", Replaced(), default);
            await _store.RecordFailed(job, Item(1), "It cannot be decoded.", default);
        }

        await _store.Finish(job, default);
        await _store.Finish(job, default);

        var view = (await _store.ReadView(job.Id, default))!;
        Assert.Equal((MaskJobState.Failed, 2, 1, 1, 8), (view.State, view.Total, view.Done, view.Failed, view.Frames));
        Assert.Equal(["1.0"], view.MaskedSopInstanceUids);
        Assert.Equal(new MaskFailure("1.9", "1.1", "It cannot be decoded.", 7), Assert.Single(view.Failures));
        Assert.Equal(["maskJobCreated", "instanceMasked", "instanceFailed", "maskJobFinished"], await Actions());
        Assert.Equal("new-uuid", await _database.Read(c => c.ExecuteScalarAsync<string>("SELECT uuid FROM masked_instances WHERE orthanc_id = 'orthanc-0'"), default));
        Assert.Empty(await _store.ListOpen(default));
    }

    [Fact]
    public async Task A_job_with_an_instance_without_an_outcome_cannot_be_finished()
    {
        var job = Job();
        await _store.Create(job, [Item(0)], "key", "fingerprint", default);
        await _store.Start(job, default);

        await Assert.ThrowsAsync<InvalidOperationException>(() => _store.Finish(job, default));
        Assert.Equal(MaskJobState.Running, (await _store.ReadView(job.Id, default))!.State);
    }

    [Fact]
    public async Task A_key_belongs_to_its_user_and_makes_one_job()
    {
        var (first, second) = (Job(), Job());
        await _store.Create(first, [Item(0)], "key", "a", default);

        Assert.Equal(first.Id, (await _store.Create(second, [Item(0)], "key", "b", default)).JobId);
        Assert.Null(await _store.FindByKey("someone else", "key", default));
        Assert.Single(await _store.ListOpen(default));
    }

    [Fact]
    public async Task The_list_of_a_study_is_newest_first_and_at_most_fifty()
    {
        for (var number = 0; number < 51; number++)
        {
            await _store.Create(Job() with { Id = $"job-{number:00}", CreatedAt = DateTimeOffset.UnixEpoch.AddMinutes(number) }, [], $"key-{number}", "a", default);
        }

        var list = await _store.ListViews("1.2", default);
        Assert.Equal((50, "job-50", "job-01"), (list.Count, list[0].Id, list[^1].Id));
        Assert.Empty(await _store.ListViews("1.3", default));
    }

    [Fact]
    public async Task Nothing_of_a_transaction_that_fails_is_stored()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _database.Write<int>(
            async t =>
            {
                await new AuditLog(TimeProvider.System).Append(t, new AuditEvent("x", "s", "n"));
                throw new InvalidOperationException();
            },
            default));
        Assert.Empty(await Actions());
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_not_touched()
    {
        await Actions();
        await _database.Write(t => t.Connection!.ExecuteAsync("INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, 'later', '')", transaction: t), default);
        using var again = new Database(Options.Create(new StorageOptions { Directory = _folder.FullName }), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => again.Read(c => c.ExecuteScalarAsync<int>("SELECT 1"), default));
        Assert.Contains("Start the newer version", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_is_readable_by_the_service_alone()
    {
        await Actions();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.FullName));
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
            Proof = new MaskProof { Frames = 4, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [new(1, 2, 3, 4)], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", OutsideSha256 = ["e"] },
        },
        "new-uuid");

    private Task<IReadOnlyList<string>> Actions() =>
        _database.Read<IReadOnlyList<string>>(async c => [.. await c.QueryAsync<string>("SELECT action FROM audit_events ORDER BY sequence")], default);
}
