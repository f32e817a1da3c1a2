using Sidecar.Tests.Dicom;
using Sidecar.Tests.Storage;
using Sidecar.Tests.Workers;
using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Sidecar.Tests.LongestFirst", "Sidecar.Tests")]
// Some wait: for PostgreSQL, for child processes.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]

namespace Sidecar.Tests;

/// <summary>Begins with the single tests that take longest and with those that wait, so that at the end no processor waits for one of them.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [nameof(ConformanceTests), nameof(CodecWorkerPoolTests), nameof(AttackTests), nameof(SeriesScannerWithDetectorTests), nameof(TextWorkerPoolTests), nameof(UpgradeTests)];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Array.FindIndex(Long, name => c.DisplayName.EndsWith("." + name, StringComparison.Ordinal)) is >= 0 and var rank ? rank : Long.Length)
            .ThenBy(c => c.DisplayName, StringComparer.Ordinal);
}
