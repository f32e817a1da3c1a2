using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Sidecar.Worker;

// Runs native libraries for the sidecar, which starts it, kills it at a deadline and starts another: codecs, or with --text the finding and reading of
// text. Not for people to call.
if (args is not [WorkerProtocol.MemoryLimitOption, var limit, .. [] or [WorkerProtocol.TextOption, _, _, _]]
    || !long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var memoryBytes))
{
    Console.Error.WriteLine("sidecar-worker is started by the sidecar; use `sidecar` instead.");
    return 2;
}

using var input = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(0, false), FileAccess.Read, 0);
using var output = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(1, false), FileAccess.Write, 0);
TextWork? text = null;
try
{
    ProcessLimits.ExitWithSidecar();
    ProcessLimits.EnlargePipes();
    ProcessLimits.Apply(memoryBytes);
    text = args is [.., WorkerProtocol.TextOption, var models, var languageDirectory, var languages] ? new TextWork(models, languageDirectory, languages) : null;
    var libraries = text?.Libraries ?? Jpeg2000Codec.CheckLibrary();
    ProcessLimits.SilenceStandardError();
    Reply(WorkerStatus.Done, Encoding.UTF8.GetBytes(libraries));
}
catch (Exception exception) when (exception is WorkerException or DllNotFoundException or EntryPointNotFoundException)
{
    // Said to the sidecar, which tells it to a person: a missing library is an installation to mend, not a crash.
    Reply(WorkerStatus.Unsupported, Encoding.UTF8.GetBytes(exception is WorkerException ? exception.Message
        : "libopenjp2-7 is not installed, or of another version than this software was built for."));
    return 1;
}

using var received = new NativeBuffer();
using var answer = new NativeBuffer();
while (true)
{
    var request = default(WorkerRequest);
    input.ReadExactly(MemoryMarshal.AsBytes(new Span<WorkerRequest>(ref request)));
    if (request.Magic != WorkerProtocol.Magic || request.PayloadBytes < 0)
    {
        return 3;
    }
    try
    {
        input.ReadExactly(received.Resize(request.PayloadBytes));
        if (text is not null)
        {
            text.Do(request, received, answer);
        }
        else
        {
            Work(request);
        }
        Reply(WorkerStatus.Done, answer.Span);
    }
    catch (Exception exception) when (exception is OutOfMemoryException or WorkerException { Status: WorkerStatus.OutOfMemory })
    {
        // What is left of the request is not read, and freed memory may stay scattered: a fresh worker takes over.
        Reply(WorkerStatus.OutOfMemory, Encoding.UTF8.GetBytes(WorkerException.OutOfMemory().Message));
        return 4;
    }
    catch (WorkerException exception)
    {
        Reply(exception.Status, Encoding.UTF8.GetBytes(exception.Message));
    }
}

void Work(in WorkerRequest request)
{
    if (request.Operation == WorkerOperation.EncodeJpeg2000 && received.Length != request.FrameBytes)
    {
        throw new WorkerException(WorkerStatus.Unsupported, "The frame to encode has another length than its size asks for.");
    }
    switch (request.Operation)
    {
        case WorkerOperation.DecodeJpeg2000:
            Jpeg2000Codec.Decode(request, received, answer);
            break;
        case WorkerOperation.EncodeJpeg2000:
            Jpeg2000Codec.Encode(request, received, answer);
            break;
        default:
            throw new WorkerException(WorkerStatus.Unsupported, "The worker does not know this request.");
    }
}

void Reply(WorkerStatus status, ReadOnlySpan<byte> payload)
{
    var reply = new WorkerReply { Magic = WorkerProtocol.Magic, Status = status, PayloadBytes = payload.Length };
    output.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<WorkerReply>(in reply)));
    output.Write(payload);
}
