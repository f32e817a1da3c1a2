using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Sidecar.Http;

/// <summary>Errors as ProblemDetails (RFC 9457). The <c>type</c> is stable and for programs, the <c>detail</c> is for people and never names a patient.</summary>
internal static class Problems
{
    private const string Prefix = "urn:sidecar:problem:";

    public static ProblemHttpResult Unauthenticated() =>
        Of(401, "unauthenticated", "Not logged in", "Your session is missing or has ended. Log in again.");

    public static ProblemHttpResult Forbidden() =>
        Of(403, "forbidden", "Not permitted", "Your account does not have the permission that this needs. Ask the administrator for the role.");

    public static ProblemHttpResult NotFound(string detail) => Of(404, "not-found", "Not found", detail);

    public static ProblemHttpResult Of(int status, string name, string title, string detail) =>
        TypedResults.Problem(Details(status, name, title, detail));

    public static ProblemDetails Details(int status, string name, string title, string detail) =>
        new() { Status = status, Type = Prefix + name, Title = title, Detail = detail };
}

/// <summary>The last line: turns what nobody handled into a ProblemDetails answer without inner details.</summary>
internal sealed partial class UnhandledProblems(ILogger<UnhandledProblems> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested)
        {
            return true; // the caller left; nobody reads an answer
        }

        var problem = exception switch
        {
            BadHttpRequestException { InnerException: JsonException json } bad => Problems.Of(bad.StatusCode, "invalid-request", "Invalid request",
                $"The request is not what the API describes{(string.IsNullOrEmpty(json.Path) ? "" : $" at {json.Path}")}."),
            BadHttpRequestException bad => Problems.Of(bad.StatusCode, "invalid-request", "Invalid request", "The request is not what the API describes."),
            IOException => Problems.Of(503, "dependency-unavailable", "Not available now",
                "A part that this service needs (image archive, identity provider or disk) does not answer as it should. Try again in a moment; /health/ready says which."),
            _ => Problems.Of(500, "internal-error", "Internal error", "The service failed on this request; nothing was changed by it. The log has the cause."),
        };
        if (problem.StatusCode >= 500)
        {
            LogFailure(exception, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName ?? "no endpoint");
        }

        await problem.ExecuteAsync(httpContext);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Endpoint} failed")]
    private partial void LogFailure(Exception e, string method, string endpoint);
}
