using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Storage;

namespace Sidecar.Tests.Http;

internal sealed record AuditRow
{
    public long Sequence { get; init; }

    public string Action { get; init; } = "";

    public string Subject { get; init; } = "";

    public string Name { get; init; } = "";

    public string Details { get; init; } = "";
}

internal static class AuditRows
{
    public static async Task<IReadOnlyList<AuditRow>> Read(SidecarApp app) =>
        await app.Services.GetRequiredService<Database>().Read<IReadOnlyList<AuditRow>>(
            async connection => [.. await connection.QueryAsync<AuditRow>("SELECT sequence, action, subject, name, details FROM audit_events ORDER BY sequence")],
            CancellationToken.None);
}
