using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

/// <summary>
/// Who scans which series: claimed in the database, one node a series. A lease runs by the database's clock; a node that does not renew it in
/// time has lost the series to whoever asks next. A row lives until its series is done.
/// </summary>
internal sealed class ScanWorkQueue(Database database, IOptions<ScanOptions> options)
{
    private const int RowsAtOnce = 200;

    /// <summary>This process, as it signs its claims.</summary>
    public string Node { get; } = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";

    /// <summary>Queues series of a run. One that waits already stays where it is; one that is being scanned is scanned once more afterwards.</summary>
    public static async Task Add(DbTransaction t, string run, IReadOnlyList<ScanWork> works, TimeProvider time)
    {
        foreach (var chunk in works.Chunk(RowsAtOnce))
        {
            var parameters = new DynamicParameters(new { run });
            for (var i = 0; i < chunk.Length; i++)
            {
                parameters.AddDynamicParams(new Dictionary<string, object?>
                {
                    [$"id{i}"] = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
                    [$"study{i}"] = chunk[i].StudyInstanceUid,
                    [$"studyId{i}"] = chunk[i].StudyOrthancId,
                    [$"series{i}"] = chunk[i].SeriesInstanceUid,
                    [$"seriesId{i}"] = chunk[i].SeriesOrthancId,
                    [$"risk{i}"] = chunk[i].Risk,
                    [$"instances{i}"] = chunk[i].Instances,
                });
            }

            var rows = Enumerable.Range(0, chunk.Length).Select(i => $"(@id{i}, @run, @study{i}, @studyId{i}, @series{i}, @seriesId{i}, @risk{i}, @instances{i}, 'waiting', 0, 0, 0, 0)");
            await t.Connection!.ExecuteAsync(
                $"""
                INSERT INTO scan_work (id, run_id, study_instance_uid, study_orthanc_id, series_instance_uid, series_orthanc_id, risk, instances, state, is_again, not_before, attempts, claims)
                VALUES {string.Join(',', rows)}
                ON CONFLICT (run_id, series_orthanc_id) DO UPDATE SET
                    instances = excluded.instances, risk = excluded.risk, not_before = 0, is_again = CASE WHEN scan_work.state = 'running' THEN 1 ELSE 0 END
                """,
                parameters,
                t);
        }
    }

    /// <summary>
    /// Takes the next series: of the first run that has any, one that its node left behind or the one of the highest risk. Series of studies with a
    /// mask job under way are passed over: their images are about to change. Null where there is nothing to do.
    /// </summary>
    /// <param name="runs">The runs that may work now, the most urgent first.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task<ScanClaim?> Claim(IReadOnlyList<string> runs, CancellationToken token)
    {
        foreach (var run in runs)
        {
            try
            {
                if (await database.Write(t => Claim(t, run), token) is { } claim)
                {
                    return claim;
                }
            }
            catch (DbException e) when (e.IsConflict())
            {
                // Another node was first with this series, for another run.
            }
        }

        return null;
    }

    private async Task<ScanClaim?> Claim(DbTransaction t, string run)
    {
        var connection = t.Connection!;
        var (now, skip) = (connection.NowMilliseconds(), connection.SkipLocked());
        var free =
            $"""
            w.run_id = @run AND w.not_before <= {now}
            AND NOT EXISTS (SELECT 1 FROM scan_work o WHERE o.series_orthanc_id = w.series_orthanc_id AND o.state = 'running' AND o.id <> w.id)
            AND NOT EXISTS (SELECT 1 FROM mask_jobs j WHERE j.study_instance_uid = w.study_instance_uid AND j.state IN ('queued', 'running'))
            """;
        var id = await connection.ExecuteScalarAsync<string?>($"SELECT w.id FROM scan_work w WHERE w.state = 'running' AND w.lease_until < {now} AND {free} LIMIT 1 {skip}", new { run }, t)
            ?? await connection.ExecuteScalarAsync<string?>($"SELECT w.id FROM scan_work w WHERE w.state = 'waiting' AND {free} ORDER BY w.risk DESC, w.id LIMIT 1 {skip}", new { run }, t);
        if (id is null)
        {
            return null;
        }

        var work = await connection.QuerySingleAsync<ScanWork>(
            $"""
            UPDATE scan_work SET state = 'running', is_again = 0, node = @Node, lease_until = {now} + @lease, claims = claims + 1
            WHERE id = @id RETURNING {ScanWork.Columns}
            """,
            new { id, Node, lease = Milliseconds(options.Value.Lease) },
            t);
        return new ScanClaim(work, Node, work.Claims);
    }

    /// <summary>Lets the lease run anew from now on; false where the claim is lost.</summary>
    public Task<bool> Renew(ScanClaim claim, CancellationToken token) =>
        database.Write(
            async t => await t.Connection!.ExecuteAsync(
                $"UPDATE scan_work SET lease_until = {t.Connection!.NowMilliseconds()} + @lease WHERE id = @Id AND node = @Node AND claims = @Number",
                new { claim.Work.Id, claim.Node, claim.Number, lease = Milliseconds(options.Value.Lease) },
                t) > 0,
            token);

    /// <summary>Gives a series back unfinished, to be taken again after a while.</summary>
    /// <param name="claim">Of this node.</param>
    /// <param name="wait">For how long nobody takes it.</param>
    /// <param name="failed">Counts as an attempt that went wrong.</param>
    /// <param name="token">Ends the wait.</param>
    public Task Release(ScanClaim claim, TimeSpan wait, bool failed, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync(
                $"""
                UPDATE scan_work SET state = 'waiting', node = NULL, lease_until = NULL, not_before = {t.Connection!.NowMilliseconds()} + @wait, attempts = attempts + @failed
                WHERE id = @Id AND node = @Node AND claims = @Number
                """,
                new { claim.Work.Id, claim.Node, claim.Number, wait = Milliseconds(wait), failed = failed ? 1L : 0L },
                t),
            token);

    /// <summary>The series is done; where it changed meanwhile, it waits again.</summary>
    public Task Complete(ScanClaim claim, CancellationToken token) =>
        database.Write(
            async t =>
            {
                await EnsureHeld(t, claim);
                return await t.Connection!.ExecuteAsync("DELETE FROM scan_work WHERE id = @Id AND is_again = 0", new { claim.Work.Id }, t)
                    + await t.Connection!.ExecuteAsync("UPDATE scan_work SET state = 'waiting', node = NULL, lease_until = NULL, is_again = 0, attempts = 0 WHERE id = @Id", new { claim.Work.Id }, t);
            },
            token);

    /// <summary>To be the first statement of every transaction that records something of a claimed series.</summary>
    /// <exception cref="ScanClaimLostException">The claim is not this node's any more.</exception>
    public static async Task EnsureHeld(DbTransaction t, ScanClaim claim)
    {
        var held = await t.Connection!.ExecuteScalarAsync<string?>(
            $"SELECT id FROM scan_work WHERE id = @Id AND node = @Node AND claims = @Number {t.Connection!.KeepAsIs()}",
            new { claim.Work.Id, claim.Node, claim.Number },
            t);
        if (held is null)
        {
            throw new ScanClaimLostException(claim.Work.SeriesOrthancId);
        }
    }

    private static long Milliseconds(TimeSpan span) => (long)span.TotalMilliseconds;
}
