using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Sidecar.Scans;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>The findings of a study, grouped, as people see them.</summary>
internal sealed class FindingReader(Database database)
{
    private sealed record ScanRow
    {
        public long Images { get; init; }

        /// <summary>Images that were masked after they were scanned. Orthanc tells of the new ones only a while later.</summary>
        public long Overtaken { get; init; }

        public long IsWeak { get; init; }

        public string? ScannedAt { get; init; }

        public string? Engine { get; init; }
    }

    public Task<StudyFindings> Read(string study, CancellationToken token) => database.Read(connection => Read(connection, null, study), token);

    public static async Task<StudyFindings> Read(DbConnection connection, DbTransaction? t, string study)
    {
        var clusters = await ReadClusters(connection, t, study);
        var unscannable = await ReadUnscannable(connection, t, study);
        var state = await connection.ExecuteScalarAsync<string?>("SELECT state FROM reviews WHERE study_instance_uid = @study", new { study }, t);
        return new StudyFindings(
            study,
            state is null ? ReviewState.New : Enum.Parse<ReviewState>(state, ignoreCase: true),
            await ReadScan(connection, t, study),
            [.. unscannable.Select(u => new UnscannableImage(u.OrthancId, u.SeriesInstanceUid, u.SopInstanceUid, u.Reason ?? "The image could not be scanned.", u.AcknowledgedAt is not null, (int?)u.InstanceNumber, u.Cause is null ? null : Enum.Parse<UnscannableCause>(u.Cause, ignoreCase: true)))],
            await ReadMissed(connection, t, study),
            [.. clusters.All.Select(c => c.View)],
            clusters.ToFindings(),
            await TemplateStore.FindProposals(connection, t, study),
            VersionOf(clusters, unscannable));
    }

    public static async Task<FindingClusters> ReadClusters(DbConnection connection, DbTransaction? t, string study)
    {
        var findings = await connection.QueryAsync<FindingRow>(FindingRow.Select, new { study }, t);
        var images = (await connection.QueryAsync<LayoutRow>(
            "SELECT manufacturer, model, station, rows, columns, photometric, sop_class, COUNT(*) AS images FROM scanned_instances WHERE study_instance_uid = @study GROUP BY manufacturer, model, station, rows, columns, photometric, sop_class",
            new { study },
            t))
            .GroupBy(l => l.Layout).ToDictionary(g => g.Key, g => (int)g.Sum(l => l.Images)); // an absent value and an empty one are the same
        return FindingClusters.Of(findings, images);
    }

    public static async Task<IReadOnlyList<UnscannableRow>> ReadUnscannable(DbConnection connection, DbTransaction? t, string study) =>
    [
        .. await connection.QueryAsync<UnscannableRow>(
            """
            SELECT s.orthanc_id, s.series_instance_uid, s.sop_instance_uid, s.instance_number, s.md5, s.reason, s.cause, a.at AS acknowledged_at
            FROM scanned_instances s LEFT JOIN acknowledged_images a ON a.orthanc_id = s.orthanc_id AND a.md5 = s.md5
            WHERE s.study_instance_uid = @study AND s.state = 'unscannable' ORDER BY s.series_instance_uid, s.instance_number, s.sop_instance_uid
            """,
            new { study },
            t),
    ];

    private static async Task<IReadOnlyList<MissedImage>> ReadMissed(DbConnection connection, DbTransaction? t, string study) =>
    [
        .. (await connection.QueryAsync<MissedRow>(
            $"""
            SELECT s.series_instance_uid, s.sop_instance_uid, s.instance_number, p.id, p.asked_subject, p.asked_name {ReviewRefresh.FromMissed}
            ORDER BY s.series_instance_uid, s.instance_number, s.sop_instance_uid
            """,
            new { study },
            t)).Select(s => new MissedImage(s.SeriesInstanceUid, s.SopInstanceUid, s.AskedName, s.AskedSubject, s.Id, (int?)s.InstanceNumber)),
    ];

    /// <summary>Another one when a finding came, went, or was decided otherwise.</summary>
    public static string VersionOf(FindingClusters clusters, IReadOnlyList<UnscannableRow> unscannable)
    {
        var text = new StringBuilder();
        foreach (var finding in clusters.All.SelectMany(c => c.Members).OrderBy(f => f.Id, StringComparer.Ordinal))
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{finding.Id} {finding.State} {finding.DecidedAt}\n");
        }

        foreach (var image in unscannable)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{image.OrthancId} {image.Md5} {image.AcknowledgedAt}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
    }

    private static async Task<StudyScan> ReadScan(DbConnection connection, DbTransaction? t, string study)
    {
        var scan = await connection.QuerySingleAsync<ScanRow>(
            """
            SELECT COUNT(*) AS images, COALESCE(MAX(is_weak), 0) AS is_weak, MAX(scanned_at) AS scanned_at,
                   (SELECT engine FROM scanned_instances l WHERE l.study_instance_uid = @study ORDER BY scanned_at DESC LIMIT 1) AS engine,
                   (SELECT COUNT(*) FROM scanned_instances l JOIN masked_instances m ON m.orthanc_id = l.orthanc_id
                    WHERE l.study_instance_uid = @study AND m.md5 <> l.md5 AND m.masked_at >= l.scanned_at) AS overtaken
            FROM scanned_instances WHERE study_instance_uid = @study
            """,
            new { study },
            t);
        var work = await connection.ExecuteScalarAsync<string?>("SELECT MIN(state) FROM scan_work WHERE study_instance_uid = @study", new { study }, t); // 'running' before 'waiting'
        var state = work switch
        {
            "running" => StudyScanState.Scanning,
            null when scan.Images == 0 => StudyScanState.NotScanned,
            null => scan.Overtaken == 0 ? StudyScanState.Scanned : StudyScanState.Waiting,
            _ => StudyScanState.Waiting,
        };
        return new StudyScan(state, scan.IsWeak != 0, (int)scan.Images, scan.Engine, scan.ScannedAt is null ? null : Instant.FromText(scan.ScannedAt));
    }
}
