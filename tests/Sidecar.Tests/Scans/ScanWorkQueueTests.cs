using System.Collections.Concurrent;
using Sidecar.Scans;
using Sidecar.Tests.Http;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Scans.ScanStores;

namespace Sidecar.Tests.Scans;

public sealed class ScanWorkQueueTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task The_most_urgent_run_goes_first_and_within_it_the_highest_risk(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var bulk = await its.AddRun();
        var person = await its.AddRun(ScanPriority.Person);
        await its.Add(bulk.Id, Work("bulk"));
        await its.Add(ScanRun.ArrivalsId, Work("low", risk: 1), Work("high", risk: 9), Work("middle", risk: 4));
        await its.Add(person.Id, Work("person"));
        List<string> taken = [];

        var runs = (await its.Runs.ListOpen(default)).Select(r => r.Id).ToList();
        while (await its.Queue.Claim(runs, default) is { } claim)
        {
            taken.Add(claim.Work.SeriesOrthancId);
        }

        Assert.Equal(["person", "high", "middle", "low", "bulk"], taken);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Nodes_that_ask_at_once_get_each_series_once_though_several_runs_want_it(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var bulk = await its.AddRun();
        var works = Enumerable.Range(0, 20).Select(i => Work($"series {i}")).ToArray();
        await its.Add(ScanRun.ArrivalsId, works);
        await its.Add(bulk.Id, works);
        ScanWorkQueue[] nodes = [its.NewNode(), its.NewNode(), its.NewNode(), its.NewNode()];
        var claims = new ConcurrentBag<ScanClaim>();

        await Task.WhenAll(nodes.Select(async node =>
        {
            for (var misses = 0; misses < 25;)
            {
                if (await node.Claim([ScanRun.ArrivalsId, bulk.Id], default) is { } claim)
                {
                    claims.Add(claim);
                }
                else
                {
                    misses++; // or beaten by another node
                }
            }
        }));

        Assert.Equal(20, claims.Count);
        Assert.Equal(20, claims.Select(c => c.Work.SeriesOrthancId).Distinct().Count());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_series_that_changes_while_it_is_scanned_waits_again_and_another_is_done(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        await its.Add(ScanRun.ArrivalsId, Work("series"));

        await its.Queue.Complete(claim, default);
        var again = (await its.Queue.Claim([ScanRun.ArrivalsId], default))!;
        await its.Queue.Complete(again, default);

        Assert.Equal(claim.Work.Id, again.Work.Id);
        Assert.Empty(await its.Texts("SELECT id FROM scan_work"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_series_is_taken_over_when_its_lease_ran_out_whatever_the_clocks_of_the_nodes_say(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var dead = await its.AddAndClaim();
        var ahead = its.NewNode(new MovableClock { Ahead = TimeSpan.FromMinutes(10) });

        Assert.Null(await ahead.Claim([ScanRun.ArrivalsId], default));
        await its.Execute("UPDATE scan_work SET lease_until = 0");
        Assert.Equal((dead.Work.Id, dead.Number + 1), (await ahead.Claim([ScanRun.ArrivalsId], default)) is { } taken ? (taken.Work.Id, taken.Number) : default);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_series_given_back_waits_a_while_and_a_study_being_masked_waits_for_the_job(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        await its.Queue.Release(claim, TimeSpan.FromHours(1), failed: true, default);
        Assert.Null(await its.Queue.Claim([ScanRun.ArrivalsId], default));

        await its.Execute("UPDATE scan_work SET not_before = 0");
        await its.Execute(
            """
            INSERT INTO mask_jobs (id, study_instance_uid, study_orthanc_id, state, scope, priority, source_series_instance_uid, source_sop_instance_uid, regions, left_out, instances, frames, created_at, created_by_subject, created_by_name, turn_start, turn_end, claims)
            VALUES ('job', '1.2', 'study', 'running', 'image', 'interactive', '1', '1', '[]', '[]', 1, 1, '2026-11-22T08:00:00.0000000Z', 'mia', 'Mia', 0, 0, 0)
            """);
        Assert.Null(await its.Queue.Claim([ScanRun.ArrivalsId], default));
        await its.Execute("UPDATE mask_jobs SET state = 'succeeded'");
        Assert.Equal(1, (await its.Queue.Claim([ScanRun.ArrivalsId], default))!.Work.Attempts);
    }
}
