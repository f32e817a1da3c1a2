using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Writes down when the service starts and stops, with which settings, and which of them changed since it last started on this machine.</summary>
internal sealed partial class ServiceAudit(Database database, AuditLog audit, IConfiguration configuration, TimeProvider time, ILogger<ServiceAudit> logger) : BackgroundService
{
    /// <summary>The subject of what no person did.</summary>
    public const string Service = "service";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly string[] Sections = ["Telemetry", "RateLimit", "Orthanc", "Storage", "Journal", "Authentication", "Permissions", "MaskJobs", "Discovery", "Scans", "Reviews", "Workers", "Audit"];
    private readonly Lock _stopping = new();
    private Task? _stopped;
    private bool _started;

    // A host may be told twice to stop; the second waits for the row of the first.
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_stopping)
        {
            return _stopped ??= Stop(cancellationToken);
        }
    }

    private async Task Stop(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_started)
        {
            await audit.AppendAlone(database, new AuditEvent("serviceStopped", Service, Environment.MachineName), cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!_started && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WriteStart(stoppingToken);
                _started = true;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The database is away; /health/ready says so. Nothing can be masked meanwhile either.
                LogCannotWrite(e);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>What is set, by name; of secrets only that they are set. Defaults are not in it: the software's version tells them.</summary>
    internal static SortedDictionary<string, string> ReadSettings(IConfiguration configuration)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Sections.SelectMany(section => configuration.GetSection(section).AsEnumerable()))
        {
            if (!string.IsNullOrEmpty(value))
            {
                settings[name] = IsSecret(name) ? "(set)" : value;
            }
        }

        return settings;
    }

    // A connection string holds a password among other things.
    private static bool IsSecret(string name) =>
        !name.EndsWith("File", StringComparison.OrdinalIgnoreCase)
        && ((string[])["Password", "Secret", "ConnectionString", "Key"]).Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private Task<int> WriteStart(CancellationToken token) => database.Write(
        async t =>
        {
            var now = ReadSettings(configuration);
            var last = await t.Connection!.QueryFirstOrDefaultAsync<string>(
                "SELECT details FROM audit_events WHERE action = 'serviceStarted' AND name = @MachineName ORDER BY sequence DESC LIMIT 1", new { Environment.MachineName }, t);
            if (last is not null && Changes(JsonNode.Parse(last)!["settings"]!.AsObject(), now) is { Count: > 0 } changes)
            {
                await audit.Append(t, new AuditEvent("settingsChanged", Service, Environment.MachineName) { Details = new() { ["changes"] = changes } });
            }

            await audit.Append(t, new AuditEvent("serviceStarted", Service, Environment.MachineName)
            {
                Details = new() { ["settings"] = new JsonObject(now.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))) },
            });
            return 0;
        },
        token);

    private static JsonArray Changes(JsonObject before, SortedDictionary<string, string> after) =>
        [.. before.Select(s => s.Key).Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Before: (string?)before[name], After: after.GetValueOrDefault(name)))
            .Where(s => s.Before != s.After)
            .Select(s => new JsonObject { ["setting"] = s.Name, ["before"] = s.Before, ["after"] = s.After })];

    [LoggerMessage(Level = LogLevel.Error, Message = "The start of the service cannot be written into the audit; trying again")]
    private partial void LogCannotWrite(Exception e);
}
