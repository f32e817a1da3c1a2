using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Sidecar.Integration.LongestFirst", "Sidecar.Integration")]
// Most of the time they wait: for programs to start, for time to pass, for each other.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]

namespace Sidecar.Integration;

/// <summary>Begins with the classes that take longest, so that at the end no processor waits for one of them.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [nameof(CrashTests), nameof(NetworkTests), nameof(UndoTests), nameof(ScanTests), nameof(ArchiveFaultTests), nameof(BackupTests), nameof(ClusterTests), nameof(FaultCampaign)];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Array.FindIndex(Long, name => c.DisplayName.EndsWith("." + name, StringComparison.Ordinal)) is >= 0 and var rank ? rank : Long.Length)
            .ThenBy(c => c.DisplayName, StringComparer.Ordinal);
}
