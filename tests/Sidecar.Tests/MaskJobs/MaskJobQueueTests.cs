using System.Collections.Concurrent;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Tests.Http;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.MaskJobs.JobStores;

namespace Sidecar.Tests.MaskJobs;

public sealed class MaskJobQueueTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task Nodes_that_ask_at_once_get_each_job_once_and_each_study_once(string kind)
    {
        using var its = await JobStores.Create(kind);
        for (var number = 0; number < 40; number++)
        {
            await its.Add(Job(study: $"1.{number % 20}"));
        }

        MaskJobQueue[] nodes = [its.NewNode(), its.NewNode(), its.NewNode(), its.NewNode()];
        var claims = new ConcurrentBag<JobClaim>();
        await Task.WhenAll(nodes.Select(async node =>
        {
            for (var misses = 0; misses < 25;)
            {
                if (await node.Claim(true, default) is { } claim)
                {
                    claims.Add(claim);
                }
                else
                {
                    misses++; // or beaten by another node
                }
            }
        }));

        Assert.Equal(20, claims.Select(c => c.Job.Id).Distinct().Count());
        Assert.Equal(20, claims.Count);
        Assert.Equal(20, claims.Select(c => c.Job.StudyInstanceUid).Distinct().Count());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_next_job_of_a_study_waits_for_the_end_of_the_one_before(string kind)
    {
        using var its = await JobStores.Create(kind);
        var first = await its.AddAndClaim(instances: 1);
        var second = await its.Add(Job());

        Assert.Null(await its.Queue.Claim(true, default));
        await its.Store.RecordFailed(first, Item(0), RefusalCause.Archive, "No.", default);
        await its.Store.Finish(first, default);
        Assert.Equal(second.Id, (await its.Queue.Claim(true, default))!.Job.Id);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_is_taken_over_when_its_lease_ran_out_and_not_before_whatever_the_clocks_of_the_nodes_say(string kind)
    {
        using var its = await JobStores.Create(kind);
        var dead = await its.AddAndClaim(instances: 2);
        using var ahead = its.NewNode(new MovableClock { Ahead = TimeSpan.FromMinutes(10) });
        using var behind = its.NewNode(new MovableClock { Ahead = TimeSpan.FromMinutes(-10) });

        Assert.Null(await ahead.Claim(true, default));
        Assert.Equal(ClaimState.Held, await its.Queue.Renew(dead, default));
        await its.LetLeasesRunOut();
        var taken = (await behind.Claim(true, default))!;
        Assert.Equal((dead.Job.Id, dead.Number + 1), (taken.Job.Id, taken.Number));
        Assert.Null(await ahead.Claim(true, default));

        // The first node was not dead, only slow.
        Assert.Equal(ClaimState.Lost, await its.Queue.Renew(dead, default));
        await Assert.ThrowsAsync<ClaimLostException>(() => its.Store.RecordMasked(dead, [Replaced()], default));
        await Assert.ThrowsAsync<ClaimLostException>(() => its.Store.RecordFailed(dead, Item(0), RefusalCause.Archive, "No.", default));
        await Assert.ThrowsAsync<ClaimLostException>(() => its.Store.CancelWaiting(dead, [], default));
        await Assert.ThrowsAsync<ClaimLostException>(() => its.Store.Finish(dead, default));
        await its.Queue.Release(dead, default);
        Assert.Equal(ClaimState.Held, await behind.Renew(taken, default));
        Assert.Equal(2, (await its.Store.ListWaiting(taken.Job.Id, default)).Count);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_job_given_back_is_free_at_once(string kind)
    {
        using var its = await JobStores.Create(kind);
        var claim = await its.AddAndClaim(instances: 1);
        using var other = its.NewNode();

        Assert.Null(await other.Claim(true, default));
        await its.Queue.Release(claim, default);
        Assert.Equal(claim.Job.Id, (await other.Claim(true, default))!.Job.Id);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task People_come_before_bulk_jobs_and_a_user_with_little_before_one_with_much(string kind)
    {
        using var its = await JobStores.Create(kind);
        await its.Add(Job("bulk", "bob") with { Id = "bulk", Priority = MaskJobPriority.Bulk });
        await its.Add(Job("a1", "ann") with { Id = "a1" }, instances: 10);
        await its.Add(Job("a2", "ann") with { Id = "a2" });
        await its.Add(Job("a3", "ann") with { Id = "a3" });
        await its.Add(Job("c1", "cid") with { Id = "c1" });
        await its.Add(Job("c2", "cid") with { Id = "c2" });

        List<string> order = [];
        while (await its.Queue.Claim(alsoBulk: true, default) is { } claim)
        {
            order.Add(claim.Job.Id);
        }

        // Both begin with their first; then the one of whom more frames are under way waits.
        Assert.Equal(["a1", "c1", "c2", "a2", "a3", "bulk"], order);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_user_who_comes_later_need_not_make_up_for_what_others_had(string kind)
    {
        using var its = await JobStores.Create(kind);
        for (var number = 0; number < 5; number++)
        {
            await its.Add(Job($"a{number}", "ann") with { Id = $"a{number}" });
        }

        await its.Queue.Claim(true, default);
        await its.Queue.Claim(true, default);
        await its.Add(Job("c1", "cid") with { Id = "c1" });
        await its.Add(Job("c2", "cid") with { Id = "c2" });

        List<string> order = [];
        while (await its.Queue.Claim(alsoBulk: true, default) is { } claim)
        {
            order.Add(claim.Job.Id);
        }

        Assert.Equal(["a2", "c1", "a3", "c2", "a4"], order);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Bulk_jobs_are_left_alone_where_there_is_no_room_for_them(string kind)
    {
        using var its = await JobStores.Create(kind);
        await its.Add(Job() with { Priority = MaskJobPriority.Bulk });

        Assert.Null(await its.Queue.Claim(alsoBulk: false, default));
        Assert.NotNull(await its.Queue.Claim(alsoBulk: true, default));
    }

    [Fact]
    public async Task A_second_sidecar_on_the_same_SQLite_folder_is_refused_and_a_restarted_one_finds_its_jobs_free()
    {
        using var its = await JobStores.Create(TestDatabase.Sqlite);
        await its.Queue.Begin(default);
        var claim = await its.AddAndClaim(instances: 1);
        using var second = its.NewNode();

        var refused = await Assert.ThrowsAsync<IOException>(() => second.Begin(default));
        Assert.StartsWith("Another sidecar works on /", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(". With SQLite there is one; several need PostgreSQL (Storage:ConnectionString).", refused.Message, StringComparison.Ordinal);
        its.Queue.Dispose();
        await second.Begin(default);
        Assert.Equal(claim.Job.Id, (await second.Claim(true, default))!.Job.Id);
    }
}
