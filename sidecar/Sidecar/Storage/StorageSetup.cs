using Dapper;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Sidecar.Http;

namespace Sidecar.Storage;

internal static class StorageSetup
{
    public static void AddStorage(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        services.AddCheckedOptions<StorageOptions>(configuration.GetSection("Storage"), validateAtStart);
        services.AddSingleton<IValidateOptions<StorageOptions>, StorageOptionsRules>();
        services.AddSingleton<Database>();
        services.AddHealthChecks().AddCheck<StorageHealth>("storage");
    }
}

/// <summary>Can the database be written now?</summary>
internal sealed class StorageHealth(Database database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // A write that changes nothing takes the writer's way to the disk, which a full or read-only disk refuses.
            await database.Write(t => t.Connection!.ExecuteAsync("UPDATE schema_migrations SET name = name WHERE number = 1", transaction: t), cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is System.Data.Common.DbException or IOException or UnauthorizedAccessException or InvalidOperationException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("The database cannot be written; sidecar doctor says more.", e);
        }
    }
}
