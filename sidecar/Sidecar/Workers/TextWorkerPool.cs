using System.Runtime.InteropServices;
using System.Text;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>
/// Worker processes that find and read text. Each request has a deadline; one that ends its worker is tried once more by a fresh one, because a worker
/// may be ended from outside, and then given up. One pool serves all threads of a process.
/// </summary>
/// <param name="options">Limits, as of codec workers.</param>
/// <param name="models">The detector; null where it is not installed.</param>
/// <param name="reading">The languages to read; English where not given.</param>
public sealed class TextWorkerPool(WorkerOptions options, TextModelFiles? models, TextModelOptions? reading = null) : ITextDetector, ITextReader, IDisposable
{
    private readonly WorkerPool workers = new(options, WorkerKind.Text(models, reading ?? new TextModelOptions()));

    /// <summary>Whether there is a detector; without one <see cref="Detect"/> fails.</summary>
    public bool HasDetector => models is not null;

    /// <summary>The processes that live now, for tests and for `sidecar doctor`.</summary>
    public IReadOnlyList<int> ProcessIds => workers.ProcessIds;

    /// <summary>Starts a worker if none runs, and names the libraries and models it found.</summary>
    /// <exception cref="WorkersUnavailableException">The executable or a library is missing, or of another version.</exception>
    public string DescribeLibraries() => workers.DescribeLibraries();

    public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token)
    {
        var request = new WorkerRequest
        {
            Operation = WorkerOperation.DetectText,
            Columns = image.Width,
            Rows = image.Height,
            Components = 1,
            SampleBytes = 1,
        };
        var boxes = MemoryMarshal.Cast<byte, WorkerTextBox>(Ask(request, image.Pixels, token).AsSpan());
        var found = new List<TextBox>(boxes.Length);
        foreach (var box in boxes)
        {
            found.Add(new TextBox(new Region(box.X, box.Y, box.Width, box.Height), box.Confidence));
        }
        return found;
    }

    public TextReading Read(GreyImage line, CancellationToken token)
    {
        var request = new WorkerRequest
        {
            Operation = WorkerOperation.ReadText,
            Columns = line.Width,
            Rows = line.Height,
            Components = 1,
            SampleBytes = 1,
        };
        var answer = Ask(request, line.Pixels, token);
        return new TextReading(Encoding.UTF8.GetString(answer.AsSpan(sizeof(float))), BitConverter.ToSingle(answer));
    }

    /// <summary>Ends all workers. A request still at work fails.</summary>
    public void Dispose() => workers.Dispose();

    /// <summary>Does one piece of work, twice at most. Also the way to any other operation of text workers.</summary>
    /// <exception cref="ScanFailedException">It cannot be done, or its worker died of it twice.</exception>
    private byte[] Ask(WorkerRequest request, byte[] payload, CancellationToken token)
    {
        try
        {
            return AskOnce(request, payload, token);
        }
        catch (WorkerDiedException) when (!workers.IsDisposed)
        {
            try
            {
                return AskOnce(request, payload, token);
            }
            catch (WorkerDiedException again) when (!workers.IsDisposed)
            {
                throw new ScanFailedException($"The search for text lost its worker twice, because {again.Message}.", again);
            }
        }
        catch (WorkersUnavailableException unavailable)
        {
            throw new ScanFailedException(unavailable.Message, unavailable);
        }
    }

    private byte[] AskOnce(WorkerRequest request, byte[] payload, CancellationToken token)
    {
        var worker = workers.Lend(token);
        var isSound = false;
        try
        {
            worker.SetAlarm(options.DeadlineFor(payload.Length));
            var reply = worker.Exchange(request, payload);
            var answer = worker.ReadPayload(reply);
            isSound = reply.Status != WorkerStatus.OutOfMemory;
            return reply.Status == WorkerStatus.Done ? answer : throw new ScanFailedException($"The search for text failed. {Encoding.UTF8.GetString(answer)}");
        }
        catch (WorkerDiedException death) when (workers.IsDisposed)
        {
            throw new OperationCanceledException("The program is ending.", death);
        }
        finally
        {
            workers.GiveBack(worker, isSound);
        }
    }
}
