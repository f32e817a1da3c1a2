using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Sidecar.Dicom.Pixels;

/// <summary>Works on several things at once, one a processor.</summary>
internal static class ParallelLoop
{
    /// <summary>Calls <paramref name="work"/> for each index from <paramref name="start"/> to before <paramref name="end"/>, begun in this order.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> said so.</exception>
    /// <exception cref="Exception">The first that a call threw, as it was thrown.</exception>
    public static void Run(int start, int end, Action<int> work, CancellationToken token)
    {
        try
        {
            Parallel.ForEach(
                Partitioner.Create(Enumerable.Range(start, Math.Max(0, end - start)), EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = token },
                work);
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }
}
