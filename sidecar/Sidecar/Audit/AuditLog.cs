using System.Data.Common;
using System.Reflection;
using System.Text.Json;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Appends to the audit table, inside the transaction of the thing it tells.</summary>
internal sealed class AuditLog(TimeProvider time)
{
    private const int RowsAtOnce = 1000;
    private static readonly string Software = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>
    /// Appends one row. The database decides the order: whoever appends holds a lock until the transaction ends, and a
    /// transaction that is rolled back gives its number back. Call it last in a transaction, so that others wait shortly.
    /// </summary>
    /// <exception cref="InvalidOperationException">The head of the chain is missing.</exception>
    public Task Append(DbTransaction transaction, AuditEvent happened) => Append(transaction, [happened]);

    /// <summary>As <see cref="Append(DbTransaction, AuditEvent)"/>, several rows in their order.</summary>
    public async Task Append(DbTransaction transaction, IReadOnlyList<AuditEvent> happened)
    {
        if (happened.Count == 0)
        {
            return;
        }

        await transaction.Lock("audit"); // before any of its tables is touched: on PostgreSQL, making the triggers would meet others in a deadlock
        var head = await Advance(transaction);
        if (head is null)
        {
            await Begin(transaction);
            head = await Advance(transaction) ?? throw new InvalidOperationException("The audit's head could not be made.");
        }

        var rows = new List<AuditRow>(happened.Count);
        var hash = head.Hash;
        foreach (var one in happened)
        {
            var row = RowOf(one, head.Sequence + rows.Count);
            hash = AuditChain.HashOf(hash, row);
            rows.Add(row with { Hash = hash });
        }

        await transaction.Connection!.ExecuteAsync(
            $"""
            UPDATE audit_head SET sequence = @Sequence, hash = @Hash WHERE id = 1;
            INSERT INTO audit_events ({AuditRow.Columns})
            VALUES (@Sequence, @At, @Action, @Subject, @Name, @JobId, @StudyInstanceUid, @SeriesInstanceUid, @SopInstanceUid, @SoftwareVersion, @Details, @Hash)
            """,
            rows,
            transaction);
    }

    private AuditRow RowOf(AuditEvent happened, long sequence) => new()
    {
        Sequence = sequence,
        At = Instant.ToText(time.GetUtcNow()),
        Action = happened.Action,
        Subject = happened.Subject,
        Name = happened.Name,
        JobId = happened.JobId,
        StudyInstanceUid = happened.StudyInstanceUid,
        SeriesInstanceUid = happened.SeriesInstanceUid,
        SopInstanceUid = happened.SopInstanceUid,
        SoftwareVersion = Software,
        Details = happened.Details.ToJsonString(JsonSerializerOptions.Web),
    };

    /// <summary>Appends a row that tells of nothing else in the database, in a transaction of its own.</summary>
    public Task AppendAlone(Database database, AuditEvent happened, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await Append(t, happened);
                return 0;
            },
            token);

    // Takes the next number. The hash is still that of the row before it.
    private static Task<AuditHead?> Advance(DbTransaction transaction) =>
        transaction.Connection!.QuerySingleOrDefaultAsync<AuditHead>("UPDATE audit_head SET sequence = sequence + 1 WHERE id = 1 RETURNING sequence, hash", transaction: transaction);

    /// <summary>Makes the head, once for each database: chains the rows written by version 1 and sets up the triggers that protect them.</summary>
    private static async Task Begin(DbTransaction transaction)
    {
        var connection = transaction.Connection!;
        if (await connection.ExecuteAsync("INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, @Genesis) ON CONFLICT (id) DO NOTHING", new { AuditChain.Genesis }, transaction) == 0)
        {
            return; // another service did it while this one waited
        }

        if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM audit_events WHERE hash IS NOT NULL", transaction: transaction) > 0)
        {
            throw new InvalidOperationException("The audit has rows but its head is missing: somebody changed the database. Run sidecar audit verify, and restore a backup.");
        }

        var head = new AuditHead { Sequence = 0, Hash = AuditChain.Genesis };
        while (true)
        {
            var rows = (await connection.QueryAsync<AuditRow>(
                $"SELECT {AuditRow.Columns} FROM audit_events WHERE sequence > @Sequence ORDER BY sequence LIMIT {RowsAtOnce}", head, transaction)).AsList();
            if (rows.Count == 0)
            {
                break;
            }

            foreach (var row in rows)
            {
                head = new AuditHead { Sequence = row.Sequence, Hash = AuditChain.HashOf(head.Hash, row) };
                await connection.ExecuteAsync("UPDATE audit_events SET hash = @Hash WHERE sequence = @Sequence", head, transaction);
            }
        }

        await connection.ExecuteAsync("UPDATE audit_head SET sequence = @Sequence, hash = @Hash WHERE id = 1", head, transaction);
        await connection.ExecuteAsync(AuditProtection.SqlFor(connection), transaction: transaction);
    }
}

/// <summary>The last row's number and hash.</summary>
internal sealed record AuditHead
{
    public required long Sequence { get; init; }

    public required string Hash { get; init; }
}
