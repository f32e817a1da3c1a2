using System.Runtime.CompilerServices;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Reads rows for people. Each reading is itself written down, before anything is handed out.</summary>
internal sealed class AuditReader(Database database, AuditLog audit)
{
    private const int RowsAtOnce = 1000;

    /// <summary>Rows with numbers below <paramref name="before"/>, newest first.</summary>
    public Task<IReadOnlyList<AuditRow>> ReadPage(AuditFilter filter, long? before, int limit, string subject, string name, CancellationToken token) =>
        database.Write<IReadOnlyList<AuditRow>>(
            async t =>
            {
                var rows = (await t.Connection!.QueryAsync<AuditRow>(
                    $"SELECT {AuditRow.Columns} FROM audit_events WHERE sequence < @last AND {filter.Where} ORDER BY sequence DESC LIMIT @limit",
                    filter.Parameters(last: before ?? long.MaxValue, limit: limit),
                    t)).AsList();
                var details = filter.ToDetails();
                details["rows"] = rows.Count;
                await audit.Append(t, new AuditEvent("auditRead", subject, name) { Details = details });
                return rows;
            },
            token);

    /// <summary>All rows that are there now, oldest first, in bounded memory.</summary>
    public async IAsyncEnumerable<AuditRow> ReadAll(AuditFilter filter, string format, string subject, string name, [EnumeratorCancellation] CancellationToken token)
    {
        var details = filter.ToDetails();
        details["format"] = format;
        var last = await database.Write(
            async t =>
            {
                var newest = await t.Connection!.ExecuteScalarAsync<long>("SELECT COALESCE(MAX(sequence), 0) FROM audit_events", transaction: t);
                await audit.Append(t, new AuditEvent("auditExported", subject, name) { Details = details });
                return newest;
            },
            token);
        for (var first = 0L; first < last;)
        {
            var rows = await database.Read(
                async c => (await c.QueryAsync<AuditRow>(
                    $"SELECT {AuditRow.Columns} FROM audit_events WHERE sequence > @first AND sequence <= @last AND {filter.Where} ORDER BY sequence LIMIT @limit",
                    filter.Parameters(first, last, RowsAtOnce))).AsList(),
                token);
            foreach (var row in rows)
            {
                yield return row;
            }

            first = rows.Count == RowsAtOnce ? rows[^1].Sequence : last;
        }
    }
}
