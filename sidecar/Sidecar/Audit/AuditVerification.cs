using System.Globalization;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>What a walk along the chain found.</summary>
/// <param name="Rows">Rows that hold, from the first on.</param>
/// <param name="LastHash">Hash of the last of them; <see cref="AuditChain.Genesis"/> where there is none.</param>
/// <param name="FirstBadRow">Number of the first row that does not hold; null where all do.</param>
/// <param name="Fault">What is wrong there, for a person.</param>
internal sealed record AuditVerdict(long Rows, string LastHash, long? FirstBadRow, string? Fault)
{
    public bool Holds => Fault is null;
}

/// <summary>Follows the chain row by row. Needs nothing but the rows; knows no image and no patient.</summary>
internal sealed class ChainWalk(IReadOnlyList<Checkpoint> checkpoints)
{
    private readonly ILookup<long, Checkpoint> _checkpoints = checkpoints.ToLookup(c => c.Sequence);
    private readonly long _lastCheckpoint = checkpoints.Select(c => c.Sequence).DefaultIfEmpty().Max();
    private AuditVerdict _verdict = new(0, AuditChain.Genesis, null, null);

    public AuditVerdict Verdict => _verdict;

    /// <summary>Looks at the next row; false from the first bad one on.</summary>
    public bool Take(AuditRow row)
    {
        var expected = _verdict.Rows + 1;
        if (row.Sequence != expected)
        {
            return Fail(expected, row.Sequence > expected ? $"is missing; the next row there is {Number(row.Sequence)}" : $"comes after row {Number(row.Sequence)}, which is out of order");
        }

        if (row.Hash != AuditChain.HashOf(_verdict.LastHash, row))
        {
            return Fail(expected, "was changed, or another row was put in its place: its hash does not fit its content and the row before it");
        }

        if (_checkpoints[expected].FirstOrDefault(c => c.Hash != row.Hash) is { } other)
        {
            return Fail(expected, $"is not the row that the checkpoint of {other.At} saw: it, or a row before it, was rewritten together with all hashes");
        }

        _verdict = new(expected, row.Hash, null, null);
        return true;
    }

    /// <summary>Looks for rows missing at the end: the head of the database, where it is known, and the checkpoints say how long the chain was.</summary>
    public AuditVerdict Finish(AuditHead? head)
    {
        if (!_verdict.Holds)
        {
            return _verdict;
        }

        if (head is not null && (head.Sequence > _verdict.Rows || (head.Sequence == _verdict.Rows && head.Hash != _verdict.LastHash)))
        {
            Fail(_verdict.Rows + 1, $"is missing: the head of the audit is at row {Number(head.Sequence)}");
        }
        else if (_lastCheckpoint > _verdict.Rows)
        {
            Fail(_verdict.Rows + 1, $"is missing: a checkpoint saw row {Number(_lastCheckpoint)}");
        }

        return _verdict;
    }

    private bool Fail(long row, string fault)
    {
        if (_verdict.Holds)
        {
            _verdict = _verdict with { FirstBadRow = row, Fault = $"Row {Number(row)} {fault}." };
        }

        return false;
    }

    private static string Number(long row) => row.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Checks the audit in the database.</summary>
internal sealed class AuditVerification(Database database)
{
    /// <summary>The same, with the checkpoints of a file, signed where a key is given. A file that is missing or holds a line that is no checkpoint fails.</summary>
    public async Task<(AuditVerdict Verdict, IReadOnlyList<Checkpoint> Checkpoints, bool Signed)> VerifyWithCheckpoints(string? checkpointFile, string? keyFile, CancellationToken token)
    {
        if (checkpointFile is null)
        {
            return (await Verify([], token), [], false);
        }

        using var key = keyFile is null ? null : AuditKey.Read(keyFile);
        var (checkpoints, faults) = ReadCheckpoints(checkpointFile, key);
        var verdict = await Verify(checkpoints, token);
        return (verdict.Holds && faults.Count > 0 ? verdict with { Fault = faults[0] } : verdict, checkpoints, key is not null);
    }

    /// <summary>Checkpoints and what is wrong with them; a missing file is wrong, for whoever removes rows may remove it, too.</summary>
    public static (IReadOnlyList<Checkpoint> Checkpoints, IReadOnlyList<string> Faults) ReadCheckpoints(string file, AuditKey? key)
    {
        try
        {
            return CheckpointFile.Read(file, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], [$"The checkpoints in {file} cannot be read: {e.Message}"]);
        }
    }

    /// <summary>Walks from the first row to the head as it is when this is called; rows appended meanwhile are not looked at. Uses constant memory.</summary>
    public Task<AuditVerdict> Verify(IReadOnlyList<Checkpoint> checkpoints, CancellationToken token) =>
        database.Read(
            async connection =>
            {
                var walk = new ChainWalk(checkpoints);
                var head = await connection.QuerySingleOrDefaultAsync<AuditHead>("SELECT sequence, hash FROM audit_head WHERE id = 1");
                if (head is null)
                {
                    var rows = await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM audit_events");
                    return rows > 0 ? new AuditVerdict(0, AuditChain.Genesis, 1, "The head of the audit is missing: no row is chained.") : walk.Finish(null);
                }

                await foreach (var row in connection.QueryUnbufferedAsync<AuditRow>($"SELECT {AuditRow.Columns} FROM audit_events WHERE sequence <= @Sequence ORDER BY sequence", head).WithCancellation(token))
                {
                    if (!walk.Take(row))
                    {
                        return walk.Verdict;
                    }
                }

                // One statement sees one state: no row is ever behind the head.
                var behind = await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM audit_events WHERE sequence > (SELECT sequence FROM audit_head WHERE id = 1)");
                return walk.Finish(head) is { Holds: true } verdict && behind > 0
                    ? verdict with { FirstBadRow = head.Sequence + 1, Fault = "Rows were put behind the head of the audit, by another program than this." }
                    : walk.Verdict;
            },
            token);
}
