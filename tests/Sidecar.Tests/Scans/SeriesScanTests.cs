using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Text;
using Sidecar.Orthanc;
using Sidecar.Scans;
using Sidecar.Storage;
using Sidecar.Tests.Storage;
using Xunit;

namespace Sidecar.Tests.Scans;

/// <summary>From a change in the archive to rows of the ledger; only the scanner is a stand-in.</summary>
public sealed class SeriesScanTests
{
    private const string Rows = "SELECT orthanc_id || ' ' || state || ' ' || engine FROM scanned_instances ORDER BY orthanc_id";

    [Theory, OnSqlite, OnPostgres]
    public async Task An_image_is_scanned_once_and_again_only_when_its_file_is_another(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("study", "1", "1", "first");
        its.Archive.Store("study", "1", "2", "second");
        await its.ShowAndScan();
        its.Archive.Store("study", "1", "2", "second"); // sent once more as it was
        await its.ShowAndScan();
        its.Archive.Store("study", "1", "1", "masked by ourselves");
        await its.ShowAndScan();
        await its.ShowAndScan();

        Assert.Equal(["study-1-1", "study-1-2", "study-1-1"], its.Scanner.Scanned);
        Assert.Equal(["study-1-1 scanned fake 1", "study-1-2 scanned fake 1"], await its.Stores.Texts(Rows));
        Assert.Empty(await its.Stores.Texts("SELECT id FROM scan_work"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_bulk_run_scans_what_its_query_wants_and_goes_on_where_it_was(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("study", "1", "1");
        await its.ShowAndScan();
        its.Archive.Store("other", "1", "1");
        its.Archive.Store("other", "2", "1");
        its.Scanner.Version = "fake 2";
        var never = await its.AddRun(new ScanQuery(NeverScanned: true));
        await its.Plan();
        Assert.Equal(2, await its.ScanAll(never.Id));
        var older = await its.AddRun(new ScanQuery(OlderEngine: true));
        await its.Plan();
        Assert.Equal(1, await its.ScanAll(older.Id));
        var all = await its.AddRun(new ScanQuery());
        await its.Plan();
        Assert.Equal(2, await its.ScanAll(all.Id, most: 2)); // then the service stops
        await its.Plan();
        Assert.Equal(1, await its.ScanAll(all.Id));

        Assert.Equal(["study-1-1"], its.Scanner.Scanned.Take(1));
        Assert.Equal(["other-1-1", "other-2-1"], its.Scanner.Scanned.Skip(1).Take(2).Order());
        Assert.Equal(["study-1-1"], its.Scanner.Scanned.Skip(3).Take(1));
        Assert.Equal(["other-1-1", "other-2-1", "study-1-1"], its.Scanner.Scanned.Skip(4).Order());
        await its.Plan();
        Assert.Equal(["scanFinished", "scanFinished", "scanFinished"], await its.Stores.Texts("SELECT action FROM audit_events WHERE action = 'scanFinished'"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task An_image_that_is_not_delivered_is_unscannable_and_the_others_are_scanned(string kind)
    {
        using var its = await Node.Create(kind);
        var broken = its.Archive.Store("study", "1", "1");
        its.Archive.Store("study", "1", "2");
        its.Archive.Broken.Add(broken);
        await its.ShowAndScan();

        Assert.Equal(["study-1-1 unscannable fake 1", "study-1-2 scanned fake 1"], await its.Stores.Texts(Rows));
        Assert.Equal(["archive The image archive does not deliver this image."], await its.Stores.Texts("SELECT cause || ' ' || reason FROM scanned_instances WHERE reason IS NOT NULL"));
    }

    [Theory]
    [InlineData(ScanStatus.Unsupported, UnscannableCause.Unsupported)]
    [InlineData(ScanStatus.Damaged, UnscannableCause.Damaged)]
    [InlineData(ScanStatus.Failed, UnscannableCause.Detector)]
    public void Each_status_of_an_image_that_was_not_scanned_has_its_cause(ScanStatus status, object cause) =>
        Assert.Equal(cause, Unscannable.Of(new InstanceScan { Name = "a", Status = status, Reason = "It is cut off." })!.Cause);

    [Theory, OnSqlite, OnPostgres]
    public async Task A_failed_scan_is_a_row_with_its_reason(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("study", "1", "1");
        its.Scanner.Fault = "The detector failed on it.";
        await its.ShowAndScan();

        Assert.Equal(["unscannable detector The detector failed on it."], await its.Stores.Texts("SELECT state || ' ' || cause || ' ' || reason FROM scanned_instances"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_weaker_way_does_not_replace_what_the_detector_found_of_the_same_file(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("study", "1", "1");
        await its.ShowAndScan();
        (its.Scanner.Version, its.Scanner.IsWeak) = ("weak", true);
        var all = await its.AddRun(new ScanQuery());
        await its.Plan();
        await its.ScanAll(all.Id);
        Assert.Equal(["study-1-1 scanned fake 1"], await its.Stores.Texts(Rows));

        its.Archive.Store("study", "1", "1", "changed");
        await its.ShowAndScan();
        Assert.Equal(["study-1-1 scanned weak"], await its.Stores.Texts(Rows));
        Assert.Equal(["1"], await its.Stores.Texts("SELECT CAST(is_weak AS TEXT) FROM scanned_instances"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Images_that_left_the_archive_leave_the_ledger_and_their_findings_are_gone(string kind)
    {
        using var its = await Node.Create(kind);
        its.Archive.Store("study", "1", "1");
        its.Scanner.Finds = [ScanStores.Finding()];
        await its.ShowAndScan();
        its.Archive.Delete("study");
        await its.Watcher.Forget(new OrthancId("study"), default);

        Assert.Empty(await its.Stores.Texts(Rows));
        Assert.Equal(["gone"], await its.Stores.Texts("SELECT state FROM scan_findings"));
    }

    private sealed class Node : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-scan-");
        private readonly ScanPlanner _planner;
        private readonly SeriesScan _scan;
        private readonly StudyReader _studies;

        private Node(ScanStores stores)
        {
            Stores = stores;
            _studies = new StudyReader(Archive.Client);
            var sorter = new SeriesSorter(Archive.Client);
            var options = Options.Create(new ScanOptions { RetryPause = TimeSpan.FromMilliseconds(10), InstancesAtOnce = 2 });
            Watcher = new ArrivalWatcher(stores.Database, stores.Ledger, stores.Runs, sorter, new ScanSignal(), TimeProvider.System);
            _planner = new ScanPlanner(stores.Runs, stores.Ledger, new DiscoveryStore(stores.Database), Archive.Client, _studies, sorter, new ScanSignal(), Scanner, options, TimeProvider.System, NullLogger<ScanPlanner>.Instance);
            _scan = new SeriesScan(Archive.Client, stores.Ledger, stores.Database, Scanner, options, Options.Create(new StorageOptions { Directory = _folder.FullName }), TimeProvider.System, NullLogger<SeriesScan>.Instance);
        }

        public ScanStores Stores { get; }

        public FakeArchive Archive { get; } = new();

        public FakeScanner Scanner { get; } = new();

        public ArrivalWatcher Watcher { get; }

        public static async Task<Node> Create(string kind) => new(await ScanStores.Create(kind));

        /// <summary>As discovery does it.</summary>
        public async Task ShowAndScan()
        {
            await Watcher.Look(await _studies.ReadContents(await Archive.Client.ReadResource(OrthancLevel.Studies, new OrthancId("study"), default), default), isBacklog: false, default);
            await ScanAll(ScanRun.ArrivalsId);
        }

        public async Task<ScanRun> AddRun(ScanQuery query)
        {
            var run = ScanStores.Run() with { Query = query, IsListed = false, Window = null };
            await Stores.Runs.Create(run, default);
            return run;
        }

        public async Task Plan()
        {
            while (await _planner.Work(default))
            {
            }
        }

        public async Task<int> ScanAll(string id, int most = int.MaxValue)
        {
            var run = (await Stores.Runs.Find(id, default))!;
            using var pause = new ManualResetEventSlim(true);
            var done = 0;
            while (done < most && await Stores.Queue.Claim([id], default) is { } claim)
            {
                await _scan.Run(claim, run, pause, default);
                await Stores.Queue.Complete(claim, default);
                done++;
            }

            return done;
        }

        public void Dispose()
        {
            _planner.Dispose();
            Archive.Dispose();
            Stores.Dispose();
            _folder.Delete(recursive: true);
        }
    }

    /// <summary>Opens what it is given and finds what it is told.</summary>
    private sealed class FakeScanner : ISeriesScanner
    {
        public string Version { get; set; } = "fake 1";

        public string Engine => Version;

        public bool IsWeak { get; set; }

        public string? Fault { get; set; }

        public IReadOnlyList<ScanFinding> Finds { get; set; } = [];

        public List<string> Scanned { get; } = [];

        public IReadOnlyList<InstanceScan> Scan(IReadOnlyList<IScanSource> instances, CancellationToken token) =>
            [.. instances.Select(i =>
            {
                using var stream = i.Open();
                Assert.Equal(0, stream.Position);
                Scanned.Add(i.Name);
                return new InstanceScan { Name = i.Name, Status = Fault is null ? ScanStatus.Scanned : ScanStatus.Failed, Reason = Fault, Frames = 1, Findings = Finds };
            })];
    }
}
