using System.Data.Common;
using System.Diagnostics;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sidecar.Audit;
using Sidecar.Storage;
using Sidecar.Tests.Storage;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class AuditChainTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task An_untouched_chain_holds_from_the_first_row_to_the_last(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        Assert.Equal(new AuditVerdict(0, AuditChain.Genesis, null, null), await audit.Verify());

        await audit.AppendMany(5);

        var rows = await audit.Rows();
        Assert.Equal([1, 2, 3, 4, 5], rows.Select(r => r.Sequence));
        Assert.Equal(new AuditVerdict(5, rows[4].Hash!, null, null), await audit.Verify());
    }

    private static readonly (string Tampering, long FirstBadRow, string Fault)[] Deeds =
    [
        ("UPDATE audit_events SET name = 'Eve' WHERE sequence = 3", 3, "was changed"),
        ("UPDATE audit_events SET details = '{\"note\":\"a,b:d\"}' WHERE sequence = 1", 1, "was changed"),
        ("UPDATE audit_events SET at = replace(at, 'T', ' ') WHERE sequence = 5", 5, "was changed"),
        ("UPDATE audit_events SET job_id = '' WHERE sequence = 2", 2, "was changed"),
        ("UPDATE audit_events SET study_instance_uid = NULL, series_instance_uid = '1.2' WHERE sequence = 2", 2, "was changed"),
        ("UPDATE audit_events SET hash = 'x' WHERE sequence = 4", 4, "was changed"),
        ("UPDATE audit_events SET hash = NULL WHERE sequence = 4", 4, "was changed"),
        ("DELETE FROM audit_events WHERE sequence = 1", 1, "is missing; the next row there is 2"),
        ("DELETE FROM audit_events WHERE sequence IN (3, 4)", 3, "is missing; the next row there is 5"),
        ("DELETE FROM audit_events WHERE sequence > 3", 4, "is missing: the head of the audit is at row 5"),
        ("DELETE FROM audit_events", 1, "is missing: the head of the audit is at row 5"),
        ("UPDATE audit_events SET sequence = 9 WHERE sequence = 2; UPDATE audit_events SET sequence = 2 WHERE sequence = 3; UPDATE audit_events SET sequence = 3 WHERE sequence = 9", 2, "was changed"),
        ("DELETE FROM audit_events WHERE sequence = 2; UPDATE audit_events SET sequence = -sequence WHERE sequence > 2; UPDATE audit_events SET sequence = -sequence - 1 WHERE sequence < 0; UPDATE audit_head SET sequence = 4", 2, "was changed"),
        ("DELETE FROM audit_head", 1, "head of the audit is missing"),
        ("INSERT INTO audit_events SELECT sequence + 5, at, action, subject, name, job_id, study_instance_uid, sop_instance_uid, software_version, details, series_instance_uid, hash FROM audit_events WHERE sequence = 1", 6, "put behind the head"),
    ];

    [Theory, OnSqlite, OnPostgres]
    public async Task Whatever_somebody_does_to_the_rows_the_first_bad_one_is_found(string kind)
    {
        foreach (var (tampering, firstBadRow, fault) in Deeds)
        {
            using var audit = await AuditDatabase.Create(kind);
            await audit.AppendMany(5);

            await audit.Tamper(tampering);

            var verdict = await audit.Verify();
            Assert.True(verdict.FirstBadRow == firstBadRow, tampering);
            Assert.Contains(fault, verdict.Fault, StringComparison.Ordinal);
        }
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Rows_removed_at_the_end_together_with_the_head_are_found_by_a_checkpoint_kept_elsewhere(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        await audit.AppendMany(5);
        var rows = await audit.Rows();
        var checkpoint = new Checkpoint(5, rows[4].Hash!, "then");

        await audit.Tamper($"DELETE FROM audit_events WHERE sequence = 5; UPDATE audit_head SET sequence = 4, hash = '{rows[3].Hash}'");

        Assert.True((await audit.Verify()).Holds);
        Assert.Equal("Row 5 is missing: a checkpoint saw row 5.", (await audit.Verify(checkpoint)).Fault);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_chain_rewritten_with_new_hashes_throughout_is_found_by_a_checkpoint_kept_elsewhere(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        await audit.AppendMany(3);
        var checkpoint = new Checkpoint(2, (await audit.Rows())[1].Hash!, "then");
        var hash = AuditChain.Genesis;
        await audit.Tamper("UPDATE audit_events SET subject = 'eve' WHERE sequence = 1");
        foreach (var row in await audit.Rows())
        {
            hash = AuditChain.HashOf(hash, row);
            await audit.Tamper($"UPDATE audit_events SET hash = '{hash}' WHERE sequence = {row.Sequence}; UPDATE audit_head SET hash = '{hash}'");
        }

        Assert.True((await audit.Verify()).Holds);
        Assert.Equal(2, (await audit.Verify(checkpoint)).FirstBadRow);
    }

    private static readonly (string Deed, string[] Kinds)[] Forbidden =
    [
        ("UPDATE audit_events SET name = 'Eve'", [TestDatabase.Sqlite, TestDatabase.Postgres]),
        ("DELETE FROM audit_events WHERE sequence = 2", [TestDatabase.Sqlite, TestDatabase.Postgres]),
        ("DELETE FROM audit_events", [TestDatabase.Sqlite, TestDatabase.Postgres]),
        ("DELETE FROM audit_head", [TestDatabase.Sqlite, TestDatabase.Postgres]),
        ("TRUNCATE audit_events", [TestDatabase.Postgres]),
        ("TRUNCATE audit_head", [TestDatabase.Postgres]),
        ("INSERT INTO audit_events SELECT * FROM audit_events WHERE sequence = 2 ON CONFLICT (sequence) DO UPDATE SET name = 'Eve'", [TestDatabase.Postgres]),
        ("INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE sequence = 2", [TestDatabase.Sqlite]),
        ("UPDATE audit_head SET sequence = 1", [TestDatabase.Sqlite, TestDatabase.Postgres]),
    ];

    [Theory, OnSqlite, OnPostgres]
    public async Task The_database_itself_refuses_to_change_the_past(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        await audit.AppendMany(2);
        foreach (var (deed, _) in Forbidden.Where(f => f.Kinds.Contains(kind)))
        {
            var refused = await Assert.ThrowsAnyAsync<DbException>(() => audit.Execute(deed));
            Assert.Contains("audit", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, (await audit.Verify()).Rows);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Many_writers_at_once_make_one_chain_without_gaps_even_when_some_are_rolled_back(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        var other = audit.OpenAgain();
        await audit.Append("first");

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            try
            {
                await (i % 2 == 0 ? other : audit.Database).Write(
                    async t =>
                    {
                        await audit.Log.Append(t, new AuditEvent($"action{i}", "mia", "Mia"));
                        return i % 5 == 4 ? throw new OperationCanceledException() : 0;
                    },
                    token);
            }
            catch (OperationCanceledException)
            {
                // rolled back, as meant
            }
        });

        var verdict = await audit.Verify();
        Assert.Equal((33L, null), (verdict.Rows, verdict.Fault));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Rows_of_an_earlier_version_are_chained_before_the_next_one_is_appended(string kind)
    {
        var its = await TestDatabase.Create(kind);
        await using (var old = its.Options.UsesPostgres ? (DbConnection)new NpgsqlConnection(its.Options.ConnectionString) : new SqliteConnection($"Data Source={its.Options.DatabaseFile}"))
        {
            await old.OpenAsync();
            await Migrations.Apply(old, TimeProvider.System, default, last: 1);
            await old.ExecuteAsync(
                "INSERT INTO audit_events (sequence, at, action, subject, name, software_version, details) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i, 'then', 'old', 'mia', 'Mia', '0.1.0', '{}' FROM n");
        }

        using var audit = new AuditDatabase(its);
        await audit.Append("new");

        var verdict = await audit.Verify();
        Assert.Equal((2501L, null), (verdict.Rows, verdict.Fault));
        await Assert.ThrowsAnyAsync<DbException>(() => audit.Execute("UPDATE audit_events SET name = 'Eve' WHERE sequence = 1"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_lost_head_is_refused_and_not_made_anew(string kind)
    {
        using var audit = await AuditDatabase.Create(kind);
        await audit.Append("one");
        await audit.Tamper("DELETE FROM audit_head");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => audit.Append("two"));

        Assert.Contains("sidecar audit verify", refused.Message, StringComparison.Ordinal);
        Assert.Single(await audit.Rows());
    }

    // docs/audit.md gives this form to others; a program in another language computes it from the rows alone.
    private const string IndependentVerifier =
        """
        import hashlib, sqlite3, sys
        last = "0" * 64
        rows = sqlite3.connect(sys.argv[1]).execute("select sequence, at, action, subject, name, job_id, study_instance_uid, series_instance_uid,"
            " sop_instance_uid, software_version, details, hash from audit_events order by sequence").fetchall()
        for row in rows:
            fields = ["sidecar-audit-1", last, str(row[0]), *row[1:-1]]
            encoded = b"".join(b"-," if f is None else b"%d:%s," % (len(f.encode()), f.encode()) for f in fields)
            last = hashlib.sha256(encoded).hexdigest()
            assert last == row[-1], row[0]
        print(len(rows), last)
        """;

    [Fact]
    public async Task Another_program_computes_the_same_hashes()
    {
        using var audit = await AuditDatabase.Create();
        await audit.AppendMany(3);
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", IndependentVerifier, audit.File]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var python = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var error = python.StandardError.ReadToEndAsync(limit.Token);
        var output = await python.StandardOutput.ReadToEndAsync(limit.Token);

        Assert.Equal("", await error);
        Assert.Equal("3 " + (await audit.Rows())[2].Hash, output.Trim());
    }
}
