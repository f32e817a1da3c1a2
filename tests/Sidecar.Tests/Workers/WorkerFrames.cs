using Sidecar.Worker;
using Sidecar.Workers;

namespace Sidecar.Tests.Workers;

/// <summary>Frames to keep workers busy with.</summary>
internal static class WorkerFrames
{
    public static CodecWorkerPool Pool(Quarantine? quarantine = null, TimeSpan? deadline = null, int memoryMebibytes = 1536) => new(
        new WorkerOptions
        {
            Count = 1,
            MemoryLimitMebibytes = memoryMebibytes,
            FrameDeadline = deadline ?? TimeSpan.FromSeconds(30),
            DeadlinePerMillionSamples = deadline is null ? TimeSpan.FromSeconds(10) : TimeSpan.Zero,
        },
        quarantine ?? new Quarantine());

    /// <summary>The request for a grey frame of 16 bits.</summary>
    public static WorkerRequest Grey(WorkerOperation operation, int columns, int rows) =>
        new()
        {
            Operation = operation,
            Columns = columns,
            Rows = rows,
            Components = 1,
            SampleBytes = 2,
            Precision = 16,
            DecompositionLevels = 5,
            CodeBlockWidth = 64,
            CodeBlockHeight = 64,
            Threads = 1,
        };

    public static byte[] Noise(int bytes, int seed = 1)
    {
        var noise = new byte[bytes];
        new Random(seed).NextBytes(noise);
        return noise;
    }

    /// <summary>A frame of noise as JPEG 2000, which takes about a second for each four million samples to decode.</summary>
    public static byte[] Compressed(CodecWorkerPool pool, int columns, int rows)
    {
        var frame = Noise(2 * columns * rows);
        return pool.Encode(Grey(WorkerOperation.EncodeJpeg2000, columns, rows), frame, frame);
    }
}
