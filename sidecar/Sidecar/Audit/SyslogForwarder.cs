using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>
/// Sends rows as DICOM audit messages. The database remembers how far the receiver has them, so a server that is away loses nothing; a message may come
/// twice, with the same row number. Of several services one sends, and another takes over when it stops.
/// </summary>
internal sealed partial class SyslogForwarder(
    Database database, StudyReader studies, OrthancClient orthanc, IOptions<AuditOptions> options, TimeProvider time, ILogger<SyslogForwarder> logger) : BackgroundService
{
    /// <summary>Stands for a Patient ID where the study has left the archive.</summary>
    public const string UnknownPatient = "unknown";

    private const int RowsAtOnce = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(15);
    // Clocks of several services may differ: at worst two send at once, and messages come twice.
    private static readonly TimeSpan Hold = TimeSpan.FromMinutes(2);
    private readonly string _holder = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";

    /// <summary>Why messages wait, for a person; null where none do.</summary>
    public string? Fault { get; private set; }

    private SyslogOptions Syslog => options.Value.Syslog;

    private string Receiver => $"{Syslog.Host}:{Syslog.Port}";

    /// <summary>Sends the next rows. False where there are none, or another service sends.</summary>
    /// <exception cref="IOException">They could not be delivered; the next call tries the same rows again.</exception>
    public async Task<bool> SendNext(CancellationToken token)
    {
        if (await Claim(token) is not { } sent)
        {
            return false;
        }

        var rows = await database.Read(
            async c => (await c.QueryAsync<AuditRow>($"SELECT {AuditRow.Columns} FROM audit_events WHERE sequence > @sent ORDER BY sequence LIMIT {RowsAtOnce}", new { sent })).AsList(), token);
        if (rows.Count == 0)
        {
            return false;
        }

        List<byte[]> frames = [];
        foreach (var row in rows.Where(r => DicomAuditMessage.Covers(r.Action)))
        {
            var patient = row.StudyInstanceUid is { } study && DicomAuditMessage.NeedsPatient(row.Action) ? await FindPatientId(study, token) : null;
            frames.Add(SyslogTransport.Frame(row.At, Environment.MachineName, DicomAuditMessage.Create(row, $"sidecar@{Environment.MachineName}", Syslog.Site, patient)));
        }

        if (frames.Count > 0)
        {
            await new SyslogTransport(Syslog).Send(frames, token);
        }

        await database.Write(
            t => t.Connection!.ExecuteAsync("UPDATE audit_forwarding SET sequence = @last WHERE receiver = @Receiver AND sequence < @last", new { last = rows[^1].Sequence, Receiver }, t), token);
        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (string.IsNullOrEmpty(Syslog.Host))
        {
            return;
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Pause;
            try
            {
                while (await SendNext(stoppingToken))
                {
                    Fault = null;
                }

                Fault = null;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Fault = $"Audit messages wait: {Receiver} does not take them. The log has the cause.";
                LogNotDelivered(e, Receiver);
                pause = PauseAfterFault;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // How far the receiver is, where this service is the one to send; null where another is.
    private Task<long?> Claim(CancellationToken token) => database.Write(
        async t =>
        {
            var now = time.GetUtcNow();
            var claim = new { Receiver, holder = _holder, now = Instant.ToText(now), until = Instant.ToText(now + Hold) };
            await t.Connection!.ExecuteAsync("INSERT INTO audit_forwarding (receiver, sequence, holder, held_until) VALUES (@Receiver, 0, @holder, @until) ON CONFLICT (receiver) DO NOTHING", claim, t);
            return await t.Connection!.QuerySingleOrDefaultAsync<long?>(
                "UPDATE audit_forwarding SET holder = @holder, held_until = @until WHERE receiver = @Receiver AND (holder = @holder OR held_until < @now) RETURNING sequence", claim, t);
        },
        token);

    // Orthanc away is an IOException: the rows wait for it as for the receiver.
    private async Task<string> FindPatientId(string study, CancellationToken token)
    {
        if (await studies.FindStudies(study, token) is not [var id, ..] || await orthanc.FindResource(OrthancLevel.Studies, id, token) is not { ParentPatient: { } patient })
        {
            return UnknownPatient;
        }

        return (await orthanc.FindResource(OrthancLevel.Patients, new OrthancId(patient), token))?.MainDicomTags?.GetValueOrDefault("PatientID") ?? UnknownPatient;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Audit messages could not be delivered to {Receiver}; they are kept")]
    private partial void LogNotDelivered(Exception e, string receiver);
}
