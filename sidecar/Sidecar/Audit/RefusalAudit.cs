using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Writes down that a known person was refused: for want of a permission (403), or because what was asked for cannot be done.</summary>
internal sealed class RefusalAudit(Database database, AuditLog audit) : IAuthorizationMiddlewareResultHandler, IEndpointFilter
{
    private readonly AuthorizationMiddlewareResultHandler _default = new();

    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Forbidden)
        {
            await Append(context, StatusCodes.Status403Forbidden, null);
        }

        await _default.HandleAsync(next, context, policy, authorizeResult);
    }

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        if ((result is INestedHttpResult nested ? nested.Result : result) is ProblemHttpResult refused)
        {
            await Append(context.HttpContext, refused.StatusCode, refused.ProblemDetails.Type);
        }

        return result;
    }

    // The path is ours and holds ids at most; the query stays out, a search names patients there.
    private Task Append(HttpContext context, int status, string? problem)
    {
        var refused = new AuditEvent("refused", context.User.Subject(), context.User.DisplayName())
        {
            Details = new() { ["method"] = context.Request.Method, ["path"] = context.Request.Path.Value, ["status"] = status, ["problem"] = problem ?? "urn:sidecar:problem:forbidden" },
        };
        return audit.AppendAlone(database, refused, context.RequestAborted);
    }
}
