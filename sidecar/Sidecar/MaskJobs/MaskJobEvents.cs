using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Sidecar.MaskJobs;

/// <summary>Server-sent events of one job: its view at once and at each change, until it is finished.</summary>
internal sealed class MaskJobEvents(MaskJobReader reader, MaskJobSignal signal, IOptions<MaskJobOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    // A fast job changes hundreds of times a second; a person sees five.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // The view of a job names its finished images: of ten thousand it takes long, and must not take the time from the job itself.
    private const int PauseToWork = 10;

    /// <summary>Returns false, having sent nothing, where there is no such job.</summary>
    public async Task<bool> Stream(string id, HttpResponse response, CancellationToken token)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token, lifetime.ApplicationStopping);
        var (change, end) = (signal.Next, signal.NextWaiting);
        if (await reader.ReadView(id, stop.Token) is not { } view)
        {
            return false;
        }

        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await Send(response, view, stop.Token);
            var (sentAt, pause) = (time.GetTimestamp(), ShortestPause);
            while (view.State is MaskJobState.AwaitingConfirmation or MaskJobState.Queued or MaskJobState.Running)
            {
                try
                {
                    // Another sidecar may be at work on it, whose changes only the database tells.
                    await change.WaitAsync(options.Value.LookPause, time, stop.Token);
                }
                catch (TimeoutException)
                {
                    if (time.GetElapsedTime(sentAt) >= KeepAlive)
                    {
                        await response.WriteAsync(": keep-alive\n\n", stop.Token);
                        await response.Body.FlushAsync(stop.Token);
                        sentAt = time.GetTimestamp();
                    }
                }

                if (pause - time.GetElapsedTime(sentAt) is { Ticks: > 0 } early)
                {
                    // The end of a job is told at once.
                    await Task.WhenAny(Task.Delay(early, time, stop.Token), end);
                    stop.Token.ThrowIfCancellationRequested();
                }

                (change, end) = (signal.Next, signal.NextWaiting);
                var begun = time.GetTimestamp();
                var now = (await reader.ReadView(id, stop.Token))!;
                if ((now.State, now.Done, now.Failed, now.Cancelled, now.CancelledAt) != (view.State, view.Done, view.Failed, view.Cancelled, view.CancelledAt))
                {
                    view = now;
                    await Send(response, view, stop.Token);
                    sentAt = time.GetTimestamp();
                    pause = TimeSpan.FromTicks(Math.Clamp(PauseToWork * time.GetElapsedTime(begun, sentAt).Ticks, ShortestPause.Ticks, LongestPause.Ticks));
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The viewer left, or the service stops: the viewer comes back or asks by GET.
        }

        return true;
    }

    private static async Task Send(HttpResponse response, MaskJobView view, CancellationToken token)
    {
        // Not as one string: of a long series that is half a megabyte, several times a second.
        await response.WriteAsync("event: progress\ndata: ", token);
        await JsonSerializer.SerializeAsync(response.BodyWriter, view, MaskJobJson.Default.MaskJobView, token);
        await response.WriteAsync("\n\n", token);
        await response.Body.FlushAsync(token);
    }
}
