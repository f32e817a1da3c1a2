using Dapper;
using Sidecar.Audit;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>Schedules in the database. Every change carries its audit event in the same transaction.</summary>
internal sealed class ScanScheduleStore(Database database, AuditLog audit, TimeProvider time)
{
    public Task<IReadOnlyList<ScanSchedule>> List(CancellationToken token) =>
        database.Read<IReadOnlyList<ScanSchedule>>(async c => [.. await c.QueryAsync<ScanSchedule>($"SELECT {ScanSchedule.Columns} FROM scan_schedules ORDER BY name, id")], token);

    public Task<ScanSchedule?> Find(string id, CancellationToken token) =>
        database.Read(c => c.QuerySingleOrDefaultAsync<ScanSchedule?>($"SELECT {ScanSchedule.Columns} FROM scan_schedules WHERE id = @id", new { id }), token);

    public Task Create(ScanSchedule schedule, string subject, string name, CancellationToken token) =>
        Write(
            schedule,
            """
            INSERT INTO scan_schedules (id, name, cron, time_zone, query, window_start, window_end, max_instances, is_enabled, created_at, created_by_subject, created_by_name)
            VALUES (@Id, @Name, @Cron, @TimeZone, @Query, @WindowStart, @WindowEnd, CAST(@MaxInstances AS BIGINT), @IsEnabled, @at, @subject, @by)
            """,
            "scanScheduleCreated",
            subject,
            name,
            token);

    /// <summary>False where there is no such schedule.</summary>
    public Task<bool> Change(ScanSchedule schedule, string subject, string name, CancellationToken token) =>
        Write(
            schedule,
            """
            UPDATE scan_schedules SET name = @Name, cron = @Cron, time_zone = @TimeZone, query = @Query, window_start = @WindowStart, window_end = @WindowEnd,
                max_instances = CAST(@MaxInstances AS BIGINT), is_enabled = @IsEnabled WHERE id = @Id
            """,
            "scanScheduleChanged",
            subject,
            name,
            token);

    /// <summary>False where there is no such schedule. Runs that it made go on.</summary>
    public Task<bool> Delete(ScanSchedule schedule, string subject, string name, CancellationToken token) =>
        Write(schedule, "DELETE FROM scan_schedules WHERE id = @Id", "scanScheduleDeleted", subject, name, token);

    private Task<bool> Write(ScanSchedule s, string sql, string action, string subject, string by, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var values = new { s.Id, s.Name, s.Cron, s.TimeZone, s.Query, s.WindowStart, s.WindowEnd, s.MaxInstances, s.IsEnabled, at = Instant.ToText(time.GetUtcNow()), subject, by };
                if (await t.Connection!.ExecuteAsync(sql, values, t) == 0)
                {
                    return false;
                }

                await audit.Append(t, new AuditEvent(action, subject, by)
                {
                    Details = new()
                    {
                        ["schedule"] = s.Id,
                        ["name"] = s.Name,
                        ["cron"] = s.Cron,
                        ["timeZone"] = s.TimeZone,
                        ["query"] = ScanQuery.FromJson(s.Query).ToNode(),
                        ["window"] = s.WindowStart is null ? null : $"{s.WindowStart}-{s.WindowEnd}",
                        ["maxInstances"] = s.MaxInstances,
                        ["enabled"] = s.IsEnabled != 0,
                    },
                });
                return true;
            },
            token);
}
