using System.Net;
using System.Net.Sockets;
using System.Text;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class OrthancConnectionTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HttpClient _client = new(new SocketsHttpHandler { ConnectCallback = (context, token) => OrthancConnection.Open(context.DnsEndPoint, token) });
    private int _connections;

    public OrthancConnectionTests()
    {
        _listener.Start();
        _client.BaseAddress = new Uri($"http://{_listener.LocalEndpoint}/");
    }

    public void Dispose()
    {
        _client.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task One_connection_serves_request_after_request_although_Orthanc_announces_to_keep_it_for_one_second()
    {
        var serving = Serve("Connection: keep-alive\r\nKeep-Alive: timeout=1\r\n", "text");

        for (var request = 0; request < 5; request++)
        {
            Assert.Equal("text", await _client.GetStringAsync("instances"));
        }

        Assert.Equal(1, Volatile.Read(ref _connections));
        _listener.Stop();
        await serving;
    }

    [Fact]
    public async Task What_looks_like_headers_in_a_file_stays_as_it_is()
    {
        const string File = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n\r\n";
        var serving = Serve("Keep-Alive: timeout=1\r\n", File + File);

        for (var request = 0; request < 3; request++)
        {
            Assert.Equal(File + File, await _client.GetStringAsync("file"));
        }

        _listener.Stop();
        await serving;
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n\r\nbody", "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\n\r\nbody")]
    [InlineData("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10\r\n\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n\r\nKeep-Alive: timeout=1\r\n\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n", null)]
    [InlineData("DICM\r\nKeep-Alive: timeout=1\r\n\r\n", null)]
    public void Only_the_one_second_in_whole_headers_is_read_otherwise(string answer, string? expected)
    {
        var bytes = Encoding.ASCII.GetBytes(answer);
        OrthancConnection.LengthenKeepAlive(bytes);
        Assert.Equal(expected ?? answer, Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public async Task The_network_is_asked_after_a_silent_peer_and_its_answer_is_not_awaited_for_ever()
    {
        await using var connection = await OrthancConnection.Open(new DnsEndPoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port), CancellationToken.None);

        var socket = ((NetworkStream)connection).Socket;
        int Read(SocketOptionName name) => (int)socket.GetSocketOption(SocketOptionLevel.Tcp, name)!;
        Assert.NotEqual(0, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Equal(75, Read(SocketOptionName.TcpKeepAliveTime) + (Read(SocketOptionName.TcpKeepAliveInterval) * Read(SocketOptionName.TcpKeepAliveRetryCount)));
        var limit = new byte[4];
        socket.GetRawSocketOption(6, 18, limit); // TCP_USER_TIMEOUT
        Assert.Equal(75_000, BitConverter.ToInt32(limit));
    }

    [Fact]
    public async Task What_was_not_sent_when_the_connection_is_given_up_is_never_sent()
    {
        var accepting = _listener.AcceptSocketAsync();
        var connection = await OrthancConnection.Open(new DnsEndPoint("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port), CancellationToken.None);
        using var server = await accepting;
        var writing = connection.WriteAsync(new byte[16 << 20]).AsTask(); // more than is under way while the server does not read
        Assert.False(writing.IsCompleted);

        await connection.DisposeAsync();
        await writing.ContinueWith(_ => { }, TaskScheduler.Default);

        // A connection closed in order would deliver what the kernel had taken, and then end.
        var fault = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (await server.ReceiveAsync(new byte[1 << 20]) > 0)
            {
            }
        });
        Assert.Equal(SocketError.ConnectionReset, fault.SocketErrorCode);
    }

    private async Task Serve(string headers, string body)
    {
        var answer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}");
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                Interlocked.Increment(ref _connections);
                _ = Answer(socket, answer);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private static async Task Answer(Socket socket, byte[] answer)
    {
        using (socket)
        {
            var request = new byte[4096];
            try
            {
                while (await socket.ReceiveAsync(request) > 0)
                {
                    await socket.SendAsync(answer);
                }
            }
            catch (SocketException)
            {
                // The client reset the connection.
            }
        }
    }
}
