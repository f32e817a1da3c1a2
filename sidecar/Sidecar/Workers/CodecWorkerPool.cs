using System.Text;
using Sidecar.Dicom.Files;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// Worker processes, lent to one frame at a time. None runs before the first frame needs one. A worker that crashes, stalls or runs out of memory
/// costs that frame; the next frame gets a fresh one. One pool serves all threads of a process.
/// </summary>
public sealed class CodecWorkerPool(WorkerOptions options, Quarantine quarantine) : IDisposable
{
    private readonly Quarantine quarantine = quarantine;
    private readonly WorkerPool workers = new(options, WorkerKind.Codecs);

    /// <summary>The processes that live now, for tests and for `sidecar doctor`.</summary>
    public IReadOnlyList<int> ProcessIds => workers.ProcessIds;

    /// <summary>Frames at work now.</summary>
    internal int Busy => workers.Busy;

    /// <summary>Starts a worker if none runs, and names the native libraries it found.</summary>
    /// <exception cref="WorkersUnavailableException">The executable or a library is missing, or of another version.</exception>
    public string DescribeLibraries() => workers.DescribeLibraries();

    /// <summary>Decodes into <paramref name="frame"/>, which must have the size that <paramref name="request"/> says.</summary>
    /// <exception cref="DicomFormatException">The codestream is damaged, or its worker died of it.</exception>
    /// <exception cref="UnsupportedInstanceException">The libraries cannot decode it, or workers cannot run here.</exception>
    internal void Decode(WorkerRequest request, ReadOnlySpan<byte> codestream, Span<byte> frame)
    {
        if (frame.Length != request.FrameBytes)
        {
            throw new ArgumentException("The frame's buffer has another size than the request says.", nameof(frame));
        }
        try
        {
            DecodeOnce(request, codestream, frame, isLast: false);
        }
        catch (WorkerDiedException)
        {
            DecodeOnce(request, codestream, frame, isLast: true);
        }
    }

    /// <summary>Encodes <paramref name="frame"/>, which was decoded from <paramref name="original"/>.</summary>
    /// <exception cref="DicomFormatException">The worker died of it.</exception>
    /// <exception cref="UnsupportedInstanceException">The libraries cannot encode it without loss, or workers cannot run here.</exception>
    internal byte[] Encode(WorkerRequest request, ReadOnlySpan<byte> original, ReadOnlySpan<byte> frame)
    {
        try
        {
            return EncodeOnce(request, original, frame, isLast: false);
        }
        catch (WorkerDiedException)
        {
            return EncodeOnce(request, original, frame, isLast: true);
        }
    }

    /// <summary>Ends all workers. A frame still at work fails.</summary>
    public void Dispose() => workers.Dispose();

    /// <exception cref="WorkerDiedException">It was ended from outside, and this is not the last attempt.</exception>
    private void DecodeOnce(WorkerRequest request, ReadOnlySpan<byte> codestream, Span<byte> frame, bool isLast)
    {
        using var loan = Borrow(request, codestream, isLast);
        loan.Run(request, codestream, frame.Length);
        loan.ReadPayload(frame);
    }

    /// <exception cref="WorkerDiedException">It was ended from outside, and this is not the last attempt.</exception>
    private byte[] EncodeOnce(WorkerRequest request, ReadOnlySpan<byte> original, ReadOnlySpan<byte> frame, bool isLast)
    {
        using var loan = Borrow(request, original, isLast);
        var codestream = GC.AllocateUninitializedArray<byte>(loan.Run(request, frame, null));
        loan.ReadPayload(codestream);
        return codestream;
    }

    private Loan Borrow(in WorkerRequest request, ReadOnlySpan<byte> codestream, bool isLast)
    {
        if (quarantine.Holds(codestream))
        {
            throw new DicomFormatException("A compressed frame of this file is in quarantine, because decoding it ended its codec worker twice.");
        }
        try
        {
            return new Loan(this, workers.Lend(CancellationToken.None), options.DeadlineFor((long)request.Columns * request.Rows * request.Components), codestream, isLast);
        }
        catch (WorkersUnavailableException unavailable)
        {
            // Nothing that waiting would mend, nor the archive's fault: the file is refused, and the reason says what to install.
            throw new UnsupportedInstanceException(unavailable.Message);
        }
    }

    /// <summary>The library's own threads help only while no other frame is at work: whole frames side by side use the processors better.</summary>
    private int FreeThreads() => Math.Max(1, options.ActualCount + 1 - workers.Busy);

    /// <summary>One worker for one frame, under a deadline.</summary>
    private ref struct Loan : IDisposable
    {
        private readonly CodecWorkerPool pool;
        private readonly WorkerProcess worker;
        private readonly ReadOnlySpan<byte> codestream;
        private readonly bool isLast;
        private bool isSound;

        public Loan(CodecWorkerPool pool, WorkerProcess worker, TimeSpan time, ReadOnlySpan<byte> codestream, bool isLast)
        {
            (this.pool, this.worker, this.isLast) = (pool, worker, isLast);
            this.codestream = codestream;
            worker.SetAlarm(time);
        }

        /// <summary>Answers how many bytes of payload wait to be read.</summary>
        public int Run(WorkerRequest request, ReadOnlySpan<byte> payload, int? expectedBytes)
        {
            request.Threads = pool.FreeThreads();
            try
            {
                var reply = worker.Exchange(request, payload);
                if (reply.Status == WorkerStatus.Done)
                {
                    return expectedBytes is null || expectedBytes == reply.PayloadBytes
                        ? reply.PayloadBytes
                        : throw new WorkerDiedException("it answered with another size than the frame's");
                }
                var reason = Encoding.UTF8.GetString(worker.ReadPayload(reply));
                isSound = reply.Status != WorkerStatus.OutOfMemory;
                throw reply.Status == WorkerStatus.Damaged
                    ? new DicomFormatException($"A compressed frame could not be decoded. {reason}")
                    : new UnsupportedInstanceException($"A compressed frame could not be processed. {reason}");
            }
            catch (WorkerDiedException death)
            {
                throw Report(death);
            }
        }

        public void ReadPayload(Span<byte> target)
        {
            try
            {
                worker.ReadPayload(target);
                isSound = true;
            }
            catch (WorkerDiedException death)
            {
                throw Report(death);
            }
        }

        public void Dispose() => pool.workers.GiveBack(worker, isSound);

        private Exception Report(WorkerDiedException death)
        {
            if (pool.workers.IsDisposed)
            {
                return new OperationCanceledException("The program is ending.", death);
            }
            if (death.IsFromOutside && !isLast)
            {
                return death;
            }
            pool.quarantine.AddDeath(codestream, death.Message);
            return new DicomFormatException($"A compressed frame could not be processed: the codec worker was lost, because {death.Message}.");
        }
    }
}
