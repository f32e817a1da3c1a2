using System.CommandLine;
using System.Data.Common;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Workers;

namespace Sidecar.Commands;

/// <summary><c>sidecar doctor</c>: looks at everything the service needs, with the service's own settings. One line a check; exit status 1 if one fails.</summary>
internal static class DoctorCommand
{
    private const long LeastFreeBytes = 2L * 1024 * 1024 * 1024;

    public static Command Create()
    {
        var command = new Command("doctor", "Checks settings, Orthanc, storage, identity provider, native codecs and text detector, and says what to do.");
        command.SetAction((_, token) => Run(Console.Out, token));
        return command;
    }

    public static async Task<int> Run(TextWriter output, CancellationToken token)
    {
        var builder = WebApplication.CreateBuilder([]);
        builder.Configuration.AddEnvironmentVariables("SIDECAR_");
        builder.Logging.ClearProviders();
        ServeCommand.AddSidecar(builder.Services, builder.Configuration, validateAtStart: false);
        await using var app = builder.Build();
        return await Run(app.Services, output, token);
    }

    internal static async Task<int> Run(IServiceProvider services, TextWriter output, CancellationToken token)
    {
        var faults = SettingFaults(services);
        if (faults.Count > 0)
        {
            foreach (var fault in faults)
            {
                await output.WriteLineAsync($"FAILED  settings: {fault}");
            }

            return 1;
        }

        (string Name, Func<CancellationToken, Task<string?>> Check)[] checks =
        [
            ("Orthanc answers", t => CheckOrthanc(services, t)),
            ("Orthanc replaces images safely", t => CheckSafety(services, t)),
            ("Orthanc's plugins", t => CheckPlugins(services, t)),
            ("storage is writable", t => CheckStorage(services, t)),
            ("journal is empty or in work", t => CheckJournal(services, t)),
            ("kept originals are in order", t => services.GetRequiredService<SealedOriginalsEraser>().DescribeFaults(t)),
            ("storage has room", _ => Task.FromResult(CheckRoom(services))),
            ("the audit's chain holds", t => CheckAudit(services, t)),
            ("identity provider publishes keys", t => CheckIdentityProvider(services, t)),
            ("native codecs load", _ => Task.FromResult(CheckNativeCodecs(services))),
            ("text can be found and read", _ => Task.FromResult(CheckTextModels(services))),
        ];
        await output.WriteLineAsync("ok      settings");
        var status = 0;
        foreach (var (name, check) in checks)
        {
            var advice = await Ask(check, token);
            status = advice is null ? status : 1;
            await output.WriteLineAsync(advice is null ? $"ok      {name}" : $"FAILED  {name}: {advice}");
        }

        if (DescribeQuarantine(services) is { } note)
        {
            await output.WriteLineAsync($"note    quarantine: {note}");
        }

        return status;
    }

    private static List<string> SettingFaults(IServiceProvider services)
    {
        List<string> faults = [];
        Read<OrthancOptions>();
        Read<StorageOptions>();
        Read<JournalOptions>();
        Read<TokenOptions>();
        Read<PermissionOptions>();
        Read<MaskJobOptions>();
        Read<WorkerOptions>();
        Read<TextModelOptions>();
        Read<AuditOptions>();
        return faults;

        void Read<T>()
            where T : class
        {
            try
            {
                _ = services.GetRequiredService<IOptions<T>>().Value;
            }
            catch (OptionsValidationException e)
            {
                faults.AddRange(ServeCommand.FaultsOf(e));
            }
        }
    }

