using System.Data.Common;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>The figures of the dashboard: counts alone, nothing of a patient.</summary>
internal sealed class DashboardReader(Database database, TimeProvider time)
{
    private sealed record StratumRow
    {
        public string Modality { get; init; } = "";

        public string Manufacturer { get; init; } = "";

        public string Model { get; init; } = "";

        public long Reviewed { get; init; }

        public long Missed { get; init; }
    }

    private sealed record NameRow
    {
        public string? Name { get; init; }

        public long Findings { get; init; }

        public long Images { get; init; }
    }

    private sealed record DayRow
    {
        public string Day { get; init; } = "";

        public long Instances { get; init; }

        public long Frames { get; init; }
    }

    private sealed record QueueRow
    {
        public long Waiting { get; init; }

        public long OldestMilliseconds { get; init; }
    }

    /// <param name="days">Findings and throughput are counted over so many days, today (UTC) included.</param>
    /// <param name="token">Ends the reading.</param>
    public Task<Dashboard> Read(int days, CancellationToken token) =>
        database.Read(
            async c =>
            {
                var since = Instant.ToText(new DateTimeOffset(time.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero).AddDays(1 - days));
                return new Dashboard(await ReadMissRate(c), await ReadFindings(c, since), await ReadQueue(c), await ReadThroughput(c, since), await ReviewReader.ReadCounts(c), days);
            },
            token);

    private static async Task<MissRate> ReadMissRate(DbConnection c)
    {
        var strata = (await c.QueryAsync<StratumRow>(
            """
            SELECT modality, manufacturer, model, COUNT(*) AS reviewed, CAST(SUM(has_text) AS BIGINT) AS missed
            FROM samples WHERE answered_at IS NOT NULL GROUP BY modality, manufacturer, model ORDER BY modality, manufacturer, model
            """)).AsList();
        var (reviewed, missed) = (strata.Sum(s => s.Reviewed), strata.Sum(s => s.Missed));
        return new MissRate((int)reviewed, (int)missed, BinomialBound.Upper95(missed, reviewed),
            [.. strata.Select(s => new StratumMissRate(s.Modality, s.Manufacturer, s.Model, (int)s.Reviewed, (int)s.Missed, BinomialBound.Upper95(s.Missed, s.Reviewed)))]);
    }

    private static async Task<FindingCounts> ReadFindings(DbConnection c, string since)
    {
        return new FindingCounts(
            await CountBy("COALESCE(s.modality, '')", "findings DESC, name"),
            await CountBy("COALESCE(s.station, '')", "findings DESC, name"),
            await CountBy("f.kind", "findings DESC, name"),
            await CountBy("SUBSTR(f.found_at, 1, 10)", "name"));

        async Task<IReadOnlyList<FindingCount>> CountBy(string expression, string order) =>
        [
            .. (await c.QueryAsync<NameRow>(
                $"""
                SELECT {expression} AS name, COUNT(*) AS findings, COUNT(DISTINCT f.orthanc_id) AS images
                FROM scan_findings f LEFT JOIN scanned_instances s ON s.orthanc_id = f.orthanc_id
                WHERE f.found_at >= @since AND f.state <> 'gone' AND f.template_id IS NULL GROUP BY {expression} ORDER BY {order} LIMIT 400
                """,
                new { since })).Select(r => new FindingCount(r.Name ?? "", (int)r.Findings, (int)r.Images)),
        ];
    }

    private static async Task<ScanQueue> ReadQueue(DbConnection c)
    {
        var now = c.NowMilliseconds();
        var queue = await c.QuerySingleAsync<QueueRow>(
            $"SELECT CAST(COALESCE(SUM(instances), 0) AS BIGINT) AS waiting, CAST(COALESCE(MAX({now} - not_before), 0) AS BIGINT) AS oldest_milliseconds FROM scan_work");
        return new ScanQueue(queue.Waiting, Math.Max(0, queue.OldestMilliseconds) / 1000.0);
    }

    private static async Task<Throughput> ReadThroughput(DbConnection c, string since) => new(
    [
        .. (await c.QueryAsync<DayRow>(
            "SELECT SUBSTR(scanned_at, 1, 10) AS day, COUNT(*) AS instances, CAST(SUM(frames) AS BIGINT) AS frames FROM scanned_instances WHERE scanned_at >= @since GROUP BY SUBSTR(scanned_at, 1, 10) ORDER BY day",
            new { since })).Select(r => new ThroughputDay(r.Day, (int)r.Instances, r.Frames)),
    ]);
}
