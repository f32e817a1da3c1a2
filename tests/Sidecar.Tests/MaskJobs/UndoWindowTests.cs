using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.Http;
using Sidecar.Tests.Reviews;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.MaskJobs.JobStores;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.MaskJobs;

/// <summary>What the database knows of kept originals: what may be restored, what that undoes, and when it is over.</summary>
public sealed class UndoWindowTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory, OnSqlite, OnPostgres]
    public async Task A_restored_original_undoes_the_masking_in_the_ledger_so_that_nobody_masks_it_again(string kind)
    {
        using var its = await JobStores.Create(kind);
        var masking = await Mask(its, "b", "a", Now.AddDays(30));
        Assert.Equal("sealed", await Text(its, "SELECT state FROM sealed_originals"));
        Assert.Equal(Now.AddDays(30), (await its.Reader.ReadView(masking, default))!.RestorableUntil);

        var claim = await Restore(its, masking);
        for (var time = 0; time < 2; time++) // a step may run twice
        {
            await its.Store.RecordRestored(claim, "orthanc-0", Put("b", "a", "back"), default);
        }

        await its.Store.Finish(claim, default);

        Assert.Null(await Text(its, "SELECT md5 FROM masked_instances"));
        Assert.Empty(await its.Database.Read(c => MaskedImages.Read(c, ["orthanc-0"]), default));
        Assert.Equal("restored", await Text(its, "SELECT state FROM sealed_originals"));
        var (before, after) = ((await its.Reader.ReadView(masking, default))!, (await its.Reader.ReadView(claim.Job.Id, default))!);
        Assert.Equal((0, 1, null), (before.Done, before.Restored, before.RestorableUntil));
        Assert.Equal((MaskJobState.Succeeded, 1, masking), (after.State, after.Done, after.RestoresJob));
        Assert.Equal(["maskJobCreated", "instanceMasked", "maskJobFinished", "restoreCreated", "restoreRequested", "instanceRestored", "instanceRestored", "restoreFinished"], await its.Actions());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Where_the_image_had_been_masked_before_it_is_that_jobs_image_again(string kind)
    {
        using var its = await JobStores.Create(kind);
        var first = await Mask(its, "b", "a", null);
        var second = await Mask(its, "c", "b", Now.AddDays(1));

        var claim = await Restore(its, second);
        await its.Store.RecordRestored(claim, "orthanc-0", Put("c", "b", "back"), default);

        Assert.Equal($"b back {first}", await Text(its, "SELECT md5 || ' ' || uuid || ' ' || job_id FROM masked_instances"));
        Assert.Single((await its.Database.Read(c => MaskedImages.Read(c, ["orthanc-0"]), default))["orthanc-0"].Masks);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task What_is_due_is_erased_and_told_and_what_is_being_restored_waits(string kind)
    {
        using var its = await JobStores.Create(kind);
        using var folder = new Kept();
        var clock = new MovableClock();
        using var eraser = new SealedOriginalsEraser(its.Database, folder.Originals, new AuditLog(clock), clock, NullLogger<SealedOriginalsEraser>.Instance);
        var (due, later, restoring) = (await Mask(its, "b", "a", clock.GetUtcNow().AddDays(1)), await Mask(its, "c", "b", clock.GetUtcNow().AddDays(9)), await Mask(its, "d", "c", clock.GetUtcNow().AddDays(1)));
        foreach (var job in Ids(due, later, restoring, "unknown"))
        {
            folder.Put(job, "orthanc-0");
        }

        var claim = await Restore(its, restoring);
        Assert.Equal(0, await eraser.EraseDue(default));
        Assert.Equal("1 files in sealed/ of Storage:Directory belong to nothing. The running service erases them within ten minutes.", await eraser.DescribeFaults(default));
        Assert.Equal(1, await eraser.SweepLeftovers(default));
        Assert.Null(await eraser.DescribeFaults(default));

        clock.Ahead = TimeSpan.FromDays(1.5);
        Assert.StartsWith("2 originals are kept beyond their time.", await eraser.DescribeFaults(default), StringComparison.Ordinal);
        Assert.Equal(1, await eraser.EraseDue(default));
        Assert.Equal(new[] { later, restoring }.Order(), folder.Originals.List().Select(f => f.Job).Order());
        Assert.Equal("erased", await Text(its, $"SELECT state FROM sealed_originals WHERE job_id = '{due}'"));
        Assert.Single(await its.Actions(), a => a == "originalsErased");

        await its.Store.RecordFailed(claim, (await its.Store.ListWaiting(claim.Job.Id, default))[0], RefusalCause.Archive, "No.", default);
        Assert.Equal(1, await eraser.EraseDue(default));
        folder.Originals.Erase(later, "orthanc-0"); // by somebody else's hand
        Assert.StartsWith("1 originals that can be restored by the database are not in sealed/", await eraser.DescribeFaults(default), StringComparison.Ordinal);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Of_two_nodes_that_erase_at_the_same_time_one_tells_of_each_original(string kind)
    {
        using var its = await JobStores.Create(kind);
        using var folder = new Kept();
        var clock = new MovableClock();
        for (var number = 0; number < 5; number++)
        {
            folder.Put(await Mask(its, $"{number + 1}", $"{number}", clock.GetUtcNow().AddDays(1)), "orthanc-0");
        }

        clock.Ahead = TimeSpan.FromDays(1.5);
        using var first = new SealedOriginalsEraser(its.Database, folder.Originals, new AuditLog(clock), clock, NullLogger<SealedOriginalsEraser>.Instance);
        using var second = new SealedOriginalsEraser(its.Database, folder.Originals, new AuditLog(clock), clock, NullLogger<SealedOriginalsEraser>.Instance);
        await Task.WhenAll(Task.Run(() => first.EraseDue(default)), Task.Run(() => second.EraseDue(default)));

        Assert.Equal(5, (await its.Actions()).Count(a => a == "originalsErased"));
        Assert.Empty(folder.Originals.List());
        Assert.Equal("5", await Text(its, "SELECT CAST(COUNT(*) AS TEXT) FROM sealed_originals WHERE state = 'erased'"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Files_of_an_image_in_work_are_no_leftovers(string kind)
    {
        using var its = await JobStores.Create(kind);
        using var folder = new Kept();
        using var eraser = new SealedOriginalsEraser(its.Database, folder.Originals, new AuditLog(TimeProvider.System), TimeProvider.System, NullLogger<SealedOriginalsEraser>.Instance);
        var claim = await its.AddAndClaim(instances: 1);
        folder.Put(claim.Job.Id, "orthanc-0"); // kept, and not recorded yet

        Assert.Equal(0, await eraser.SweepLeftovers(default));
        await its.Store.RecordFailed(claim, Item(0), RefusalCause.Archive, "No.", default);
        Assert.Equal(1, await eraser.SweepLeftovers(default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Restoring_needs_its_permission_a_reason_and_something_that_is_kept(string kind)
    {
        await using var stage = await ReviewStage.Create(kind, settings: [("Permissions:Restore:0", "break-glass")]);
        using var glenn = stage.As("glenn", "break-glass");
        using var service = stage.As("mia", "image-masking");
        var (store, queue) = (Of<MaskJobStore>(stage), Of<MaskJobQueue>(stage));
        var job = Job();
        await store.Create(job, [Item(0), Item(1)], "key", "f", default);
        const string Path = "/api/mask-jobs";
        var restore = $"{Path}/{job.Id}/restore";
        Assert.Equal("409 job-running", Problem(await Send(glenn, "POST", restore, new { reason = "wrong patient" }, "k")));
        var claim = (await queue.Claim(true, default))!;
        await store.RecordMasked(claim, [Replaced() with { RestorableUntil = stage.App.Clock.GetUtcNow().AddDays(1) }], default);
        await store.RecordMasked(claim, [Replaced("orthanc-1")], default);
        await store.Finish(claim, default);

        Assert.Equal("403 forbidden", Problem(await Send(service, "POST", restore, new { reason = "x" }, "k")));
        Assert.Equal("403 forbidden", Problem(await Send(stage.Rita, "POST", restore, new { reason = "x" }, "k")));
        Assert.Equal("400 reason-missing", Problem(await Send(glenn, "POST", restore, new { }, "k")));
        Assert.Equal("400 reason-missing", Problem(await Send(glenn, "POST", restore, new { reason = " " }, "k")));
        Assert.Equal("400 idempotency-key", Problem(await Send(glenn, "POST", restore, new { reason = "wrong patient" })));
        Assert.Equal("404 not-found", Problem(await Send(glenn, "POST", $"{Path}/none/restore", new { reason = "wrong patient" }, "k")));

        var (status, made) = await Send(glenn, "POST", restore, new { reason = "wrong patient" }, "k");
        Assert.Equal((202, "queued", job.Id, 1, "wrong patient"), (status, (string)made!["state"]!, (string)made["restoresJob"]!, (int)made["total"]!, (string)made["reason"]!));
        Assert.Equal((string)made["id"]!, (string)(await Send(glenn, "POST", restore, new { reason = "wrong patient" }, "k")).Body!["id"]!);
        var reused = await Send(glenn, "POST", restore, new { reason = "another" }, "k");
        Assert.Equal(("422 idempotency-key-reused", "This Idempotency-Key was used for another request. Choose a new one for each restoring."), (Problem(reused), (string)reused.Body!["detail"]!));
        var again = await Send(glenn, "POST", restore, new { reason = "again" }, "other");
        Assert.Equal(("409 job-running", "This masking, or an earlier restoring of it, is still under way. Wait for its end."), (Problem(again), (string)again.Body!["detail"]!));
        var (by, details) = Assert.Single(await stage.Audit("restoreRequested"));
        Assert.Equal(("glenn", "wrong patient"), (by, (string)details["reason"]!));
        Assert.Equal(200, (await Send(glenn, "GET", $"{Path}/{made["id"]}")).Status);
        var certificate = await Send(service, "GET", $"{Path}/{made["id"]}/certificate");
        Assert.Contains("no certificate of masking", (string)certificate.Body!["detail"]!, StringComparison.Ordinal);
        Assert.Contains("<dt>Originals kept</dt>", await service.GetStringAsync($"{Path}/{job.Id}/certificate.html"), StringComparison.Ordinal);

        await Send(service, "POST", $"{Path}/{made["id"]}/cancel");
        stage.App.Clock.Ahead = TimeSpan.FromDays(1.5);
        using var tomorrow = stage.App.ClientWithToken(stage.App.Issuer.Create("glenn", "Glenn", ["break-glass"], t => t.Expires = t.Expires!.Value.AddDays(3)));
        Assert.Equal("409 nothing-to-restore", Problem(await Send(tomorrow, "POST", restore, new { reason = "too late" }, "late")));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(365, true)]
    [InlineData(366, false)]
    public void The_days_are_0_to_365(int days, bool right)
    {
        var options = new MaskJobOptions { UndoDays = days };
        List<ValidationResult> faults = [];
        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true);
        Assert.Equal(right ? [] : ["MaskJobs:UndoDays must be 0 to 365."], faults.Select(f => f.ErrorMessage));
    }

    [Theory]
    [InlineData("restoreRequested", "110113", "110127", "Emergency Override Started")]
    [InlineData("restoreFinished", "110103", "Originals restored", "NumberOfInstances=\"2\"")]
    public void The_syslog_server_is_told_of_restoring(string action, params string[] words)
    {
        var row = new AuditRow { Sequence = 1, At = "2026-11-22T08:00:00Z", Action = action, Subject = "glenn", Name = "Glenn", JobId = "job", StudyInstanceUid = "1.2", SoftwareVersion = "1", Details = "{\"restored\":2,\"failed\":0}" };

        Assert.True(DicomAuditMessage.Covers(action));
        var message = DicomAuditMessage.Create(row, "sidecar", null, "patient");
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
    }

    private static T Of<T>(ReviewStage stage)
        where T : notnull => (T)stage.App.Services.GetService(typeof(T))!;

    // One image, masked: what was there had the MD5 `from`.
    private static async Task<string> Mask(JobStores its, string to, string from, DateTimeOffset? until)
    {
        var claim = await its.AddAndClaim(instances: 1);
        await its.Store.RecordMasked(claim, [Put(from, to, "uuid-" + to) with { RestorableUntil = until }], default);
        await its.Store.Finish(claim, default);
        return claim.Job.Id;
    }

    private static async Task<JobClaim> Restore(JobStores its, string masking)
    {
        await its.Store.Create(Job() with { RestoresJobId = masking, Regions = [] }, [Item(0)], Guid.NewGuid().ToString(), "f", default);
        return (await its.Queue.Claim(true, default))!;
    }

    private static ReplacementOutcome.Replaced Put(string from, string to, string uuid) => new(Replaced().Record with { Md5 = from, MaskedMd5 = to }, uuid);

    private static Task<string?> Text(JobStores its, string sql) => its.Database.Read(c => c.ExecuteScalarAsync<string?>(sql), default);

    /// <summary>A folder with files of kept originals; what is in them is nobody's matter here.</summary>
    private sealed class Kept : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-kept-");

        public Kept()
        {
            var (storage, key) = (Options.Create(new StorageOptions { Directory = _folder.FullName }), new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(new byte[32]) })));
            Originals = new SealedOriginals(storage, new ReplacementJournal(storage, key), key);
        }

        public SealedOriginals Originals { get; }

        public void Put(string job, string id)
        {
            var folder = _folder.CreateSubdirectory($"sealed/{job}").FullName;
            File.WriteAllText(Path.Combine(folder, id + ".seal"), "key");
            File.WriteAllText(Path.Combine(folder, id + ".original"), "original");
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
