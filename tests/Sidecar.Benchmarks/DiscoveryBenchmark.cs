using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Scans;
using Sidecar.Storage;
using Sidecar.Tests.Storage;

namespace Sidecar.Benchmarks;

/// <summary>What it costs to notice very many instances, to remember that they were scanned, and to see that there is nothing new in them; against a stub of Orthanc that answers at once.</summary>
internal static class DiscoveryBenchmark
{
    private const int InstancesOfStudy = 500;

    public static async Task Run(int instances)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        await Measure("SQLite", "", instances / InstancesOfStudy);
        if (PostgresCluster.Missing is { } missing)
        {
            Console.WriteLine(missing);
        }
        else
        {
            await Measure("PostgreSQL", await PostgresCluster.CreateDatabase(), instances / InstancesOfStudy);
        }
    }

    private static async Task Measure(string name, string connectionString, int studies)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-discovery-");
        try
        {
            var time = TimeProvider.System;
            using var database = new Database(Options.Create(new StorageOptions { Directory = folder.FullName, ConnectionString = connectionString }), time);
            using var archive = new StubArchive();
            var orthanc = new OrthancClient(new HttpClient(archive, disposeHandler: false) { BaseAddress = new Uri("http://127.0.0.1:9/") }, TimeProvider.System);
            var (runs, ledger, queue) = (new ScanRunStore(database, new AuditLog(time), time), new ScanLedger(database, time), new ScanWorkQueue(database, Options.Create(new ScanOptions())));
            var watcher = new ArrivalWatcher(database, ledger, runs, new SeriesSorter(orthanc), new ScanSignal(), time);
            using var discovery = new Discovery(
                new DiscoveryStore(database), new ChangeFeed(orthanc), orthanc, new StudyReader(orthanc), [watcher], new DiscoverySignal(), Options.Create(new DiscoveryOptions()), time, NullLogger<Discovery>.Instance);
            await Work(discovery); // the archive is empty
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}, {studies * InstancesOfStudy:N0} instances in {studies:N0} studies"));

            archive.Studies = studies;
            await Time("notice and queue them", studies, () => Work(discovery));
            await Time("claim and record them", studies, async () =>
            {
                while (await queue.Claim([ScanRun.ArrivalsId], default) is { } claim)
                {
                    var images = Enumerable.Range(0, InstancesOfStudy).Select(i => new ScannedImage
                    {
                        OrthancId = $"{claim.Work.StudyOrthancId}.{i}",
                        SopInstanceUid = $"1.2.3.{i}",
                        Md5 = "d41d8cd98f00b204e9800998ecf8427e",
                        Uuid = StubArchive.UuidOf(claim.Work.StudyOrthancId, i),
                        InstanceNumber = i,
                        Header = new ImageHeader(512, 512, "CT", "Manufacturer", "Model", "CT1", "MONOCHROME2", "1.2.840.10008.5.1.4.1.1.2"),
                        Frames = 1,
                    }).ToList();
                    await ledger.Record(claim, "engine", isWeak: false, images, default);
                    await queue.Complete(claim, default);
                }
            });
            archive.Rounds = 2;
            await Time("see that nothing is new", studies, () => Work(discovery));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task Work(Discovery discovery)
    {
        while (await discovery.Work(default))
        {
        }
    }

    private static async Task Time(string what, int studies, Func<Task> act)
    {
        using var process = Process.GetCurrentProcess();
        var (begun, cpu) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        await act();
        process.Refresh();
        var instances = (double)studies * InstancesOfStudy;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {what,-26} {Stopwatch.GetElapsedTime(begun).TotalMilliseconds / instances,7:F4} ms an instance   ({(process.TotalProcessorTime - cpu).TotalMilliseconds / instances:F4} ms of processor time here)"));
    }

    /// <summary>Studies of one series; each is told instance by instance and then comes to rest. A further round tells all of it again.</summary>
    private sealed class StubArchive : HttpMessageHandler
    {
        private const int RowsOfStudy = InstancesOfStudy + 1;

        public int Studies { get; set; }

        public int Rounds { get; set; } = 1;

        private long Last => (long)Studies * RowsOfStudy * Rounds;

        public static string UuidOf(string study, int instance) => $"{study}-{instance}-uuid";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
        {
            RequestMessage = request,
            Content = new StringContent(Answer(request.RequestUri!), Encoding.UTF8, "application/json"),
        });

        private string Answer(Uri address) => address.AbsolutePath.Trim('/').Split('/') switch
        {
            ["changes"] => Changes(System.Web.HttpUtility.ParseQueryString(address.Query)["since"] is { } since ? long.Parse(since, CultureInfo.InvariantCulture) : Math.Max(0, Last - 1)),
            ["studies"] => "[]", // the reconciliation finds none; the changes tell of all
            ["studies", var id] => $$$"""{"ID":"{{{id}}}","IsStable":true,"LastUpdate":"20261122T000000","MainDicomTags":{"StudyInstanceUID":"1.2.{{{id[1..]}}}"}}""",
            ["studies", var id, "series"] => $$$"""[{"ID":"series-{{{id}}}","MainDicomTags":{"SeriesInstanceUID":"1.2.3.{{{id[1..]}}}","Modality":"CT"}}]""",
            ["studies", var id, "instances"] => $"[{string.Join(',', Enumerable.Range(0, InstancesOfStudy).Select(i => $$$"""{"ID":"{{{id}}}.{{{i}}}","ParentSeries":"series-{{{id}}}","FileUuid":"{{{UuidOf(id, i)}}}","FileSize":525000,"MainDicomTags":{"SOPInstanceUID":"1.2.3.{{{i}}}","InstanceNumber":"{{{i}}}"}}"""))}]",
            _ => """{"Modality":"CT","Manufacturer":"Manufacturer"}""",
        };

        private string Changes(long since)
        {
            var rows = new StringBuilder();
            var sequence = since;
            while (sequence < Last && sequence < since + 1000)
            {
                var (study, row) = Math.DivRem(sequence++ % ((long)Studies * RowsOfStudy), RowsOfStudy);
                rows.Append(rows.Length > 0 ? "," : "").Append(row == InstancesOfStudy
                    ? $$"""{"Seq":{{sequence}},"ChangeType":"StableStudy","ID":"s{{study}}","Date":"20261122T000000"}"""
                    : $$"""{"Seq":{{sequence}},"ChangeType":"NewInstance","ID":"s{{study}}.{{row}}","Date":"20261122T000000"}""");
            }

            return string.Create(CultureInfo.InvariantCulture, $$"""{"Changes":[{{rows}}],"Done":{{(sequence == Last ? "true" : "false")}},"Last":{{(rows.Length > 0 ? sequence : Last)}}}""");
        }
    }
}
