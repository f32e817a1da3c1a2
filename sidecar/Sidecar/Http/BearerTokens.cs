using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sidecar.Http;

/// <summary>
/// Believes an access token in the Authorization header when issuer, audience, lifetime and signature hold, and turns its roles into permissions.
/// </summary>
internal sealed partial class BearerTokens(
    IOptionsMonitor<AuthenticationSchemeOptions> scheme,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    IdentityProvider provider,
    IOptions<TokenOptions> tokens,
    IOptions<PermissionOptions> permissions,
    TimeProvider time) : AuthenticationHandler<AuthenticationSchemeOptions>(scheme, loggers, encoder)
{
    public const string SchemeName = "Bearer";
    public const string PermissionClaim = "permission";

    /// <summary>The provider's name for the log-in that a token came from; absent where the provider gives none.</summary>
    public const string SessionClaim = "session";

    private const string Prefix = "Bearer ";

    // Signatures by key pairs only: with an HMAC in the list a published key could be misused as a shared secret.
    private static readonly string[] Algorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256];

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        var token = header[Prefix.Length..].Trim();
        var keys = await provider.ReadKeys(Context.RequestAborted);
        var result = await Validate(token, keys);
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            result = await Validate(token, await provider.ReadNewerKeys(keys, Context.RequestAborted));
        }

        if (!result.IsValid)
        {
            LogRefused(Logger, result.Exception);
            return AuthenticateResult.Fail(result.Exception);
        }

        var jwt = (JsonWebToken)result.SecurityToken;
        if (string.IsNullOrEmpty(jwt.Subject))
        {
            LogRefused(Logger, null);
            return AuthenticateResult.Fail("The token names no subject.");
        }

        return AuthenticateResult.Success(new AuthenticationTicket(ToUser(jwt), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Unauthenticated().ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Problems.Forbidden().ExecuteAsync(Context);

    private Task<TokenValidationResult> Validate(string token, ICollection<SecurityKey> keys) =>
        new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = Algorithms,
            ValidIssuers = [tokens.Value.Authority.TrimEnd('/'), tokens.Value.Authority.TrimEnd('/') + "/"],
            ValidAudience = tokens.Value.Audience,
            IssuerSigningKeys = keys,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = (notBefore, expires, _, _) => HoldsAt(time.GetUtcNow().UtcDateTime, notBefore, expires),
        });

    // Clocks of hospital servers drift; a minute forgives that and gains an attacker nothing.
    private static bool HoldsAt(DateTime now, DateTime? notBefore, DateTime? expires)
    {
        var skew = TimeSpan.FromMinutes(1);
        return expires is not null && now < expires + skew && (notBefore is null || now >= notBefore - skew);
    }

    private ClaimsPrincipal ToUser(JsonWebToken jwt)
    {
        using var payload = JsonDocument.Parse(Base64UrlEncoder.Decode(jwt.EncodedPayload));
        var name = payload.RootElement.TryGetProperty(tokens.Value.NameClaim, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : jwt.Subject;
        var granted = permissions.Value.Of(ReadRoles(payload.RootElement, tokens.Value.RolesClaim));
        return new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim("sub", jwt.Subject), new Claim("name", name), .. ReadSession(payload.RootElement), .. granted.Select(p => new Claim(PermissionClaim, p))],
            SchemeName,
            "name",
            PermissionClaim));
    }

    // OpenID Connect Front-Channel Logout 3: sid.
    private static IEnumerable<Claim> ReadSession(JsonElement payload) =>
        payload.TryGetProperty("sid", out var sid) && sid.ValueKind == JsonValueKind.String ? [new Claim(SessionClaim, sid.GetString()!)] : [];

    /// <summary>The strings found at <paramref name="path"/>: <c>a.b.c</c> steps into objects; the end is a string or a list of strings.</summary>
    internal static IReadOnlySet<string> ReadRoles(JsonElement payload, string path)
    {
        // Some providers use a claim name with dots in it (a URL): the whole path as one name comes first.
        if (payload.TryGetProperty(path, out var found))
        {
            return ReadStrings(found);
        }

        foreach (var step in path.Split('.'))
        {
            if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty(step, out payload))
            {
                return new HashSet<string>();
            }
        }

        return ReadStrings(payload);
    }

    private static HashSet<string> ReadStrings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => [.. element.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!)],
        _ => [],
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Refused an access token")]
    private static partial void LogRefused(ILogger logger, Exception? reason);
}
