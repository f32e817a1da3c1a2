using System.Data.Common;

namespace Sidecar.Scans;

/// <summary>Keeps a claimed series claimed while this node scans it. <see cref="Token"/> is cancelled when the claim is lost, or could be.</summary>
internal sealed class ScanLease : IAsyncDisposable
{
    private readonly CancellationTokenSource _valid;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;

    public ScanLease(ScanClaim claim, ScanWorkQueue queue, TimeSpan lease, TimeProvider time, CancellationToken stopping)
    {
        _valid = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Token = _valid.Token;
        _renewing = Task.Run(() => Renew(claim, queue, lease, time), CancellationToken.None);
    }

    public CancellationToken Token { get; }

    private async Task Renew(ScanClaim claim, ScanWorkQueue queue, TimeSpan lease, TimeProvider time)
    {
        var renewed = time.GetTimestamp();
        while (!Token.IsCancellationRequested)
        {
            await Task.Delay(lease / 10, time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ended.IsCancellationRequested)
            {
                return;
            }

            try
            {
                var asked = time.GetTimestamp();
                if (!await queue.Renew(claim, Token))
                {
                    await _valid.CancelAsync();
                    return;
                }

                renewed = asked;
            }
            catch (Exception e) when (e is DbException or IOException or InvalidOperationException or TimeoutException or OperationCanceledException)
            {
                if (time.GetElapsedTime(renewed) > lease * 0.8)
                {
                    await _valid.CancelAsync(); // the database is away for so long that another node may have it
                    return;
                }
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
}
