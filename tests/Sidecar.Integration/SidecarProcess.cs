using System.Security.Cryptography;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sidecar.Tests.Http;

namespace Sidecar.Integration;

/// <summary>The real executable, with a database and a journal of its own, and a stub of the identity provider that publishes a key.</summary>
internal sealed class SidecarProcess : IAsyncDisposable
{
    // The program as it is shipped: beside the tests its packages lie without code compiled ahead, and each start takes longer.
    private static readonly string Program =
        Path.Combine(AppContext.BaseDirectory.Replace(Path.Combine("tests", "Sidecar.Integration", "bin"), Path.Combine("sidecar", "Sidecar", "bin"), StringComparison.Ordinal), "sidecar.dll");

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(1);
    private readonly WebApplication _provider;
    private readonly TokenIssuer _issuer = new("");
    private readonly Dictionary<string, string> _settings = [];
    private readonly List<string> _log = [];
    private readonly NetworkLink? _link;
    private Process? _process;

    private SidecarProcess(Uri orthanc, NetworkLink? link)
    {
        _link = link;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{link?.Near ?? IPAddress.Loopback}:0");
        _provider = builder.Build();
        _provider.MapGet("/.well-known/openid-configuration", () => Results.Content(_issuer.Discovery, "application/json"));
        _provider.MapGet("/jwks", () => Results.Content(_issuer.Keys, "application/json"));
        Folder = Directory.CreateTempSubdirectory("sidecar-state-").FullName;
        _settings["SIDECAR_Orthanc__BaseUrl"] = orthanc.ToString();
        _settings["SIDECAR_Storage__Directory"] = Path.Combine(Folder, "state");
        _settings["SIDECAR_Journal__Key"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        _settings["SIDECAR_Authentication__Audience"] = TokenIssuer.Audience;
        _settings["SIDECAR_Authentication__AllowInsecureHttp"] = (link is not null).ToString();
        _settings["SIDECAR_MaskJobs__RetryPause"] = "00:00:00.2";
        _settings["SIDECAR_Discovery__Enabled"] = "false"; // the tests of scans switch them on; the others want the archive to themselves
        _settings["SIDECAR_Scans__Enabled"] = "false";
        Http = new HttpClient(new SocketsHttpHandler());
    }

    public string Folder { get; }

    public string JournalFolder => Path.Combine(_settings["SIDECAR_Storage__Directory"], "journal");

    /// <summary>Speaks as a user who may mask.</summary>
    public HttpClient Http { get; private set; }

    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    public static Task<SidecarProcess> Start(Uri orthanc, params (string Name, string Value)[] settings) => Start(orthanc, null, settings);

    /// <param name="orthanc">As the sidecar reaches it.</param>
    /// <param name="link">On whose far side it runs; null: on this one.</param>
    /// <param name="settings">More of them.</param>
    public static async Task<SidecarProcess> Start(Uri orthanc, NetworkLink? link, params (string Name, string Value)[] settings)
    {
        var sidecar = new SidecarProcess(orthanc, link);
        await sidecar._provider.StartAsync();
        sidecar._issuer.Issuer = sidecar._provider.Urls.First();
        sidecar._settings["SIDECAR_Authentication__Authority"] = sidecar._issuer.Issuer;
        foreach (var (name, value) in settings)
        {
            sidecar._settings[name] = value;
        }

        await sidecar.StartProcess();
        return sidecar;
    }

    public async Task StartProcess()
    {
        var address = $"http://{_link?.Far ?? IPAddress.Loopback}:{OrthancServer.FreePort()}";
        var start = new ProcessStartInfo("dotnet", [Program, "serve"])
        {
            WorkingDirectory = Folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in _settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = address;
        _process = await Begin(start);
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Http.Dispose();
        Http = Client(address, "image-masking");
        await Wait.Until(
            async () =>
            {
                Assert.False(_process.HasExited, $"The sidecar ended at its start:\n{Log}");
                try
                {
                    return (await Http.GetAsync("health/live")).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            StartLimit,
            "the sidecar answers");
    }

    public HttpClient Client(string address, params string[] roles) => ClientOf("mia", "Mia Masker", address, roles);

    public HttpClient ClientOf(string subject, string name, string address, params string[] roles)
    {
        var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(2) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _issuer.Create(subject, name, roles));
        return client;
    }

    /// <summary>SIGKILL: no handler, no flush, no goodbye.</summary>
    public async Task Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>SIGTERM, as a service manager sends it. Its exit status.</summary>
    public async Task<int> Stop()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync().WaitAsync(StopLimit);
        return _process.ExitCode;
    }

    /// <summary>The most memory it had in use so far (VmHWM, proc(5)).</summary>
    public long PeakBytes =>
        1024 * long.Parse(File.ReadLines($"/proc/{_process!.Id}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    /// <summary>Without its worker processes.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process!.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>SIGKILL to its worker processes. Whether there was one.</summary>
    public bool KillWorkers()
    {
        var any = false;
        foreach (var worker in Process.GetProcessesByName("sidecar-worker"))
        {
            using (worker)
            {
                try
                {
                    // The fourth field of stat is the parent (proc(5)); the name in brackets may hold spaces.
                    var parent = File.ReadAllText($"/proc/{worker.Id}/stat").Split(") ")[^1].Split(' ')[1];
                    if (parent == _process?.Id.ToString(CultureInfo.InvariantCulture))
                    {
                        worker.Kill();
                        any = true;
                    }
                }
                catch (Exception e) when (e is IOException or InvalidOperationException)
                {
                    // It ended by itself.
                }
            }
        }

        return any;
    }

    /// <summary>Runs another command of the executable with the service's settings. Its exit status and what it said.</summary>
    public async Task<(int Status, string Output)> RunCommand(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in _settings)
        {
            start.Environment[name] = value;
        }

        using var process = await Begin(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    public async Task<HttpResponseMessage> Post(object request, string? key = null)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "api/mask-jobs") { Content = JsonContent.Create(request) };
        message.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        return await Http.SendAsync(message);
    }

    /// <summary>Asks for a job and returns its id.</summary>
    public async Task<string> Submit(object request, string? key = null)
    {
        using var answer = await Post(request, key);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, $"{(int)answer.StatusCode}: {body}");
        return JsonNode.Parse(body)!["id"]!.GetValue<string>();
    }

    public Task<JsonElement> ReadJob(string id) => Http.GetFromJsonAsync<JsonElement>($"api/mask-jobs/{id}");

    public async Task<JsonElement> WaitForEnd(string id, int seconds = 60)
    {
        JsonElement job = default;
        await Wait.Until(
            async () =>
            {
                job = await ReadJob(id);
                return job.GetProperty("state").GetString() is "succeeded" or "failed" or "cancelled";
            },
            TimeSpan.FromSeconds(seconds),
            $"job {id} ends; log:\n{Log}");
        return job;
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        Http.Dispose();
        await _provider.DisposeAsync();
        _issuer.Dispose();
        Directory.Delete(Folder, recursive: true);
        // Whatever happened in a test: the service wrote no secret and no patient's name into its log.
        foreach (var secret in (string?[])[_settings["SIDECAR_Journal__Key"], Http.DefaultRequestHeaders.Authorization?.Parameter, "TEST^PATIENT"])
        {
            Assert.True(secret is null || !Log.Contains(secret, StringComparison.Ordinal), "The log of the service holds a secret or a patient's name.");
        }
    }

    private async Task<Process> Begin(ProcessStartInfo start) => (_link is null ? Process.Start(start) : await _link.OnFarSide(() => Process.Start(start)))!;

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.Add(line.Data ?? "");
        }
    }
}
