using System.Diagnostics;
using System.Globalization;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.Storage;

namespace Sidecar.Benchmarks;

/// <summary>What the job queue costs while very many images wait: on SQLite, and on PostgreSQL where it is installed.</summary>
internal static class QueueBenchmark
{
    private const int Rounds = 200;

    public static async Task Run(int items)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        foreach (var itemsOfJob in (int[])[500, 1])
        {
            await Measure("SQLite", "", items, itemsOfJob);
            if (PostgresCluster.Missing is { } missing)
            {
                Console.WriteLine(missing);
            }
            else
            {
                await Measure("PostgreSQL", await PostgresCluster.CreateDatabase(), items, itemsOfJob);
            }
        }
    }

    private static async Task Measure(string name, string connectionString, int items, int itemsOfJob)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-queue-");
        try
        {
            var storage = Options.Create(new StorageOptions { Directory = folder.FullName, ConnectionString = connectionString });
            using var database = new Database(storage, TimeProvider.System);
            using var queue = new MaskJobQueue(database, storage, Options.Create(new MaskJobOptions()), TimeProvider.System);
            var store = new MaskJobStore(database, new AuditLog(TimeProvider.System), TimeProvider.System);
            var reader = new MaskJobReader(database, new MaskJobPace(TimeProvider.System));
            await Fill(database, items / itemsOfJob, itemsOfJob);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}, {items:N0} images waiting in {items / itemsOfJob:N0} jobs"));

            var claims = new List<JobClaim>();
            await Time("claim the next job", async () => claims.Add((await queue.Claim(alsoBulk: true, default))!));
            await Time("claim it and read its images", async () =>
            {
                var claim = (await queue.Claim(alsoBulk: true, default))!;
                claims.Add(claim);
                await store.ListWaiting(claim.Job.Id, default);
            });
            var next = 0;
            await Time("renew a lease", () => queue.Renew(claims[next++], default));
            var number = 0;
            await Time("record an image's outcome", () => store.RecordFailed(claims[number++], new MaskJobItem { Ordinal = 0, OrthancId = "", SeriesInstanceUid = "1", SopInstanceUid = "1", Frames = 1 }, RefusalCause.Damaged, "No.", default));
            await Time("list the 50 jobs of a study", () => reader.ListOfStudy("study0", null, default));
            await Time("read one job", () => reader.ReadView(claims[0].Job.Id, default));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // 50 jobs on the first study, one on each other; 20 users.
    private static Task<int> Fill(Database database, int jobs, int itemsOfJob) => database.Write(
        async t =>
        {
            const string Numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @last)";
            await t.Connection!.ExecuteAsync(
                $"""
                INSERT INTO mask_jobs (id, study_instance_uid, study_orthanc_id, state, scope, priority, source_series_instance_uid, source_sop_instance_uid, regions, left_out,
                                       instances, frames, created_at, created_by_subject, created_by_name, turn_start, turn_end, claims)
                {Numbers}
                SELECT 'job' || CAST(i AS TEXT), 'study' || CAST(CASE WHEN i < 50 THEN 0 ELSE i END AS TEXT), 'orthanc', 'queued', 'series', 'interactive', '1.2', '1.3', '[]', '[]',
                       @itemsOfJob, @itemsOfJob, '2026-11-22T00:00:00.0000000Z', 'user' || CAST(i % 20 AS TEXT), 'User', CAST(i / 20 AS BIGINT) * @itemsOfJob, CAST(i / 20 + 1 AS BIGINT) * @itemsOfJob, 0
                FROM n
                """,
                new { last = (long)jobs - 1, itemsOfJob = (long)itemsOfJob },
                t,
                commandTimeout: 600);
            await t.Connection!.ExecuteAsync(
                $"""
                INSERT INTO mask_job_items (job_id, ordinal, orthanc_id, series_instance_uid, sop_instance_uid, instance_number, frames, state)
                {Numbers}
                SELECT 'job' || CAST(i / @itemsOfJob AS TEXT), i % @itemsOfJob, '0123456789abcdef-0123456789abcdef-' || CAST(i AS TEXT), '1.2.826.0.1.3680043.10.1', '1.2.826.0.1.3680043.10.1.' || CAST(i AS TEXT), 1, 1, 'waiting'
                FROM n
                """,
                new { last = ((long)jobs * itemsOfJob) - 1, itemsOfJob = (long)itemsOfJob },
                t,
                commandTimeout: 600);
            return await t.Connection!.ExecuteAsync("ANALYZE mask_jobs; ANALYZE mask_job_items", transaction: t, commandTimeout: 600);
        },
        default);

    private static async Task Time(string what, Func<Task> act)
    {
        var milliseconds = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            await act();
            milliseconds.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        milliseconds.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-30} median {milliseconds[Rounds / 2],7:F2} ms   95 % {milliseconds[Rounds * 95 / 100],7:F2} ms   worst {milliseconds[^1],7:F2} ms"));
    }
}
