using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Writes down that a known person was refused for want of a permission (403).</summary>
internal sealed class RefusalAudit(Database database, AuditLog audit) : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _default = new();

    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Forbidden)
        {
            // The path is ours and holds ids at most; the query stays out, a search names patients there.
            var refused = new AuditEvent("refused", context.User.Subject(), context.User.DisplayName())
            {
                Details = new() { ["method"] = context.Request.Method, ["path"] = context.Request.Path.Value },
            };
            await database.Write(async t => { await audit.Append(t, refused); return 0; }, context.RequestAborted);
        }

        await _default.HandleAsync(next, context, policy, authorizeResult);
    }
}

internal static class AuditSetup
{
    public static void AddAudit(this IServiceCollection services)
    {
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusalAudit>();
    }
}
