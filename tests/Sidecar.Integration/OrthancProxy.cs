using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Sidecar.Integration;

/// <summary>What happens to one request on its way to Orthanc.</summary>
internal enum Fault
{
    None,

    /// <summary>Never reaches Orthanc; the connection is cut.</summary>
    CutBefore,

    /// <summary>Orthanc does it, the answer is lost.</summary>
    CutAfter,

    /// <summary>Answered 503 without asking Orthanc.</summary>
    Busy,
}

/// <summary>Stands between the sidecar and Orthanc and lets a test do harm at an exact request.</summary>
internal sealed class OrthancProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private OrthancProxy(OrthancServer orthanc, NetworkLink? link)
    {
        _client = new HttpClient(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromMilliseconds(500) }) { BaseAddress = orthanc.Address };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{link?.Far ?? IPAddress.Loopback}:0").ConfigureKestrel(k => k.Limits.MaxRequestBodySize = null);
        if (link is not null)
        {
            builder.WebHost.UseSockets(o => o.CreateBoundListenSocket = e => link.OnFarSide(() => SocketTransportOptions.CreateDefaultBoundListenSocket(e)).GetAwaiter().GetResult());
        }

        _app = builder.Build();
        _app.Run(Forward);
    }

    /// <summary>Decides, after whatever harm the test does itself, what happens to a request. May be called for several requests at once.</summary>
    public Func<string, string, Task<Fault>> Decide { get; set; } = (_, _) => Task.FromResult(Fault.None);

    /// <summary>Runs after Orthanc answered and before the sidecar hears it.</summary>
    public Func<string, string, Task> Answered { get; set; } = (_, _) => Task.CompletedTask;

    public Uri Address => new(_app.Urls.First());

    /// <param name="orthanc">To which requests are passed on.</param>
    /// <param name="link">On whose far side it is heard; null: on this one. It reaches Orthanc at any time.</param>
    public static async Task<OrthancProxy> Start(OrthancServer orthanc, NetworkLink? link = null)
    {
        var proxy = new OrthancProxy(orthanc, link);
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>Kills the sidecar at the n-th request of a kind: before it reaches Orthanc, or when Orthanc has answered it.</summary>
    /// <param name="sidecar">What to kill; later lives are left alone.</param>
    /// <param name="method">Of the request.</param>
    /// <param name="pathEnd">How its path ends.</param>
    /// <param name="nth">Counted from 1.</param>
    /// <param name="afterOrthanc">Whether Orthanc does what was asked.</param>
    /// <returns>Ends when the sidecar is dead.</returns>
    public Task KillAt(SidecarProcess sidecar, string method, string pathEnd, int nth, bool afterOrthanc)
    {
        var seen = 0;
        var killed = new TaskCompletionSource();
        if (afterOrthanc)
        {
            Answered = async (m, p) => await KillIfMeant(m, p);
        }
        else
        {
            Decide = async (m, p) => await KillIfMeant(m, p) ? Fault.CutBefore : Fault.None;
        }

        return killed.Task;

        async Task<bool> KillIfMeant(string m, string p)
        {
            if (m != method || !p.EndsWith(pathEnd, StringComparison.Ordinal) || Interlocked.Increment(ref seen) != nth)
            {
                return false;
            }

            await sidecar.Kill();
            killed.TrySetResult();
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task Forward(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        var fault = await Decide(method, path);
        if (fault == Fault.CutBefore)
        {
            context.Abort();
            return;
        }

        if (fault == Fault.Busy)
        {
            context.Response.StatusCode = 503;
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(method), path[1..] + context.Request.QueryString);
        if (context.Request.ContentLength is { } length)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.ContentLength = length;
        }

        HttpResponseMessage answer;
        try
        {
            answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        }
        catch (HttpRequestException)
        {
            context.Abort(); // Orthanc is away: so is its proxy
            return;
        }

        using (answer)
        {
            await Answered(method, path);
            if (fault == Fault.CutAfter)
            {
                await answer.Content.LoadIntoBufferAsync();
                context.Abort();
                return;
            }

            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await answer.Content.CopyToAsync(context.Response.Body);
        }
    }
}
