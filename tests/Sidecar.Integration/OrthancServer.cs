using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sidecar.Integration;

/// <summary>A real Orthanc with its own folder and port on the loopback address; ends with the test.</summary>
internal sealed class OrthancServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static int _lastPort = Random.Shared.Next(20_000);
    private readonly string _folder;
    private readonly SocketsHttpHandler _handler = new() { PooledConnectionIdleTimeout = TimeSpan.FromMilliseconds(500) };
    private readonly NetworkLink? _link;
    private readonly Dictionary<string, string> _environment;
    private Process? _process;

    private OrthancServer(string? folder, NetworkLink? link, Dictionary<string, string>? environment)
    {
        _environment = environment ?? [];
        _link = link;
        _folder = Directory.CreateDirectory(folder is null ? Directory.CreateTempSubdirectory("sidecar-orthanc-").FullName : Path.Combine(folder, "orthanc")).FullName;
        Port = FreePort();
        Http = new HttpClient(_handler) { BaseAddress = new Uri($"http://{link?.Far ?? IPAddress.Loopback}:{Port}/") };
    }

    public int Port { get; }

    public HttpClient Http { get; }

    public Uri Address => Http.BaseAddress!;

    public TimeSpan ProcessorTime
    {
        get
        {
            _process!.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <param name="settings">Orthanc's own, that differ from those of the tests.</param>
    /// <param name="folder">Where its storage and database are; null: a temporary one.</param>
    /// <param name="link">On whose far side it runs; null: on this one, heard on the loopback address only.</param>
    /// <param name="environment">Variables that its scripts read.</param>
    public static async Task<OrthancServer> Start(JsonObject? settings = null, string? folder = null, NetworkLink? link = null, Dictionary<string, string>? environment = null)
    {
        var server = new OrthancServer(folder, link, environment);
        var configuration = new JsonObject
        {
            ["Name"] = "integration test",
            ["StorageDirectory"] = server._folder,
            ["IndexDirectory"] = server._folder,
            ["HttpPort"] = server.Port,
            ["DicomServerEnabled"] = false,
            ["RemoteAccessAllowed"] = link is not null,
            ["AuthenticationEnabled"] = false,
            ["OverwriteInstances"] = true,
            ["StableAge"] = 1,
            ["Plugins"] = new JsonArray("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
            ["UserMetadata"] = new JsonObject { ["sample-note"] = 5000 },
        };
        foreach (var (name, value) in settings ?? [])
        {
            configuration[name] = value?.DeepClone();
        }

        await File.WriteAllTextAsync(Path.Combine(server._folder, "orthanc.json"), configuration.ToJsonString());
        await server.StartProcess();
        return server;
    }

    /// <summary>One of which nobody is given by the system (ip_local_port_range begins at 32768), so that it stays free until its server starts.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = 12_000 + (Interlocked.Increment(ref _lastPort) % 20_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's; the next one.
            }
        }
    }

    public async Task StartProcess()
    {
        var start = new ProcessStartInfo(File.Exists("/usr/sbin/Orthanc") ? "/usr/sbin/Orthanc" : "Orthanc", [Path.Combine(_folder, "orthanc.json")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        _process = (_link is null ? Process.Start(start) : await _link.OnFarSide(() => Process.Start(start)))!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Wait.Until(async () => await Answers(), StartLimit, "Orthanc answers");
    }

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>Killed, its database and files thrown away, started again on the same port.</summary>
    public async Task Reset()
    {
        await Kill();
        foreach (var entry in new DirectoryInfo(_folder).EnumerateFileSystemInfos().Where(e => e.Name != "orthanc.json").ToList())
        {
            if (entry is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }

        await StartProcess();
    }

    public async Task<string> Upload(byte[] file)
    {
        using var content = new ByteArrayContent(file);
        using var answer = await Http.PostAsync("instances", content);
        answer.EnsureSuccessStatusCode();
        var stored = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("Success", stored.GetProperty("Status").GetString());
        return stored.GetProperty("ID").GetString()!;
    }

    public Task<byte[]> ReadFile(string instance) => Http.GetByteArrayAsync($"instances/{instance}/file");

    public async Task<string> ReadText(string path) => await Http.GetStringAsync(path);

    public async Task<JsonElement> Read(string path) => await Http.GetFromJsonAsync<JsonElement>(path);

    public async Task Put(string path, string text)
    {
        using var content = new StringContent(text);
        (await Http.PutAsync(path, content)).EnsureSuccessStatusCode();
    }

    /// <summary>All files in the storage folder that Orthanc holds, by instance id.</summary>
    public async Task<IReadOnlyList<string>> ListInstances() => [.. (await Read("instances")).EnumerateArray().Select(i => i.GetString()!)];

    public async ValueTask DisposeAsync()
    {
        await Kill();
        Http.Dispose();
        _handler.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> Answers()
    {
        try
        {
            return (await Http.GetAsync("system")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

internal static class Wait
{
    /// <summary>Asks again every 20 ms until it holds; fails the test after <paramref name="limit"/>.</summary>
    public static async Task Until(Func<Task<bool>> holds, TimeSpan limit, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < limit, $"After {limit.TotalSeconds} s still waiting until {what}.");
            await Task.Delay(20);
        }
    }
}
