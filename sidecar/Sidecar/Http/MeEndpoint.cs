using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Sidecar.Http;

/// <summary>Who the caller is to this service.</summary>
internal sealed record Me(string Subject, string Name, IReadOnlyList<Permission> Permissions);

internal static class MeEndpoint
{
    public static void MapMe(this WebApplication app) =>
        app.MapGet("/api/me", Read).WithName("getMe").WithTags("Me").ProducesProblem(401);

    private static Ok<Me> Read(ClaimsPrincipal user) =>
        TypedResults.Ok(new Me(user.Subject(), user.DisplayName(), [.. user.FindAll(BearerTokens.PermissionClaim).Select(c => Enum.Parse<Permission>(c.Value, ignoreCase: true))]));

    /// <summary>The token's <c>sub</c>: who acts, for the audit.</summary>
    public static string Subject(this ClaimsPrincipal user) => user.FindFirstValue("sub")!;

    /// <summary>The name to show for the caller.</summary>
    public static string DisplayName(this ClaimsPrincipal user) => user.FindFirstValue("name")!;
}
