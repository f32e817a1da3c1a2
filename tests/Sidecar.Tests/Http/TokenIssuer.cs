using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sidecar.Tests.Http;

/// <summary>An identity provider's key pair and the documents that publish it.</summary>
public sealed class TokenIssuer : IDisposable
{
    public const string Audience = "sidecar-api";

    // Making a pair takes up to a second. All issuers of a process begin with this one; it is never disposed of, as the token library keeps it.
    private static readonly RSA FirstKey = RSA.Create(2048);
    private RSA _key = FirstKey;

    public TokenIssuer(string issuer)
    {
        Issuer = issuer;
    }

    public string Issuer { get; set; }

    public string KeyId { get; private set; } = "key-1";

    public string Discovery => JsonSerializer.Serialize(new Dictionary<string, object> { ["issuer"] = Issuer, ["jwks_uri"] = Issuer + "/jwks" });

    public string Keys
    {
        get
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_key.ExportParameters(includePrivateParameters: false)) { KeyId = KeyId });
            return JsonSerializer.Serialize(new { keys = new[] { new { kty = key.Kty, kid = key.Kid, n = key.N, e = key.E, use = "sig", alg = "RS256" } } });
        }
    }

    /// <summary>From now on tokens are signed with a new key, and only that one is published.</summary>
    public void Rotate()
    {
        _key = RSA.Create(2048);
        KeyId = "key-" + Guid.NewGuid();
    }

    public string Create(string subject, string name, string[] roles, Action<SecurityTokenDescriptor>? change = null)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()).UtcDateTime;
        var token = new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            NotBefore = now.AddMinutes(-1),
            IssuedAt = now.AddMinutes(-1),
            Expires = now.AddMinutes(30),
            Claims = new Dictionary<string, object> { ["sub"] = subject, ["name"] = name, ["roles"] = roles },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(_key) { KeyId = KeyId }, SecurityAlgorithms.RsaSha256),
        };
        change?.Invoke(token);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token);
    }

    public void Dispose()
    {
        if (_key != FirstKey)
        {
            _key.Dispose();
        }
    }
}
