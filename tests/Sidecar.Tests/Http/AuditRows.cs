using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Audit;
using Sidecar.Storage;

namespace Sidecar.Tests.Http;

internal static class AuditRows
{
    /// <summary>Rows of people's doings; those of the service's own start come whenever it has started.</summary>
    public static async Task<IReadOnlyList<AuditRow>> Read(SidecarApp app) =>
        await app.Services.GetRequiredService<Database>().Read<IReadOnlyList<AuditRow>>(
            async connection => [.. await connection.QueryAsync<AuditRow>($"SELECT {AuditRow.Columns} FROM audit_events WHERE subject <> 'service' ORDER BY sequence")],
            CancellationToken.None);
}
