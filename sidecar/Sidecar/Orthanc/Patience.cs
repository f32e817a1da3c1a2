namespace Sidecar.Orthanc;

/// <summary>How long a call of Orthanc is waited for. What is moved is no matter of it: each byte that comes or goes is a sign of life, from which the time counts anew.</summary>
internal sealed class Patience : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;

    /// <param name="limit">Until the first sign of life.</param>
    /// <param name="time">Whose timer it is.</param>
    /// <param name="token">Ends the call for other reasons.</param>
    public Patience(TimeSpan limit, TimeProvider time, CancellationToken token)
    {
        Limit = limit;
        _source = new CancellationTokenSource(limit, time);
        _registration = token.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _source);
    }

    /// <summary>To be given to everything that waits for Orthanc.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>What is granted now.</summary>
    public TimeSpan Limit { get; private set; }

    /// <summary>Orthanc lives: counts anew, up to <paramref name="limit"/>.</summary>
    public void Renew(TimeSpan limit)
    {
        Limit = limit;
        _source.CancelAfter(limit);
    }

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}

/// <summary>The body of an answer, as long as it keeps coming.</summary>
/// <param name="body">Closed with this.</param>
/// <param name="patience">Ends the reading.</param>
/// <param name="silence">How long no byte may come.</param>
internal sealed class AnswerStream(Stream body, Patience patience, TimeSpan silence) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, patience.Token);
        patience.Renew(silence);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }
}
