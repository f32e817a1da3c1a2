using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>How long a call waits, by a clock that the test moves and a server that sends and takes what the test says.</summary>
public sealed class PatienceTests : IDisposable
{
    private const int Megabytes = 288;
    private static readonly TimeSpan Almost = TimeSpan.FromSeconds(59);

    // By the clock on the wall: a call that is waited for without end fails its test, and does not stop the others.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly OrthancId Image = new("image");
    private readonly SteppedTime _time = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HttpClient _http = new(new SocketsHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly OrthancClient _client;

    public PatienceTests()
    {
        _listener.Start();
        _http.BaseAddress = new Uri($"http://{_listener.LocalEndpoint}/");
        _client = new OrthancClient(_http, _time);
    }

    public void Dispose()
    {
        _http.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task A_file_that_comes_slowly_is_read_for_as_long_as_it_comes_and_given_up_when_it_does_not()
    {
        var heard = new Watched();
        var reading = _client.ReadFile(Image, Megabytes << 20, heard, default);
        using var server = await Asked();
        await server.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Megabytes << 20}\r\n\r\n"));
        for (var minute = 0; minute < 20; minute++)
        {
            await server.SendAsync(new byte[1]);
            await heard.Next();
            _time.Advance(Almost);
        }

        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("Orthanc did not answer within 60 seconds.", (await Assert.ThrowsAsync<OrthancException>(() => reading.WaitAsync(Limit))).Message);
    }

    [Fact]
    public async Task Reading_back_metadata_and_lists_are_given_up_too_when_they_break_off_silently()
    {
        foreach (var call in (Func<Task>[])
        [
            () => _client.Delivers(Image, new MemoryStream(new byte[100]), default),
            () => _client.FindMetadata(OrthancLevel.Instances, Image, "5000", default),
            () => _client.ListStudies(default),
            () => _client.ReadTags(new OrthancId("1"), default),
            () => _client.ReadAttachment(OrthancLevel.Instances, Image, 1024, new MemoryStream(), default),
            () => _client.IsProtected(Image, default),
        ])
        {
            var begun = call();
            using var server = await Asked();
            await server.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["u8.ToArray());
            await PassTimeUntilEnd(begun); // its body is waited for from some moment of these on
            Assert.Contains("did not answer within", (await Assert.ThrowsAsync<OrthancException>(() => begun)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_taken_slowly_is_sent_for_as_long_as_it_is_taken_and_given_up_when_it_is_not()
    {
        using var file = new Endless(Megabytes << 20);
        var storing = _client.StoreInstance(file, default);
        using var server = await Asked();
        var buffer = new byte[1 << 20];
        var taken = 0;
        for (var round = 0; round < 10; round++)
        {
            // What the kernels take for the server is taken at once; one more block goes out for what is taken here.
            for (var before = file.Blocks; file.Blocks < before + 4;)
            {
                taken += await server.ReceiveAsync(buffer);
            }

            _time.Advance(Almost);
        }

        Assert.False(storing.IsCompleted);
        await PassTimeUntilEnd(storing); // the kernels may take a few blocks more
        Assert.Equal("Orthanc did not answer within 60 seconds.", (await Assert.ThrowsAsync<OrthancException>(() => storing)).Message);
        Assert.InRange(taken, 1, Megabytes << 19);
    }

    [Fact]
    public async Task Orthanc_has_the_longer_to_store_a_file_the_larger_it_is()
    {
        using var file = new Endless(60 << 20);
        var storing = _client.StoreInstance(file, default);
        using var server = await Asked();
        var buffer = new byte[1 << 20];
        for (var left = 60 << 20; left > 0;)
        {
            left -= await server.ReceiveAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)));
        }

        await file.Ended.Task;
        _time.Advance(TimeSpan.FromSeconds(119));
        Assert.False(storing.IsCompleted);
        await server.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{\"Status\":\"Success\",\"ID\":\"image\"}"u8.ToArray());
        Assert.Equal(Image, await storing);
    }

    private async Task PassTimeUntilEnd(Task call)
    {
        for (var begun = Stopwatch.GetTimestamp(); !call.IsCompleted; await Task.Yield())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Limit, "However long Orthanc is silent, it is waited for.");
            _time.Advance(Almost);
        }
    }

    // The headers of the next request are read; of its body perhaps some.
    private async Task<Socket> Asked()
    {
        var server = await _listener.AcceptSocketAsync();
        var line = new byte[1];
        for (var text = new StringBuilder(); !text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal);)
        {
            await server.ReceiveAsync(line);
            text.Append((char)line[0]);
        }

        return server;
    }

    /// <summary>Tells the test of each block that is written to it.</summary>
    private sealed class Watched : MemoryStream
    {
        private readonly Channel<int> _blocks = Channel.CreateUnbounded<int>();

        public ValueTask<int> Next() => _blocks.Reader.ReadAsync();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _blocks.Writer.TryWrite(buffer.Length);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Nothing but zeros; counts the blocks that were read of it, each after the one before was sent.</summary>
    private sealed class Endless(long length) : MemoryStream
    {
        private long _position;
        private int _blocks;

        public int Blocks => Volatile.Read(ref _blocks);

        public TaskCompletionSource Ended { get; } = new();

        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => _position = value;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = (int)Math.Min(buffer.Length, length - _position);
            _position += read;
            Interlocked.Increment(ref _blocks);
            if (read == 0)
            {
                Ended.TrySetResult();
            }

            return ValueTask.FromResult(read);
        }
    }

    /// <summary>Stands still until it is moved; its timers fire then.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private readonly Lock _lock = new();
        private readonly List<Timer> _timers = [];
        private TimeSpan _now;

        public void Advance(TimeSpan by)
        {
            List<Timer> due;
            lock (_lock)
            {
                _now += by;
                due = [.. _timers.Where(t => t.Due <= _now)];
                due.ForEach(t => t.Due = null);
            }

            due.ForEach(t => t.Fire());
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(this, () => callback(state));
            timer.Change(dueTime, period);
            lock (_lock)
            {
                _timers.Add(timer);
            }

            return timer;
        }

        private sealed class Timer(SteppedTime time, Action fire) : ITimer
        {
            public TimeSpan? Due { get; set; }

            public void Fire() => fire();

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                lock (time._lock)
                {
                    Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
                }

                return true;
            }

            public void Dispose()
            {
                lock (time._lock)
                {
                    time._timers.Remove(this);
                }
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
