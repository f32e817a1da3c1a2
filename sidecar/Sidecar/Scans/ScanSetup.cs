using Microsoft.AspNetCore.Http.Json;
using Microsoft.Data.Sqlite;
using Npgsql;
using Quartz;
using Sidecar.Http;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Scans;

internal static class ScanSetup
{
    public static void AddScans(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<ScanOptions>(configuration.GetSection("Scans"), validateAtStart);
        services.AddSingleton<ScanSignal>();
        services.AddSingleton<ScanLedger>();
        services.AddSingleton<ScanRunStore>();
        services.AddSingleton<ScanWorkQueue>();
        services.AddSingleton<ScanScheduleStore>();
        services.AddSingleton<SeriesSorter>();
        services.AddSingleton<SeriesScan>();
        services.AddSingleton<IStudyWatcher, ArrivalWatcher>();
        services.AddHealthChecks().AddCheck<DetectorHealth>("textDetector");
        services.Configure<JsonOptions>(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ScanJson.Default));
    }

    /// <summary>What goes on beside the requests.</summary>
    public static void AddScanServices(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddQuartz(quartz => Configure(quartz, configuration.GetSection("Storage").Get<StorageOptions>() ?? new StorageOptions()));
        services.AddHostedService<ScanScheduler>();
        services.AddHostedService<Discovery>();
        services.AddHostedService<WakeFile>();
        services.AddHostedService<ScanPlanner>();
        services.AddHostedService<ScanRunner>();
    }

    // Quartz refuses to share SQLite between nodes; with it there is one. Its tables are in a file of their own there, so that neither waits for the other's writes.
    private static void Configure(IQuartzBuilder quartz, StorageOptions storage)
    {
        quartz.ConfigureScheduler(o =>
        {
            o.InstanceName = "sidecar";
            o.InstanceId = $"{Environment.MachineName}-{Environment.ProcessId}";
            o.IdleWaitTime = TimeSpan.FromSeconds(5); // else 30 s may pass before a new schedule runs for the first time
        });
        quartz.UseDefaultThreadPool(1);
        quartz.UsePersistentStore(store =>
        {
            if (storage.UsesPostgres)
            {
                store.UsePostgres(NpgsqlFactory.Instance, storage.ConnectionString);
                store.UseClustering();
            }
            else
            {
                store.UseSqlite(SqliteFactory.Instance, new SqliteConnectionStringBuilder { DataSource = Path.Combine(storage.Directory, "schedules.db") }.ToString());
            }

            store.ProvisionSchema();
        });
    }
}
