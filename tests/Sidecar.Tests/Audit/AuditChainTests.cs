using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Sidecar.Audit;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class AuditChainTests : IDisposable
{
    private readonly AuditDatabase _audit = new();

    public void Dispose() => _audit.Dispose();

    [Fact]
    public async Task An_untouched_chain_holds_from_the_first_row_to_the_last()
    {
        Assert.Equal(new AuditVerdict(0, AuditChain.Genesis, null, null), await _audit.Verify());

        await _audit.AppendMany(5);

        var rows = await _audit.Rows();
        Assert.Equal([1, 2, 3, 4, 5], rows.Select(r => r.Sequence));
        Assert.Equal(new AuditVerdict(5, rows[4].Hash!, null, null), await _audit.Verify());
    }

    [Theory]
    [InlineData("UPDATE audit_events SET name = 'Eve' WHERE sequence = 3", 3, "was changed")]
    [InlineData("UPDATE audit_events SET details = '{\"note\":\"a,b:d\"}' WHERE sequence = 1", 1, "was changed")]
    [InlineData("UPDATE audit_events SET at = replace(at, 'T', ' ') WHERE sequence = 5", 5, "was changed")]
    [InlineData("UPDATE audit_events SET job_id = '' WHERE sequence = 2", 2, "was changed")]
    [InlineData("UPDATE audit_events SET study_instance_uid = NULL, series_instance_uid = '1.2' WHERE sequence = 2", 2, "was changed")]
    [InlineData("UPDATE audit_events SET hash = 'x' WHERE sequence = 4", 4, "was changed")]
    [InlineData("UPDATE audit_events SET hash = NULL WHERE sequence = 4", 4, "was changed")]
    [InlineData("DELETE FROM audit_events WHERE sequence = 1", 1, "is missing; the next row there is 2")]
    [InlineData("DELETE FROM audit_events WHERE sequence IN (3, 4)", 3, "is missing; the next row there is 5")]
    [InlineData("DELETE FROM audit_events WHERE sequence > 3", 4, "is missing: the head of the audit is at row 5")]
    [InlineData("DELETE FROM audit_events", 1, "is missing: the head of the audit is at row 5")]
    [InlineData("UPDATE audit_events SET sequence = 9 WHERE sequence = 2; UPDATE audit_events SET sequence = 2 WHERE sequence = 3; UPDATE audit_events SET sequence = 3 WHERE sequence = 9", 2, "was changed")]
    [InlineData("DELETE FROM audit_events WHERE sequence = 2; UPDATE audit_events SET sequence = sequence - 1 WHERE sequence > 2; UPDATE audit_head SET sequence = 4", 2, "was changed")]
    [InlineData("DELETE FROM audit_head", 1, "head of the audit is missing")]
    [InlineData("INSERT INTO audit_events SELECT sequence + 5, at, action, subject, name, job_id, study_instance_uid, sop_instance_uid, software_version, details, series_instance_uid, hash FROM audit_events WHERE sequence = 1", 6, "put behind the head")]
    public async Task Whatever_somebody_does_to_the_rows_the_first_bad_one_is_found(string tampering, long firstBadRow, string fault)
    {
        await _audit.AppendMany(5);

        await _audit.Tamper(tampering);

        var verdict = await _audit.Verify();
        Assert.Equal(firstBadRow, verdict.FirstBadRow);
        Assert.Contains(fault, verdict.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_removed_at_the_end_together_with_the_head_are_found_by_a_checkpoint_kept_elsewhere()
    {
        await _audit.AppendMany(5);
        var rows = await _audit.Rows();
        var checkpoint = new Checkpoint(5, rows[4].Hash!, "then");

        await _audit.Tamper($"DELETE FROM audit_events WHERE sequence = 5; UPDATE audit_head SET sequence = 4, hash = '{rows[3].Hash}'");

        Assert.True((await _audit.Verify()).Holds);
        Assert.Equal("Row 5 is missing: a checkpoint saw row 5.", (await _audit.Verify(checkpoint)).Fault);
    }

    [Fact]
    public async Task A_chain_rewritten_with_new_hashes_throughout_is_found_by_a_checkpoint_kept_elsewhere()
    {
        await _audit.AppendMany(3);
        var checkpoint = new Checkpoint(2, (await _audit.Rows())[1].Hash!, "then");
        var hash = AuditChain.Genesis;
        await _audit.Tamper("UPDATE audit_events SET subject = 'eve' WHERE sequence = 1");
        foreach (var row in await _audit.Rows())
        {
            hash = AuditChain.HashOf(hash, row);
            await _audit.Tamper($"UPDATE audit_events SET hash = '{hash}' WHERE sequence = {row.Sequence}; UPDATE audit_head SET hash = '{hash}'");
        }

        Assert.True((await _audit.Verify()).Holds);
        Assert.Equal(2, (await _audit.Verify(checkpoint)).FirstBadRow);
    }

    [Theory]
    [InlineData("UPDATE audit_events SET name = 'Eve'", "audit rows are never changed")]
    [InlineData("DELETE FROM audit_events WHERE sequence = 2", "audit rows are never deleted")]
    [InlineData("DELETE FROM audit_events", "audit rows are never deleted")]
    [InlineData("INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE sequence = 2", "audit rows are only appended")]
    [InlineData("DELETE FROM audit_head", "the head of the audit is never deleted")]
    [InlineData("UPDATE audit_head SET sequence = 1", "the head of the audit never goes back")]
    public async Task The_database_itself_refuses_to_change_the_past(string sql, string reason)
    {
        await _audit.AppendMany(2);

        var refused = await Assert.ThrowsAsync<SqliteException>(() => _audit.Execute(sql));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await _audit.Verify()).Rows);
    }

    [Fact]
    public async Task Many_writers_at_once_make_one_chain_without_gaps_even_when_some_are_rolled_back()
    {
        using var other = new Sidecar.Storage.Database(Microsoft.Extensions.Options.Options.Create(new Sidecar.Storage.StorageOptions { Directory = _audit.Folder }), TimeProvider.System);
        await _audit.Append("first");

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            try
            {
                await (i % 2 == 0 ? other : _audit.Database).Write(
                    async t =>
                    {
                        await _audit.Log.Append(t, new AuditEvent($"action{i}", "mia", "Mia"));
                        return i % 5 == 4 ? throw new OperationCanceledException() : 0;
                    },
                    token);
            }
            catch (OperationCanceledException)
            {
                // rolled back, as meant
            }
        });

        var verdict = await _audit.Verify();
        Assert.Equal((33L, null), (verdict.Rows, verdict.Fault));
    }

    [Fact]
    public async Task Rows_of_an_earlier_version_are_chained_before_the_next_one_is_appended()
    {
        await _audit.MakeOfSchema1(rows: 2500);

        await _audit.Append("new");

        var verdict = await _audit.Verify();
        Assert.Equal((2501L, null), (verdict.Rows, verdict.Fault));
        await Assert.ThrowsAsync<SqliteException>(() => _audit.Execute("UPDATE audit_events SET name = 'Eve' WHERE sequence = 1"));
    }

    [Fact]
    public async Task A_lost_head_is_refused_and_not_made_anew()
    {
        await _audit.Append("one");
        await _audit.Tamper("DELETE FROM audit_head");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _audit.Append("two"));

        Assert.Contains("sidecar audit verify", refused.Message, StringComparison.Ordinal);
        Assert.Single(await _audit.Rows());
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
        await _audit.AppendMany(3);
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", IndependentVerifier, _audit.File]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var python = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var error = python.StandardError.ReadToEndAsync(limit.Token);
        var output = await python.StandardOutput.ReadToEndAsync(limit.Token);

        Assert.Equal("", await error);
        Assert.Equal("3 " + (await _audit.Rows())[2].Hash, output.Trim());
    }
}
