using System.Diagnostics;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Codecs;
using Sidecar.Worker;
using Sidecar.Workers;
using Xunit;
using Xunit.Abstractions;

namespace Sidecar.Tests.Workers;

/// <summary>
/// Damaged JPEG 2000 codestreams: each is decoded or refused with a reason, in time, and the pool lives on. The campaign of damaged
/// files (tests/oracle/mutation_campaign.py) tries thousands.
/// </summary>
public sealed class CodestreamFuzzTests(ITestOutputHelper output)
{
    private const int Columns = 240;
    private const int Rows = 200;

    private const int Count = 60;

    [Fact]
    public void Decode_DamagedCodestream_IsRefusedInTime()
    {
        var deadline = TimeSpan.FromMilliseconds(500);
        using var pool = new CodecWorkerPool(new WorkerOptions { FrameDeadline = deadline, DeadlinePerMillionSamples = TimeSpan.Zero, MemoryLimitMebibytes = 512 }, new Quarantine());
        using var sound = WorkerFrames.Pool();
        var original = WorkerFrames.Compressed(sound, Columns, Rows);
        var (decoded, refused, lost, longest) = (0, 0, 0, TimeSpan.Zero);
        var gate = new Lock();
        Parallel.For(0, Count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            var damaged = Damage(original, new Random(seed));
            var clock = Stopwatch.StartNew();
            string? reason = null;
            try
            {
                // As the codecs do: the header is looked at before a worker is.
                _ = Jpeg2000Header.Read(damaged);
                pool.Decode(WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, Columns, Rows), damaged, new byte[2 * Columns * Rows]);
            }
            catch (Exception refusal) when (refusal is DicomFormatException or UnsupportedInstanceException)
            {
                reason = refusal.Message;
            }
            lock (gate)
            {
                decoded += reason is null ? 1 : 0;
                refused += reason is null ? 0 : 1;
                lost += reason?.Contains("was lost", StringComparison.Ordinal) == true ? 1 : 0;
                longest = clock.Elapsed > longest ? clock.Elapsed : longest;
            }
        });

        output.WriteLine($"{decoded} decoded, {refused} refused, of these {lost} at the cost of a worker; longest {longest.TotalSeconds:0.00} s.");
        Assert.Equal(Count, decoded + refused);
        // Four times the deadline where the machine is busy, and the start of a fresh worker.
        Assert.InRange(longest, TimeSpan.Zero, (4 * deadline) + TimeSpan.FromSeconds(15));
        pool.Decode(WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, Columns, Rows), original, new byte[2 * Columns * Rows]);
    }

    private static byte[] Damage(byte[] original, Random random)
    {
        var damaged = original.ToArray();
        var changes = 1 + random.Next(8);
        for (var i = 0; i < changes; i++)
        {
            // Half of the damage goes where it does most: into the headers.
            var at = random.Next(2) == 0 ? random.Next(Math.Min(200, damaged.Length)) : random.Next(damaged.Length);
            damaged[at] = (byte)random.Next(256);
        }
        return random.Next(4) == 0 ? damaged[..random.Next(4, damaged.Length)] : damaged;
    }
}
