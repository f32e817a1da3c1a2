using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>
/// Writes down log-ins and refused tokens. The log-in itself happens at the identity provider; here it shows as the first request of a session,
/// which is answered only when its row is stored.
/// </summary>
/// <remarks>
/// The token's <c>sid</c> names the session. Where a provider gives none, half an hour without a request ends it.
/// </remarks>
internal sealed class SessionAudit(Database database, AuditLog audit, TimeProvider time)
{
    private static readonly TimeSpan Gap = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Forget = TimeSpan.FromDays(30);
    private static readonly TimeSpan PauseBetweenRefusals = TimeSpan.FromMinutes(1);
    private const int MostRemembered = 10_000;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _seen = new();
    private readonly ConcurrentDictionary<string, Refusals> _refused = new();

    private sealed record Refusals(DateTimeOffset ToldAt, int Untold);

    public async Task Invoke(HttpContext context, RequestDelegate next)
    {
        if (context.User.Identity is { IsAuthenticated: true })
        {
            await NoteSession(context.User, AddressOf(context), context.RequestAborted);
        }
        else if ((await context.AuthenticateAsync()).Failure is { } failure) // looked up, not done again
        {
            await NoteRefusal(ReasonOf(failure), context.RequestAborted);
        }

        await next(context);
    }

    private async Task NoteSession(ClaimsPrincipal user, string? address, CancellationToken token)
    {
        var sid = user.FindFirstValue(BearerTokens.SessionClaim);
        var session = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{user.Subject()}\n{sid}")));
        var now = time.GetUtcNow();
        if (_seen.TryGetValue(session, out var seen) && now - seen < LookAgain)
        {
            return;
        }

        await database.Write(
            async t =>
            {
                var row = new { session, now = Instant.ToText(now), ended = Instant.ToText(now - Gap), old = Instant.ToText(now - Forget) };
                var isNew = await t.Connection!.ExecuteAsync("INSERT INTO audit_sessions (session, seen_at) VALUES (@session, @now) ON CONFLICT (session) DO NOTHING", row, t) > 0;
                if (isNew)
                {
                    await t.Connection!.ExecuteAsync("DELETE FROM audit_sessions WHERE seen_at < @old", row, t);
                }
                else
                {
                    isNew = sid is null && await t.Connection!.ExecuteAsync("UPDATE audit_sessions SET seen_at = @now WHERE session = @session AND seen_at < @ended", row, t) > 0;
                    await t.Connection!.ExecuteAsync("UPDATE audit_sessions SET seen_at = @now WHERE session = @session", row, t);
                }

                if (isNew)
                {
                    await audit.Append(t, new AuditEvent("loggedIn", user.Subject(), user.DisplayName())
                    {
                        Details = new() { ["address"] = address, ["permissions"] = new JsonArray([.. user.FindAll(BearerTokens.PermissionClaim).Select(c => (JsonNode)c.Value)]) },
                    });
                }

                return 0;
            },
            token);
        if (_seen.Count >= MostRemembered)
        {
            _seen.Clear(); // the table remembers
        }

        _seen[session] = now;
    }

    // nginx, the only one that reaches this service, puts the browser's address here and lets nobody choose it.
    private static string? AddressOf(HttpContext context) =>
        context.Request.Headers["X-Forwarded-For"].ToString() is { Length: > 0 } forwarded ? forwarded[..Math.Min(forwarded.Length, 64)] : context.Connection.RemoteIpAddress?.ToString();

    // One row a minute and reason, which counts those before it: whoever sends forged tokens must not fill the disk.
    private async Task NoteRefusal(string reason, CancellationToken token)
    {
        var now = time.GetUtcNow();
        var told = _refused.AddOrUpdate(
            reason,
            _ => new Refusals(now, 0),
            (_, before) => now - before.ToldAt < PauseBetweenRefusals ? before with { Untold = before.Untold + 1 } : new Refusals(now, -before.Untold));
        if (told.ToldAt == now && told.Untold <= 0)
        {
            await audit.AppendAlone(database, new AuditEvent("tokenRefused", "unknown", "") { Details = new() { ["reason"] = reason, ["othersSinceTheLastRow"] = -told.Untold } }, token);
            _refused.TryUpdate(reason, told with { Untold = 0 }, told);
        }
    }

    private static string ReasonOf(Exception failure) => failure switch
    {
        SecurityTokenExpiredException or SecurityTokenInvalidLifetimeException or SecurityTokenNotYetValidException or SecurityTokenNoExpirationException => "lifetime",
        SecurityTokenInvalidAudienceException => "audience",
        SecurityTokenInvalidIssuerException => "issuer",
        SecurityTokenInvalidSignatureException => "signature",
        SecurityTokenMalformedException => "malformed",
        _ => "other",
    };
}
