using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Sidecar.Integration.LongestFirst", "Sidecar.Integration")]

namespace Sidecar.Integration;

/// <summary>Begins with the classes that take longest, so that at the end no processor waits for one of them.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [nameof(NetworkTests), nameof(CrashTests), nameof(ArchiveFaultTests), nameof(ScanTests), nameof(ClusterTests), nameof(FaultCampaign), nameof(BackupTests)];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Array.FindIndex(Long, name => c.DisplayName.EndsWith("." + name, StringComparison.Ordinal)) is >= 0 and var rank ? rank : Long.Length)
            .ThenBy(c => c.DisplayName, StringComparer.Ordinal);
}
