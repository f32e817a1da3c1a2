using System.Collections.Concurrent;

namespace Sidecar.MaskJobs;

/// <summary>The jobs that this node works on, so that a request to stop reaches them at once and not with the next renewal.</summary>
internal sealed class MaskJobsAtWork
{
    private readonly ConcurrentDictionary<string, MaskJobLease> _leases = new();

    public void Add(MaskJobLease lease) => _leases[lease.Claim.Job.Id] = lease;

    public void Remove(MaskJobLease lease) => _leases.TryRemove(KeyValuePair.Create(lease.Claim.Job.Id, lease));

    public void RequestCancel(string job)
    {
        if (_leases.TryGetValue(job, out var lease))
        {
            lease.RequestCancel();
        }
    }
}
