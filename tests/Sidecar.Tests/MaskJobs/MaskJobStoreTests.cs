using Sidecar.Audit;
using Dapper;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.MaskJobs.JobStores;

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
    [InlineData(nameof(MaskJobState.Queued), nameof(MaskJobEvent.FinishCancelled), nameof(MaskJobState.Cancelled))]
    [InlineData(nameof(MaskJobState.Running), nameof(MaskJobEvent.FinishCancelled), nameof(MaskJobState.Cancelled))]
    [InlineData(nameof(MaskJobState.Succeeded), nameof(MaskJobEvent.FinishCancelled), null)]
    [InlineData(nameof(MaskJobState.Cancelled), nameof(MaskJobEvent.Start), null)]
    [InlineData(nameof(MaskJobState.Cancelled), nameof(MaskJobEvent.FinishAllMasked), null)]
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
        using var its = await JobStores.Create(kind);
        var job = Job() with { Priority = MaskJobPriority.Bulk };
        MaskJobItem[] items = [.. Enumerable.Range(0, 450).Select(Item), Item(450) with { InstanceNumber = null }];
        await its.Store.Create(job, items, "key", "fingerprint", default);

        var claim = (await its.Queue.Claim(alsoBulk: true, default))!;
        Assert.Equal(
            job with { Regions = claim.Job.Regions, LeftOut = claim.Job.LeftOut, State = MaskJobState.Running, StartedAt = claim.Job.StartedAt },
            claim.Job);
        Assert.Equal(job.Regions, claim.Job.Regions);
        Assert.Equal(job.LeftOut, claim.Job.LeftOut);
        Assert.NotNull(claim.Job.StartedAt);
        Assert.Equal(items, await its.Store.ListWaiting(job.Id, default));
        Assert.Equal(["maskJobCreated"], await its.Actions());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Outcomes_are_counted_once_even_when_they_are_recorded_twice(string kind)
    {
        using var its = await JobStores.Create(kind);
        var claim = await its.AddAndClaim(instances: 2);
        for (var time = 0; time < 2; time++)
        {
            await its.Store.RecordMasked(claim, [Replaced()], default);
            await its.Store.RecordFailed(claim, Item(1), RefusalCause.Damaged, "It cannot be decoded.", default);
        }

        await its.Store.Finish(claim, default);

        var view = (await its.Reader.ReadView(claim.Job.Id, default))!;
        Assert.Equal((MaskJobState.Failed, 2, 1, 1, 8), (view.State, view.Total, view.Done, view.Failed, view.Frames));
        Assert.Equal(["1.0"], view.MaskedSopInstanceUids);
        Assert.Equal(new MaskFailure("1.9", "1.1", "It cannot be decoded.", 7, RefusalCause.Damaged), Assert.Single(view.Failures));
        Assert.Equal(["maskJobCreated", "instanceMasked", "instanceFailed", "maskJobFinished"], await its.Actions());
        Assert.Equal("new-uuid", await its.Database.Read(c => c.ExecuteScalarAsync<string>("SELECT uuid FROM masked_instances WHERE orthanc_id = 'orthanc-0'"), default));
        Assert.Empty(await its.Store.FindOpen([claim.Job.Id], default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Images_that_are_recorded_together_are_told_one_by_one_and_in_their_order(string kind)
    {
        using var its = await JobStores.Create(kind);
        var claim = await its.AddAndClaim(instances: 12);
        await its.Store.RecordMasked(claim, [Replaced("orthanc-3")], default);

        await its.Store.RecordMasked(claim, [Replaced("orthanc-5"), Replaced("orthanc-3"), Replaced("orthanc-4")], default);

        Assert.Equal(["1.3", "1.5", "1.4"], await its.Database.Read(c => c.QueryAsync<string>("SELECT sop_instance_uid FROM audit_events WHERE action = 'instanceMasked' ORDER BY sequence"), default));
        Assert.Equal(9, (await its.Store.ListWaiting(claim.Job.Id, default)).Count);

        // As they come from many threads: all are on record when their callers go on.
        using var outcomes = new MaskedOutcomes(its.Store, claim);
        await Parallel.ForEachAsync((string[])["0", "1", "2", "6", "7", "8"], async (one, token) =>
        {
            await outcomes.Record(Replaced("orthanc-" + one), token);
            Assert.DoesNotContain(await its.Store.ListWaiting(claim.Job.Id, token), i => i.OrthancId == "orthanc-" + one);
        });
        Assert.True((await new AuditVerification(its.Database).Verify([], default)).Holds);

        using var lost = new MaskedOutcomes(its.Store, claim with { Number = claim.Number + 1 });
        await Assert.ThrowsAsync<ClaimLostException>(() => lost.Record(Replaced("orthanc-9"), default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_with_an_instance_without_an_outcome_cannot_be_finished(string kind)
    {
        using var its = await JobStores.Create(kind);
        var claim = await its.AddAndClaim(instances: 1);

        await Assert.ThrowsAsync<InvalidOperationException>(() => its.Store.Finish(claim, default));
        Assert.Equal(MaskJobState.Running, (await its.Reader.ReadView(claim.Job.Id, default))!.State);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_key_belongs_to_its_user_and_makes_one_job(string kind)
    {
        using var its = await JobStores.Create(kind);
        var (first, second) = (Job(), Job());
        await its.Store.Create(first, [Item(0)], "key", "a", default);

        Assert.Equal(first.Id, (await its.Store.Create(second, [Item(0)], "key", "b", default))!.JobId);
        Assert.Null(await its.Store.FindByKey("someone else", "key", default));
        Assert.Equal([first.Id], await its.Store.FindOpen([first.Id, second.Id], default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_same_key_on_several_nodes_at_once_makes_one_job(string kind)
    {
        using var its = await JobStores.Create(kind);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => its.Store.Create(Job(), [Item(0)], "key", "a", default)));

        Assert.Single(made.Select(m => m!.JobId).Distinct());
        Assert.Single((await its.Reader.ListOfStudy("1.2", null, default))!.Jobs);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_list_of_a_study_is_newest_first_and_goes_on_after_fifty(string kind)
    {
        using var its = await JobStores.Create(kind);
        for (var number = 0; number < 52; number++)
        {
            // Pairs of the same moment: the list must not lose one where it is cut.
            await its.Add(Job() with { Id = $"job-{number:00}", CreatedAt = DateTimeOffset.UnixEpoch.AddMinutes((number + 1) / 2) });
        }

        var first = (await its.Reader.ListOfStudy("1.2", null, default))!;
        var last = (await its.Reader.ListOfStudy("1.2", first.Next, default))!;

        Assert.Equal((50, "job-51", "job-02"), (first.Jobs.Count, first.Jobs[0].Id, first.Next));
        Assert.Equal((1, 4L), (first.Jobs[7].Total, first.Jobs[7].Frames));
        Assert.Equal(["job-01", "job-00"], last.Jobs.Select(j => j.Id));
        Assert.Null(last.Next);
        Assert.Null((await its.Reader.ListOfStudy("1.2", "job-49", default))!.Next); // exactly what is left fits
        Assert.Empty((await its.Reader.ListOfStudy("1.3", null, default))!.Jobs);
        Assert.Null(await its.Reader.ListOfStudy("1.3", "job-01", default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_that_nobody_began_ends_when_it_is_cancelled(string kind)
    {
        using var its = await JobStores.Create(kind);
        var job = await its.Add(Job(), instances: 3);

        Assert.True(await its.Store.Cancel(job.Id, "ann", "Ann Other", default));

        var view = (await its.Reader.ReadView(job.Id, default))!;
        Assert.Equal((MaskJobState.Cancelled, 3, 0, "Ann Other"), (view.State, view.Cancelled, view.Done, view.CancelledBy));
        Assert.Null(await its.Queue.Claim(true, default));
        Assert.False(await its.Store.Cancel(job.Id, "ann", "Ann Other", default));
        Assert.Null(await its.Store.Cancel("none", "ann", "Ann Other", default));
        Assert.Equal(["maskJobCreated", "maskJobCancelled", "maskJobFinished"], await its.Actions());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_at_work_keeps_what_was_begun_when_it_is_cancelled(string kind)
    {
        using var its = await JobStores.Create(kind);
        var claim = await its.AddAndClaim(instances: 4);
        await its.Store.RecordMasked(claim, [Replaced()], default);
        Assert.True(await its.Store.Cancel(claim.Job.Id, "ann", "Ann Other", default));
        Assert.True(await its.Store.Cancel(claim.Job.Id, "ann", "Ann Other", default));
        Assert.Equal(ClaimState.HeldToCancel, await its.Queue.Renew(claim, default));

        await its.Store.CancelWaiting(claim, ["orthanc-2"], default);
        Assert.Equal(["orthanc-2"], (await its.Store.ListWaiting(claim.Job.Id, default)).Select(i => i.OrthancId));
        await its.Store.RecordFailed(claim, Item(2), RefusalCause.Archive, "No.", default);
        await its.Store.Finish(claim, default);

        var view = (await its.Reader.ReadView(claim.Job.Id, default))!;
        Assert.Equal((MaskJobState.Cancelled, 1, 1, 2), (view.State, view.Done, view.Failed, view.Cancelled));
        Assert.Equal(1, (await its.Actions()).Count(a => a == "maskJobCancelled"));
    }
}
