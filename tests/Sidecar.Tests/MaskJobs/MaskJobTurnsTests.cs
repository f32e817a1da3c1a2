using Microsoft.Extensions.Options;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.MaskJobs;

public sealed class MaskJobTurnsTests
{
    private readonly MaskJobTurns _turns = new(Options.Create(new OrthancOptions { Connections = 1 }));

    [Fact]
    public async Task Places_go_to_people_first_and_among_them_to_whom_had_least()
    {
        var first = await _turns.Enter(Of("ann"), 1, default);
        List<string> order = [];
        var bulk = Take("bulk", "bob", MaskJobPriority.Bulk);
        Task[] waiting =
        [
            Take("a1", "ann"), Take("a2", "ann"), Take("a3", "ann"), Take("c1", "cid", frames: 2), Take("c2", "cid"),
        ];

        first.Dispose();
        await Task.WhenAll([.. waiting, bulk]);

        Assert.Equal(["c1", "a1", "a2", "c2", "a3", "bulk"], order);

        async Task Take(string name, string user, MaskJobPriority priority = default, long frames = 1)
        {
            using var place = await _turns.Enter(Of(user) with { Priority = priority }, frames, default);
            order.Add(name);
        }
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_place()
    {
        var first = await _turns.Enter(Of("ann"), 1, default);
        using var leave = new CancellationTokenSource();
        var gone = _turns.Enter(Of("ann"), 1, leave.Token);
        var next = _turns.Enter(Of("cid"), 9, default);
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.False(next.IsCompleted);
        first.Dispose();
        (await next).Dispose();
        (await _turns.Enter(Of("ann"), 1, default)).Dispose();
    }

    private static MaskJob Of(string user) => JobStores.Job(user: user);
}
