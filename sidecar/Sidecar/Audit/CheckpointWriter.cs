using Dapper;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Writes how the chain stands to a file outside the database, at intervals and at the end. Each goes to the log as well.</summary>
internal sealed partial class CheckpointWriter(Database database, IOptions<AuditOptions> options, TimeProvider time, ILogger<CheckpointWriter> logger) : BackgroundService
{
    private readonly Lock _stopping = new();
    private Task? _stopped;
    private long _written;

    /// <summary>Why the last checkpoint could not be written, for a person; null where all is well.</summary>
    public string? Fault { get; private set; }

    /// <summary>Writes a checkpoint now, where a file is set and rows were appended since the last one.</summary>
    /// <returns>The checkpoint; null where there was nothing to write.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The key cannot be used.</exception>
    public async Task<Checkpoint?> Write(CancellationToken token)
    {
        var head = await database.Read(c => c.QuerySingleOrDefaultAsync<AuditHead>("SELECT sequence, hash FROM audit_head WHERE id = 1"), token);
        if (options.Value.CheckpointFile is not { } file || head is null || head.Sequence <= _written)
        {
            return null;
        }

        var checkpoint = new Checkpoint(head.Sequence, head.Hash, Instant.ToText(time.GetUtcNow()));
        if (options.Value.SigningKeyFile is { } keyFile)
        {
            using var key = AuditKey.Read(keyFile);
            checkpoint = checkpoint with { Signature = key.Sign(checkpoint.SignedText) };
        }

        CheckpointFile.Append(file, checkpoint);
        _written = head.Sequence;
        LogCheckpoint(head.Sequence, head.Hash);
        return checkpoint;
    }

    // A host may be told twice to stop; the second waits for the checkpoint of the first.
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_stopping)
        {
            return _stopped ??= Stop(cancellationToken);
        }
    }

    private async Task Stop(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryWrite(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryWrite(stoppingToken);
            await Task.Delay(options.Value.CheckpointInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // A checkpoint that cannot be written does not stop the service: health says so, and the next one covers the same rows.
    private async Task TryWrite(CancellationToken token)
    {
        try
        {
            await Write(token);
            Fault = null;
        }
        catch (Exception e) when (!token.IsCancellationRequested)
        {
            Fault = "The audit's checkpoint cannot be written; sidecar doctor says more.";
            LogNotWritten(e);
        }
        catch (OperationCanceledException)
        {
            // The service stops and had no time left; the rows are safe, only unwitnessed until the next start.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Audit checkpoint: row {Sequence} has the hash {Hash}")]
    private partial void LogCheckpoint(long sequence, string hash);

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit's checkpoint cannot be written")]
    private partial void LogNotWritten(Exception e);
}

/// <summary>A checkpoint that cannot be written, or a syslog server that is away, is told, and the service goes on: the rows themselves are safe.</summary>
internal sealed class AuditHealth(CheckpointWriter checkpoints, SyslogForwarder syslog) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult((checkpoints.Fault ?? syslog.Fault) is { } fault ? HealthCheckResult.Degraded(fault) : HealthCheckResult.Healthy());
}
