using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>
/// Looks at a file that a script in Orthanc writes into when a study came to rest, and wakes discovery when it was. A look costs a system call and says
/// nothing about what changed: the list of changes remains the truth, and what is missed here is found at the next look at it.
/// </summary>
internal sealed partial class WakeFile(DiscoverySignal signal, IOptions<DiscoveryOptions> options, TimeProvider time, ILogger<WakeFile> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.25);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (options.Value.WakeFile is not { Length: > 0 } path || !options.Value.Enabled)
        {
            return;
        }

        if (!File.Exists(path))
        {
            LogMissing(path);
        }

        for (var seen = File.GetLastWriteTimeUtc(path); ;)
        {
            await Task.Delay(Pause, time, stoppingToken);
            var written = File.GetLastWriteTimeUtc(path); // the year 1601 where there is none
            if (written != seen)
            {
                seen = written;
                signal.Pulse();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Discovery:WakeFile {Path} is not there or may not be seen: Orthanc cannot wake this service until it is, and changes are only looked for every Discovery:PollPause")]
    private partial void LogMissing(string path);
}
