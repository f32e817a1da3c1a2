using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Sidecar.Tests.Storage;
using Xunit;

namespace Sidecar.Tests.Scans;

public sealed class DiscoveryTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task What_was_there_before_is_shown_as_backlog_and_what_comes_in_as_new_each_once(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("old", "1", "1");
        await its.WorkAll();
        its.Archive.Store("new", "1", "1");
        await its.WorkAll();
        await its.WorkAll();

        Assert.Equal(["old backlog", "new"], its.Watcher.Shown);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_that_changes_again_is_shown_again_and_one_in_motion_when_it_has_come_to_rest(string kind)
    {
        using var its = await Node.Create(kind);
        await its.WorkAll();
        its.Archive.Store("one", "1", "1");
        await its.WorkAll();
        its.Archive.Store("one", "1", "2", isStable: false);
        its.Archive.Change("StableStudy", "one"); // an earlier rest
        await its.WorkAll();
        Assert.Equal(["one"], its.Watcher.Shown);
        its.Archive.Store("one", "1", "3");
        await its.WorkAll();

        Assert.Equal(["one", "one"], its.Watcher.Shown);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_whose_rest_was_never_told_is_found_by_the_next_start(string kind)
    {
        using var its = await Node.Create(kind);
        await its.WorkAll();
        its.Archive.Store("silent", "1", "1", isStable: false);
        await its.WorkAll();
        its.Archive.SettleSilently("silent");
        its.Archive.ForgetChanges();
        await its.WorkAll();
        Assert.Empty(its.Watcher.Shown);

        its.Restart();
        await its.WorkAll();
        Assert.Equal(["silent"], its.Watcher.Shown);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_new_database_of_Orthanc_is_noticed_before_and_after_it_has_outgrown_the_cursor(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("a", "1", "1");
        its.Archive.Store("b", "1", "1");
        await its.WorkAll();
        its.Archive.Reset();
        its.Archive.Store("c", "1", "1");
        await its.WorkAll();
        Assert.Equal(["a backlog", "b backlog", "c backlog"], its.Watcher.Shown);

        its.Archive.Reset();
        for (var i = 0; i < 5; i++)
        {
            its.Archive.Store("d", "1", $"{i}"); // 10 rows: the cursor stood at 2
        }

        await its.WorkAll();
        Assert.Equal("d backlog", its.Watcher.Shown[^1]);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_deleted_study_is_forgotten_by_the_reconciliation(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("a", "1", "1");
        its.Archive.Store("b", "1", "1");
        await its.WorkAll();
        its.Archive.Delete("a");
        its.Restart();
        await its.WorkAll();

        Assert.Equal(["a"], its.Watcher.Forgotten);
        Assert.Equal(2, its.Watcher.Shown.Count);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Emptying_the_list_of_changes_is_no_new_database(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("a", "1", "1");
        await its.WorkAll();
        its.Archive.ForgetChanges();
        await its.WorkAll();
        its.Archive.Store("b", "1", "1");
        await its.WorkAll();

        Assert.Equal(["a backlog", "b"], its.Watcher.Shown);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_that_cannot_be_judged_yet_is_shown_later_and_others_do_not_wait_for_it(string kind)
    {
        using var its = await Node.Create(kind);
        await its.WorkAll();
        its.Watcher.NotYet = "busy";
        its.Archive.Store("busy", "1", "1");
        its.Archive.Store("free", "1", "1");
        await its.WorkAll();
        Assert.Equal(["busy", "free"], its.Watcher.Shown.Order());

        its.Watcher.NotYet = null;
        await its.WorkAll();
        Assert.Equal(2, its.Watcher.Shown.Count);
        await its.LetTimePass();
        await its.WorkAll();
        await its.LetTimePass();
        await its.WorkAll();
        Assert.Equal(3, its.Watcher.Shown.Count);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task One_node_looks_and_another_takes_over_where_it_was(string kind)
    {
        using var its = await Node.Create(kind);
        await its.WorkAll();
        its.Archive.Store("a", "1", "1");
        var other = its.NewNode();

        Assert.False(await other.Work(default));
        Assert.Empty(its.Watcher.Shown);
        await its.Store.GiveUpTurn(default);
        while (await other.Work(default))
        {
        }

        Assert.Equal(["a"], its.Watcher.Shown);
    }

    private sealed class Node : IDisposable
    {
        private readonly TestDatabase _its;
        private Discovery _discovery;

        private Node(TestDatabase its)
        {
            _its = its;
            Store = new DiscoveryStore(its.Open());
            _discovery = Create(Store);
        }

        public FakeArchive Archive { get; } = new();

        public Watcher Watcher { get; } = new();

        public DiscoveryStore Store { get; }

        public static async Task<Node> Create(string kind) => new(await TestDatabase.Create(kind));

        public async Task WorkAll()
        {
            while (await _discovery.Work(default))
            {
            }
        }

        public void Restart() => _discovery = Create(Store);

        public Discovery NewNode() => Create(new DiscoveryStore(_its.Open()));

        public Task<int> LetTimePass() => _its.Open().Write(t => Dapper.SqlMapper.ExecuteAsync(t.Connection!, "UPDATE changed_studies SET not_before = 0", transaction: t), default);

        public void Dispose()
        {
            _discovery.Dispose();
            Archive.Dispose();
            _its.Dispose();
        }

        private Discovery Create(DiscoveryStore store) => new(
            store,
            new ChangeFeed(Archive.Client),
            Archive.Client,
            new StudyReader(Archive.Client),
            [Watcher],
            new DiscoverySignal(),
            Options.Create(new DiscoveryOptions()),
            TimeProvider.System,
            NullLogger<Discovery>.Instance);
    }

    private sealed class Watcher : IStudyWatcher
    {
        public List<string> Shown { get; } = [];

        public List<string> Forgotten { get; } = [];

        public string? NotYet { get; set; }

        public Task<bool> Look(StudyContents study, bool isBacklog, CancellationToken token)
        {
            Shown.Add(study.Id + (isBacklog ? " backlog" : ""));
            return Task.FromResult(study.Id.Value != NotYet);
        }

        public Task Forget(OrthancId study, CancellationToken token)
        {
            Forgotten.Add(study.Value);
            return Task.CompletedTask;
        }
    }
}
