using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class WorkLimitTests
{
    private readonly WorkLimit _limit = new(Options.Create(new OrthancOptions { Connections = 3, BytesInFlight = 100 }));

    [Fact]
    public async Task Places_and_bytes_are_both_bounded_and_served_in_order()
    {
        using var a = await _limit.Enter(60, default);
        using var b = await _limit.Enter(40, default);
        var large = _limit.Enter(50, default);
        var small = _limit.Enter(1, default);
        Assert.False(large.IsCompleted || small.IsCompleted, "a small one must not overtake for ever");

        a.Dispose();
        a.Dispose(); // twice gives back once
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task A_file_larger_than_the_budget_goes_alone()
    {
        using var huge = await _limit.Enter(5000, default);
        var next = _limit.Enter(1, default);
        Assert.False(next.IsCompleted);
        huge.Dispose();
        (await next).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_blocks_nobody()
    {
        var all = await _limit.Enter(100, default);
        using var cancel = new CancellationTokenSource();
        var given = _limit.Enter(100, cancel.Token);
        var next = _limit.Enter(1, default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        all.Dispose();
        (await next).Dispose();
    }
}
