using System.Diagnostics;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;
using Sidecar.Worker;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Workers;

/// <summary>Real worker processes that stall, crash, run out of memory and lose their parent.</summary>
public sealed class CodecWorkerPoolTests
{
    private const int SignalKill = 9;
    private const int SignalBadCall = 31;
    private const int SignalContinue = 18;
    private const int SignalStop = 19;
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(60);

    [Fact]
    public void Decode_WhatWasEncoded_ComesBackSampleForSample()
    {
        using var pool = WorkerFrames.Pool();
        var frame = WorkerFrames.Noise(2 * 51 * 33);
        var codestream = pool.Encode(WorkerFrames.Grey(WorkerOperation.EncodeJpeg2000, 51, 33), frame, frame);
        var decoded = new byte[frame.Length];

        pool.Decode(WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, 51, 33), codestream, decoded);

        Assert.Equal(frame, decoded);
    }

    [Fact]
    public void Pool_NothingAsked_StartsNoProcess()
    {
        using var pool = WorkerFrames.Pool();

        Assert.Empty(pool.ProcessIds);
    }

    [Fact]
    public void Pool_ManyThreads_StartsNoMoreWorkersThanItMay()
    {
        using var pool = new CodecWorkerPool(new WorkerOptions { Count = 2 }, new Quarantine());
        var codestream = WorkerFrames.Compressed(pool, 64, 64);

        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 8 },
            _ => pool.Decode(WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, 64, 64), codestream, new byte[2 * 64 * 64]));

        Assert.InRange(pool.ProcessIds.Count, 1, 2);
    }

    [Fact]
    public void Dispose_LeavesNoProcessBehind()
    {
        var pool = WorkerFrames.Pool();
        pool.DescribeLibraries();
        var worker = Assert.Single(pool.ProcessIds);

        pool.Dispose();

        Assert.False(Exists(worker));
    }

    [Fact]
    public void Decode_WorkerStandsStill_IsKilledAtTheDeadlineAndReplaced()
    {
        using var pool = WorkerFrames.Pool(deadline: TimeSpan.FromMilliseconds(200));
        var codestream = WorkerFrames.Compressed(pool, 16, 16);
        var stalled = Assert.Single(pool.ProcessIds);
        Send(stalled, SignalStop);
        var clock = Stopwatch.StartNew();

        var failure = Assert.Throws<DicomFormatException>(() => Decode(pool, codestream, 16, 16));

        Assert.Contains("not done after 0.2 s", failure.Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(20));
        Assert.False(Exists(stalled));
        Decode(pool, codestream, 16, 16);
        Assert.NotEqual(stalled, Assert.Single(pool.ProcessIds));
    }

    [Fact]
    public async Task Decode_WorkerDiesAmidAFrame_CostsThatFrameOnly()
    {
        using var pool = WorkerFrames.Pool();
        var codestream = WorkerFrames.Compressed(pool, 16, 16);

        var failure = await Assert.ThrowsAsync<DicomFormatException>(() => DecodeWhile(pool, codestream, SignalBadCall));

        Assert.Contains("crashed with signal 31", failure.Message, StringComparison.Ordinal);
        Decode(pool, codestream, 16, 16);
    }

    [Fact]
    public async Task Decode_WorkerEndedByAnotherProgramAmidAFrame_IsDoneByAFreshOne()
    {
        using var pool = WorkerFrames.Pool();
        var codestream = WorkerFrames.Compressed(pool, 16, 16);

        await DecodeWhile(pool, codestream, SignalKill);
    }

    /// <summary>Decodes; once the frame is surely in its hands, the worker gets <paramref name="signal"/>.</summary>
    private static async Task DecodeWhile(CodecWorkerPool pool, byte[] codestream, int signal)
    {
        var dying = Assert.Single(pool.ProcessIds);
        Send(dying, SignalStop);
        var decoding = Task.Run(() => Decode(pool, codestream, 16, 16));
        Assert.True(SpinWait.SpinUntil(() => pool.Busy == 1, LongEnough));
        Send(dying, signal);
        if (signal != SignalKill) // which a standing process takes too, and may be gone by now
        {
            Send(dying, SignalContinue);
        }

        await decoding.WaitAsync(LongEnough);
        Assert.False(Exists(dying));
    }

    [Fact]
    public void Decode_WorkerEndedWhileIdle_BlamesNoFrame()
    {
        using var pool = WorkerFrames.Pool();
        var codestream = WorkerFrames.Compressed(pool, 16, 16);
        var ended = Assert.Single(pool.ProcessIds);
        Send(ended, SignalKill);
        Assert.True(SpinWait.SpinUntil(() => !Exists(ended), LongEnough));

        Decode(pool, codestream, 16, 16);
    }

    [Fact]
    public void Decode_FrameThatKilledTwice_IsInQuarantineAndStored()
    {
        var stored = new List<string>();
        var quarantine = new Quarantine(store: (hash, _) => stored.Add(hash));
        using var pool = WorkerFrames.Pool(quarantine, TimeSpan.FromMilliseconds(100));
        var codestream = WorkerFrames.Compressed(pool, 16, 16);
        for (var death = 0; death < 2; death++)
        {
            pool.DescribeLibraries();
            Send(Assert.Single(pool.ProcessIds), SignalStop);
            Assert.Throws<DicomFormatException>(() => Decode(pool, codestream, 16, 16));
        }

        var refusal = Assert.Throws<DicomFormatException>(() => Decode(pool, codestream, 16, 16));

        Assert.Contains("quarantine", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, stored.Count);
        Assert.Single(stored.Distinct());
        using var later = WorkerFrames.Pool(new Quarantine(stored));
        Assert.Contains("quarantine", Assert.Throws<DicomFormatException>(() => Decode(later, codestream, 16, 16)).Message, StringComparison.Ordinal);
        Assert.Empty(later.ProcessIds);
    }

    [Fact]
    public void Quarantine_AfterARestart_HoldsWhatIsOnFile()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var path = Path.Combine(folder.FullName, "quarantine.log");
            byte[] deadly = [1, 2, 3], harmless = [4, 5, 6];
            var before = new QuarantineFile(path, TimeProvider.System);
            var first = new Quarantine(before.ReadHashes(), before.Append);
            first.AddDeath(deadly, "it crashed with signal 11");
            first.AddDeath(deadly, "it was not done after 10 s of work");
            first.AddDeath(harmless, "it was killed");

            var second = new Quarantine(new QuarantineFile(path, TimeProvider.System).ReadHashes());

            Assert.True(second.Holds(deadly));
            Assert.False(second.Holds(harmless));
            Assert.Equal(1, second.Count);
            Assert.Equal(3, File.ReadAllLines(path).Length);
            File.Delete(path);
            Assert.False(new Quarantine(new QuarantineFile(path, TimeProvider.System).ReadHashes()).Holds(deadly));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Decode_WorkersThatCannotRun_RefuseTheFrameAndSayWhy()
    {
        byte[] codestream;
        using (var sound = WorkerFrames.Pool())
        {
            codestream = WorkerFrames.Compressed(sound, 16, 16);
        }
        using var pool = WorkerFrames.Pool(memoryMebibytes: 1);

        var refusal = Assert.Throws<UnsupportedInstanceException>(() => Decode(pool, codestream, 16, 16));

        Assert.Contains("sidecar-worker ended before it was ready", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_FrameTooLargeForTheMemoryLimit_IsRefusedAndTheNextWorks()
    {
        byte[] large, small;
        using (var roomy = WorkerFrames.Pool())
        {
            var black = new byte[2 * 6000 * 6000];
            large = roomy.Encode(WorkerFrames.Grey(WorkerOperation.EncodeJpeg2000, 6000, 6000), black, black);
            small = WorkerFrames.Compressed(roomy, 16, 16);
        }
        using var pool = WorkerFrames.Pool(memoryMebibytes: 128);

        var refusal = Assert.Throws<UnsupportedInstanceException>(() => Decode(pool, large, 6000, 6000));

        Assert.Contains("memory", refusal.Message, StringComparison.OrdinalIgnoreCase);
        Decode(pool, small, 16, 16);
    }

    [Fact]
    public void Decode_OtherSizeThanAsked_IsRefusedByTheWorkerItself()
    {
        using var pool = WorkerFrames.Pool();
        var codestream = WorkerFrames.Compressed(pool, 16, 16);

        Assert.Throws<DicomFormatException>(() => Decode(pool, codestream, 16, 17));

        Decode(pool, codestream, 16, 16);
    }

    [Fact]
    public void Worker_LosesItsParentAmidAFrame_Ends()
    {
        byte[] codestream;
        using (var pool = WorkerFrames.Pool())
        {
            codestream = WorkerFrames.Compressed(pool, 3000, 3000);
        }
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sidecar-worker"), [WorkerProtocol.MemoryLimitOption, "1600000000"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var worker = Process.Start(start)!;
        var request = WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, 3000, 3000);
        request.Magic = WorkerProtocol.Magic;
        request.PayloadBytes = codestream.Length;
        worker.StandardInput.BaseStream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<WorkerRequest>(in request)));
        worker.StandardInput.BaseStream.Write(codestream);
        worker.StandardInput.BaseStream.Flush();

        worker.StandardInput.Close();

        Assert.True(worker.WaitForExit(LongEnough));
        // It ended before it had an answer: only its greeting was written.
        var greeting = new MemoryStream();
        worker.StandardOutput.BaseStream.CopyTo(greeting);
        Assert.InRange(greeting.Length, 0, 200);
    }

    [Fact]
    public void Worker_StartedByAPerson_SaysWhatToUseInstead()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sidecar-worker")) { RedirectStandardError = true };
        using var worker = Process.Start(start)!;
        var message = worker.StandardError.ReadToEnd();

        Assert.True(worker.WaitForExit(LongEnough));
        Assert.Equal(2, worker.ExitCode);
        Assert.Contains("use `sidecar`", message, StringComparison.Ordinal);
    }

    private static void Decode(CodecWorkerPool pool, byte[] codestream, int columns, int rows) =>
        pool.Decode(WorkerFrames.Grey(WorkerOperation.DecodeJpeg2000, columns, rows), codestream, new byte[2 * columns * rows]);

    private static bool Exists(int processId) => Directory.Exists($"/proc/{processId}");

    private static void Send(int processId, int signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{processId}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
