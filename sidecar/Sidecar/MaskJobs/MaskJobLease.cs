using Microsoft.Extensions.Options;

namespace Sidecar.MaskJobs;

/// <summary>
/// Keeps a claimed job claimed while this node works on it. <see cref="Token"/> is cancelled a while before the lease could run out
/// unrenewed, measured by a clock that nobody sets: a node that was cut off stops before another begins.
/// </summary>
internal sealed partial class MaskJobLease : IAsyncDisposable
{
    private readonly MaskJobQueue _queue;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lease;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _valid;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;

    public MaskJobLease(JobClaim claim, MaskJobQueue queue, IOptions<MaskJobOptions> options, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        (Claim, _queue, _time, _lease, _logger) = (claim, queue, time, options.Value.Lease, logger);
        CancelRequested = claim.Job.CancelledAt is not null;
        _valid = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _valid.CancelAfter(_lease * 0.8); // the claim was made a moment ago
        Token = _valid.Token;
        _renewing = Task.Run(Renew, CancellationToken.None);
    }

    public JobClaim Claim { get; }

    /// <summary>Work on the job ends with it.</summary>
    public CancellationToken Token { get; }

    /// <summary>No further instance is to be started.</summary>
    public bool CancelRequested { get; private set; }

    /// <summary>The request came to this very node, which need not ask the database for it.</summary>
    public void RequestCancel() => CancelRequested = true;

    private async Task Renew()
    {
        while (!_ended.IsCancellationRequested && !Token.IsCancellationRequested)
        {
            await Task.Delay(_lease / 10, _time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ended.IsCancellationRequested)
            {
                return;
            }

            try
            {
                var asked = _time.GetTimestamp();
                var state = await _queue.Renew(Claim, Token);
                if (state == ClaimState.Lost)
                {
                    LogLost(_logger, Claim.Job.Id);
                    await _valid.CancelAsync();
                    return;
                }

                _valid.CancelAfter(TimeSpan.FromTicks(Math.Max(1, (_lease * 0.8 - _time.GetElapsedTime(asked)).Ticks)));
                CancelRequested |= state == ClaimState.HeldToCancel;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotRenewed(_logger, e, Claim.Job.Id); // the database is away; tried again until the lease is nearly over
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _renewing;
        _ended.Dispose();
        _valid.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mask job {Job} was taken over by another sidecar; this one stops with it")]
    private static partial void LogLost(ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of mask job {Job} could not be renewed")]
    private static partial void LogNotRenewed(ILogger logger, Exception e, string job);
}
