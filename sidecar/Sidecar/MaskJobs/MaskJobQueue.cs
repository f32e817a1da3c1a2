using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Storage;

namespace Sidecar.MaskJobs;

/// <summary>The right of one node to work on a job, until its lease runs out. <paramref name="Number"/> counts the claims of the job: an older one is worth nothing.</summary>
internal sealed record JobClaim(MaskJob Job, string Node, long Number);

internal enum ClaimState
{
    Held,

    /// <summary>Held, and somebody asked to stop.</summary>
    HeldToCancel,

    /// <summary>The lease ran out and the job may be another node's.</summary>
    Lost,
}

/// <summary>Another node has the job now; what this one was about to record, that one finds out by itself.</summary>
internal sealed class ClaimLostException(string job) : Exception($"Job {job} was taken over by another sidecar.");

/// <summary>
/// Who works on which job: claimed in the database, one node a job and one job a study. A lease runs by the database's clock; a node that
/// does not renew it in time has lost the job to whoever asks next.
/// </summary>
internal sealed class MaskJobQueue(Database database, IOptions<StorageOptions> storage, IOptions<MaskJobOptions> options, TimeProvider time) : IDisposable
{
    private const string Next = "SELECT id FROM mask_jobs j WHERE";
    private FileStream? _alone;

    /// <summary>This process, as it signs its claims.</summary>
    public string Node { get; } = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";

    /// <summary>
    /// Once, before the first claim. With SQLite this must be the only sidecar on its folder; then a claim found at the start is that of a
    /// process that is gone, and need not run out first.
    /// </summary>
    /// <exception cref="IOException">Another sidecar works on the same SQLite file.</exception>
    public async Task Begin(CancellationToken token)
    {
        if (storage.Value.UsesPostgres || _alone is not null)
        {
            return;
        }

        PrivateFiles.CreateFolder(storage.Value.Directory);
        FileStream alone;
        try
        {
            alone = PrivateFiles.Create(Path.Combine(storage.Value.Directory, "serving.lock"));
        }
        catch (IOException e)
        {
            throw new IOException($"Another sidecar works on {storage.Value.Directory}. With SQLite there is one; several need PostgreSQL (Storage:ConnectionString).", e);
        }

        try
        {
            await database.Write(t => t.Connection!.ExecuteAsync("UPDATE mask_jobs SET node = NULL, lease_until = NULL WHERE state = 'running' AND node IS NOT NULL", transaction: t), token);
            _alone = alone;
        }
        catch
        {
            await alone.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Takes the next job: first one that its node left behind, then the one whose turn it is among those that people wait for, then a bulk job.
    /// Null where there is none that could be begun now.
    /// </summary>
    public async Task<JobClaim?> Claim(bool alsoBulk, CancellationToken token)
    {
        try
        {
            return await database.Write(t => Claim(t, alsoBulk), token);
        }
        catch (DbException e) when (e.IsConflict())
        {
            return null; // another node was first with a job of the same study
        }
    }

    private async Task<JobClaim?> Claim(DbTransaction t, bool alsoBulk)
    {
        var connection = t.Connection!;
        var (now, skip) = (connection.NowMilliseconds(), connection.SkipLocked());
        const string Waiting = "j.state = 'queued' AND NOT EXISTS (SELECT 1 FROM mask_jobs o WHERE o.study_instance_uid = j.study_instance_uid AND o.state = 'running')";
        const string Order = "ORDER BY j.turn_start, j.created_at, j.id LIMIT 1";
        var id = await connection.ExecuteScalarAsync<string?>($"{Next} j.state = 'running' AND (j.lease_until IS NULL OR j.lease_until < {now}) LIMIT 1 {skip}", transaction: t)
            ?? await connection.ExecuteScalarAsync<string?>($"{Next} j.priority = 'interactive' AND {Waiting} {Order} {skip}", transaction: t)
            ?? (alsoBulk ? await connection.ExecuteScalarAsync<string?>($"{Next} j.priority = 'bulk' AND {Waiting} {Order} {skip}", transaction: t) : null);
        if (id is null)
        {
            return null;
        }

        var row = await connection.QuerySingleAsync<JobRow>(
            $"""
            UPDATE mask_jobs SET state = 'running', node = @Node, lease_until = {now} + @lease, claims = claims + 1, started_at = COALESCE(started_at, @at)
            WHERE id = @id RETURNING {JobRow.Columns}
            """,
            new { id, Node, lease = LeaseMilliseconds, at = Instant.ToText(time.GetUtcNow()) },
            t);
        return new JobClaim(row.ToJob(), Node, row.Claims);
    }

    /// <summary>Lets the lease run anew from now on, and tells whether the job is to be stopped.</summary>
    public Task<ClaimState> Renew(JobClaim claim, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var held = (await t.Connection!.QueryAsync<string?>(
                    $"""
                    UPDATE mask_jobs SET lease_until = {t.Connection!.NowMilliseconds()} + @lease
                    WHERE id = @Id AND node = @Node AND claims = @Number AND state = 'running' RETURNING cancelled_at
                    """,
                    new { claim.Job.Id, claim.Node, claim.Number, lease = LeaseMilliseconds },
                    t)).AsList();
                return held switch
                {
                    [] => ClaimState.Lost,
                    [null] => ClaimState.Held,
                    _ => ClaimState.HeldToCancel,
                };
            },
            token);

    /// <summary>Gives an unfinished job back, so that nobody has to wait for the lease to run out.</summary>
    public Task Release(JobClaim claim, CancellationToken token) =>
        database.Write(
            t => t.Connection!.ExecuteAsync(
                "UPDATE mask_jobs SET node = NULL, lease_until = NULL WHERE id = @Id AND node = @Node AND claims = @Number AND state = 'running'",
                new { claim.Job.Id, claim.Node, claim.Number },
                t),
            token);

    /// <summary>To be the first statement of every transaction that records something of a claimed job.</summary>
    /// <exception cref="ClaimLostException">The claim is not this node's any more.</exception>
    public static async Task EnsureHeld(DbTransaction t, JobClaim claim)
    {
        var held = await t.Connection!.ExecuteScalarAsync<string?>(
            $"SELECT id FROM mask_jobs WHERE id = @Id AND node = @Node AND claims = @Number {t.Connection!.KeepAsIs()}",
            new { claim.Job.Id, claim.Node, claim.Number },
            t);
        if (held is null)
        {
            throw new ClaimLostException(claim.Job.Id);
        }
    }

    private long LeaseMilliseconds => (long)options.Value.Lease.TotalMilliseconds;

    public void Dispose() => _alone?.Dispose();
}