    // Null where all is well, else what is wrong and what to do.
    private static async Task<string?> Ask(Func<CancellationToken, Task<string?>> check, CancellationToken token)
    {
        try
        {
            return await check(token);
        }
        catch (Exception e) when (e is IOException or DbException or UnauthorizedAccessException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private static async Task<string?> CheckOrthanc(IServiceProvider services, CancellationToken token)
    {
        await services.GetRequiredService<OrthancClient>().ReadSystem(token);
        return null;
    }

    private static async Task<string?> CheckSafety(IServiceProvider services, CancellationToken token)
    {
        await services.GetRequiredService<SafetyProbe>().EnsureSafe(token);
        return null;
    }

    private static async Task<string?> CheckPlugins(IServiceProvider services, CancellationToken token)
    {
        var orthanc = services.GetRequiredService<OrthancClient>();
        var plugins = await orthanc.ReadPlugins(token);
        if (!plugins.Contains("dicom-web"))
        {
            return "The DICOMweb plugin is not loaded, so OHIF finds no images. Install orthanc-dicomweb and name it under \"Plugins\" in Orthanc's configuration.";
        }

        // The GDCM plugin needs more stack than Debian's civetweb gives its threads: decoding a compressed image ends the whole server.
        return plugins.Contains("gdcm") && (await orthanc.ReadSystem(token)).Version.StartsWith("1.10.", StringComparison.Ordinal)
            ? "The GDCM plugin is loaded; in this version of Orthanc it crashes the server on compressed images. Remove orthanc-gdcm from \"Plugins\" in Orthanc's configuration."
            : null;
    }

    private static async Task<string?> CheckStorage(IServiceProvider services, CancellationToken token)
    {
        var health = await new StorageHealth(services.GetRequiredService<Database>()).CheckHealthAsync(new(), token);
        var database = services.GetRequiredService<Database>();
        return health.Exception switch
        {
            null => null,
            InvalidOperationException and not ObjectDisposedException => health.Exception.Message, // says what to do
            _ when services.GetRequiredService<IOptions<StorageOptions>>().Value.UsesPostgres =>
                $"{database.Place} cannot be written ({health.Exception.Message}). Check that it runs, that Storage:ConnectionString is right, and that its user may create tables.",
            _ => $"{database.Place} cannot be written ({health.Exception.Message}). Give it to the user that runs the service, on a disk with free space.",
        };
    }

    private static async Task<string?> CheckJournal(IServiceProvider services, CancellationToken token)
    {
        var journal = services.GetRequiredService<ReplacementJournal>();
        var found = journal.Jobs(); // before the database is asked: a job leaves the journal first
        var open = await services.GetRequiredService<MaskJobStore>().FindOpen(found, token);
        var left = found.Where(job => !open.Contains(job)).Select(job => (Job: job, Images: journal.OpenRecords(job).Count())).ToList();
        return left.Count == 0
            ? null
            : $"It still holds {left.Sum(job => job.Images)} images of {left.Count} jobs that nobody works on ({string.Join(", ", left.Select(job => job.Job))}). Start the service again: it settles them, or says in its log why it cannot.";
    }

    private static string? CheckRoom(IServiceProvider services)
    {
        var folder = Path.GetFullPath(services.GetRequiredService<IOptions<StorageOptions>>().Value.Directory);
        return DescribeRoom(folder, new DriveInfo(folder).AvailableFreeSpace);
    }

    /// <summary>Null where that many free bytes are enough.</summary>
    internal static string? DescribeRoom(string folder, long free) =>
        free >= LeastFreeBytes
            ? null
            : $"{folder} has {free / (1024 * 1024)} MB left; the journal needs room for the images in work. Free {LeastFreeBytes / (1024 * 1024)} MB or name another folder in Storage:Directory.";

    private static async Task<string?> CheckAudit(IServiceProvider services, CancellationToken token)
    {
        var options = services.GetRequiredService<IOptions<AuditOptions>>().Value;
        if (options.CheckpointFile is { } file)
        {
            await using var writable = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        }

        var (verdict, _, _) = await services.GetRequiredService<AuditVerification>().VerifyWithCheckpoints(options.CheckpointFile, options.SigningKeyFile, token);
        return verdict.Fault;
    }

    private static async Task<string?> CheckIdentityProvider(IServiceProvider services, CancellationToken token) =>
        (await services.GetRequiredService<IdentityProvider>().Probe(token)).Count > 0
            ? null
            : "It publishes no signing keys. Check Authentication:Authority.";

    // What is wrong comes as an exception that says what to do.
    private static string? CheckNativeCodecs(IServiceProvider services)
    {
        services.GetRequiredService<CodecWorkerPool>().DescribeLibraries();
        return null;
    }

    private static string? CheckTextModels(IServiceProvider services)
    {
        var pool = services.GetRequiredService<TextWorkerPool>();
        pool.DescribeLibraries();
        return pool.HasDetector ? null
            : $"{TextScanning.DescribeMissingDetector(services.GetRequiredService<IOptions<TextModelOptions>>().Value)} Until then images are scanned in the weak mode, which misses more text.";
    }

    private static string? DescribeQuarantine(IServiceProvider services) => services.GetRequiredService<Quarantine>().Count switch
    {
        0 => null,
        var count => $"compressed frames that ended their codec worker twice and are refused now: {count}. {services.GetRequiredService<QuarantineFile>().Path} lists them; "
            + "to try them again, for instance after an update of the codecs, delete it and restart the service.",
    };
}
