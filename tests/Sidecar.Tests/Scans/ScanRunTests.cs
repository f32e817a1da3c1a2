using Sidecar.Scans;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Scans.ScanStores;

namespace Sidecar.Tests.Scans;

public sealed class ScanRunTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task A_run_is_read_as_it_was_stored_and_stored_once(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var run = await its.AddRun();

        Assert.False(await its.Runs.Create(run with { Query = new ScanQuery() }, default));
        var read = (await its.Runs.Find(run.Id, default))!;
        Assert.Equal(run with { CreatedAt = read.CreatedAt }, read);
        Assert.Equal(["scanRequested"], await its.Texts("SELECT action FROM audit_events ORDER BY sequence"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_run_ends_when_nothing_is_left_and_not_before(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var run = await its.AddRun();
        await its.Runs.ListStudies(run.Id, ["study", "study", "other"], default);
        await its.Runs.ListStudies(run.Id, ["study", "other"], default); // again after a stop
        Assert.Equal(["other", "study"], await its.Runs.NextStudies(run.Id, 10, default));

        await its.Runs.AddWork(run.Id, new("study"), [Work("series")], default);
        await its.Runs.AddWork(run.Id, new("other"), [], default);
        Assert.Equal(0, await its.Runs.FinishDone(default));
        Assert.Equal((0L, 1L, 5L), (await its.Runs.ReadBacklogs([run.Id], default))[run.Id] is var left ? (left.Studies, left.Series, left.Instances) : default);
        await its.Queue.Complete((await its.Queue.Claim([run.Id], default))!, default);
        Assert.Equal(1, await its.Runs.FinishDone(default));
        Assert.Equal(ScanRunState.Finished, (await its.Runs.Find(run.Id, default))!.State);
        Assert.Equal(["scanRequested", "scanFinished"], await its.Texts("SELECT action FROM audit_events ORDER BY sequence"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_person_pauses_resumes_and_cancels_a_run_each_audited_once(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var run = await its.AddRun();
        await its.Add(run.Id, Work("series"));

        foreach (var happened in (ScanRunEvent[])[ScanRunEvent.Pause, ScanRunEvent.Pause, ScanRunEvent.Resume, ScanRunEvent.Cancel])
        {
            Assert.NotNull(await its.Runs.Apply(run.Id, happened, "ada", "Ada", default));
        }

        Assert.Null(await its.Runs.Apply(run.Id, ScanRunEvent.Resume, "ada", "Ada", default));
        Assert.Null(await its.Runs.Apply("none", ScanRunEvent.Pause, "ada", "Ada", default));
        Assert.Null(await its.Runs.Apply(ScanRun.ArrivalsId, ScanRunEvent.Cancel, "ada", "Ada", default));
        Assert.Empty(await its.Texts("SELECT id FROM scan_work"));
        Assert.Equal(["scanRequested", "scanPaused", "scanResumed", "scanCancelled"], await its.Texts("SELECT action FROM audit_events ORDER BY sequence"));
    }

    // The window is 22:00 to 06:30 in Berlin.
    [Theory]
    [InlineData("2026-11-22T21:30:00Z", 5L, ScanRunState.Running, true)]
    [InlineData("2026-11-22T20:30:00Z", 5L, ScanRunState.Running, false)]
    [InlineData("2026-07-22T20:30:00Z", 5L, ScanRunState.Running, true)] // summer time
    [InlineData("2026-11-23T05:29:00Z", 5L, ScanRunState.Running, true)]
    [InlineData("2026-11-23T05:30:00Z", 5L, ScanRunState.Running, false)]
    [InlineData("2026-11-22T21:30:00Z", 0L, ScanRunState.Running, false)]
    [InlineData("2026-11-22T21:30:00Z", null, ScanRunState.Running, true)]
    [InlineData("2026-11-22T21:30:00Z", null, ScanRunState.Paused, false)]
    public void MayWork(string now, long? budget, object state, bool expected) =>
        Assert.Equal(expected, (Run() with { Budget = budget, State = (ScanRunState)state }).MayWork(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData(ScanRunState.Running, ScanRunEvent.Pause, ScanRunState.Paused)]
    [InlineData(ScanRunState.Paused, ScanRunEvent.Resume, ScanRunState.Running)]
    [InlineData(ScanRunState.Paused, ScanRunEvent.Cancel, ScanRunState.Cancelled)]
    [InlineData(ScanRunState.Running, ScanRunEvent.Finish, ScanRunState.Finished)]
    [InlineData(ScanRunState.Paused, ScanRunEvent.Finish, null)]
    [InlineData(ScanRunState.Finished, ScanRunEvent.Resume, null)]
    [InlineData(ScanRunState.Cancelled, ScanRunEvent.Pause, null)]
    public void Next(object state, object happened, object? expected) => Assert.Equal((ScanRunState?)expected, ((ScanRunState)state).Next((ScanRunEvent)happened));

    [Theory]
    [InlineData(null, "20260101", true)]
    [InlineData("2026-01-02", "20260101", false)]
    [InlineData("2026-01-02", "20260102", true)]
    [InlineData("2026-01-02", "2026.01.03", true)]
    [InlineData("2026-01-02", "", false)]
    [InlineData("2026-01-02", null, false)]
    public void TakesStudyOf(string? from, string? date, bool expected) =>
        Assert.Equal(expected, new ScanQuery(DateFrom: from is null ? null : DateOnly.Parse(from, System.Globalization.CultureInfo.InvariantCulture)).TakesStudyOf(date));

    // The ledger's engine and time against today's engine "2" and a run of 08:00.
    [Theory]
    [InlineData(false, false, null, "", true)]
    [InlineData(true, false, null, "", true)]
    [InlineData(false, true, null, "", true)]
    [InlineData(false, false, "1", "07:00", true)]
    [InlineData(false, false, "2", "07:00", true)]
    [InlineData(false, false, "2", "09:00", false)] // done by this run, or by another since
    [InlineData(true, false, "1", "07:00", false)]
    [InlineData(false, true, "1", "07:00", true)]
    [InlineData(false, true, "2", "07:00", false)]
    [InlineData(true, true, "1", "07:00", true)]
    public void TakesImageWith(bool neverScanned, bool olderEngine, string? engine, string at, bool expected)
    {
        var row = engine is null ? null : new LedgerRow { Engine = engine, ScannedAtText = $"2026-11-22T{at}:00.0000000Z" };
        Assert.Equal(expected, new ScanQuery(NeverScanned: neverScanned, OlderEngine: olderEngine).TakesImageWith(row, "2", new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero)));
    }
}
