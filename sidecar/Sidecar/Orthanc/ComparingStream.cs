using System.Buffers;
using Sidecar.Dicom.Files;

namespace Sidecar.Orthanc;

/// <summary>Takes what is written to it and compares it with another stream: cheaper than a hash of what was delivered, and exact.</summary>
/// <param name="expected">Seekable; read from its beginning.</param>
internal sealed class ComparingStream(Stream expected) : Stream
{
    private bool _differs;

    /// <summary>Whether all that <paramref name="expected"/> holds was written, and nothing else.</summary>
    public bool IsSame => !_differs && expected.Position == expected.Length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Begins anew, for an answer that broke off and is asked for again.</summary>
    public void Restart() => (expected.Position, _differs) = (0, false);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (expected is PositionedStream { InMemory: { IsEmpty: false } whole })
        {
            var rest = whole.Span[(int)expected.Position..];
            _differs |= !rest.StartsWith(buffer);
            expected.Position += Math.Min(buffer.Length, rest.Length);
            return;
        }

        var rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            var read = expected.ReadAtLeast(rented.AsSpan(0, buffer.Length), buffer.Length, throwOnEndOfStream: false);
            _differs |= !buffer.SequenceEqual(rented.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
