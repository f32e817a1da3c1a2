using System.Net;
using System.Net.Sockets;

namespace Sidecar.Orthanc;

/// <summary>
/// A connection that .NET uses more than once. Orthanc announces <c>Keep-Alive: timeout=1</c>; .NET subtracts a second of its own from that and opens
/// a new connection for each request, which is a tenth of the time of masking a series. Here it reads two seconds: that the connection is
/// given up in time is a matter of <see cref="SocketsHttpHandler.PooledConnectionIdleTimeout"/>.
/// </summary>
internal sealed class OrthancConnection : NetworkStream
{
    private const int QuietSeconds = 45;
    private const int ProbeSeconds = 10;
    private const int Probes = 3;
    private static readonly byte[] Announced = [.. "\r\nKeep-Alive: timeout=1\r\n"u8];

    // An answer begins with the first bytes that come after a request; nothing behind its headers is looked at.
    private bool _isAsked;

    private OrthancConnection(Socket socket)
        : base(socket, ownsSocket: true)
    {
    }

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public static async ValueTask<Stream> Open(DnsEndPoint address, CancellationToken token)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            // What is given up is not sent any more: the kernel would go on sending a store over a silent link, and it would arrive after a newer one.
            LingerState = new LingerOption(enable: true, seconds: 0),
        };
        try
        {
            // A machine that is gone without a word is noticed while its answer is waited for, whatever time the answer is given.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, QuietSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
            if (OperatingSystem.IsLinux())
            {
                // tcp(7) TCP_USER_TIMEOUT: the same for bytes that are under way, which would else be sent again for a quarter of an hour.
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, 18, BitConverter.GetBytes((QuietSeconds + (Probes * ProbeSeconds)) * 1000));
            }

            await socket.ConnectAsync(address, token);
            return new OrthancConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _isAsked = true;
        base.Write(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _isAsked = true;
        return base.WriteAsync(buffer, cancellationToken);
    }

    public override int Read(Span<byte> buffer) => Look(buffer, base.Read(buffer));

    // Whether it is the first read is known when it ends: .NET begins to read before it sends a request over a connection that was used before.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = base.ReadAsync(buffer, cancellationToken);
        return read.IsCompletedSuccessfully ? ValueTask.FromResult(Look(buffer.Span, read.Result)) : End();

        async ValueTask<int> End()
        {
            var count = await read;
            return Look(buffer.Span, count);
        }
    }

    private int Look(Span<byte> buffer, int count)
    {
        if (_isAsked && count > 0)
        {
            _isAsked = false;
            LengthenKeepAlive(buffer[..count]);
        }

        return count;
    }

    /// <summary>Changes the one digit in the headers at the beginning of <paramref name="answer"/>. Headers that do not come whole stay as they are.</summary>
    internal static void LengthenKeepAlive(Span<byte> answer)
    {
        var end = answer.StartsWith("HTTP/1.1 "u8) ? answer.IndexOf("\r\n\r\n"u8) : -1;
        if (end >= 0 && answer[..(end + 2)].IndexOf(Announced) is >= 0 and var at)
        {
            answer[at + Announced.Length - 3] = (byte)'2';
        }
    }
}
