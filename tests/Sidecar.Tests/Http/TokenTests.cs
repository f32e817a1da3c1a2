using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Sidecar.Tests.Http;

/// <summary>Which tokens are believed.</summary>
public sealed class TokenTests(SharedApp shared) : IClassFixture<SharedApp>
{
    private static readonly DateTime Now = TimeProvider.System.GetUtcNow().UtcDateTime;

    public static TheoryData<string, Action<SecurityTokenDescriptor>> Refused() => new()
    {
        { "expired", t => (t.NotBefore, t.IssuedAt, t.Expires) = (Now.AddHours(-2), Now.AddHours(-2), Now.AddMinutes(-5)) },
        { "not yet valid", t => (t.NotBefore, t.Expires) = (Now.AddMinutes(5), Now.AddMinutes(30)) },
        { "without an end", t => t.Expires = null },
        { "of another issuer", t => t.Issuer = "http://127.0.0.1:9/other" },
        { "for another audience", t => t.Audience = "another-api" },
        { "without an audience", t => t.Audience = null },
        { "without a subject", t => t.Claims.Remove("sub") },
        { "signed with a shared secret", t => t.SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(new byte[64]) { KeyId = "key-1" }, SecurityAlgorithms.HmacSha256) },
        { "signed with a weak algorithm", t => t.SigningCredentials = new SigningCredentials(t.SigningCredentials.Key, "RS384") },
        { "of an unknown key", t => t.SigningCredentials = new SigningCredentials(new RsaSecurityKey(System.Security.Cryptography.RSA.Create(2048)) { KeyId = "stranger" }, SecurityAlgorithms.RsaSha256) },
        { "of another key with a known name", t => t.SigningCredentials = new SigningCredentials(new RsaSecurityKey(System.Security.Cryptography.RSA.Create(2048)) { KeyId = "key-1" }, SecurityAlgorithms.RsaSha256) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_token_is_refused_when_it_is(string what, Action<SecurityTokenDescriptor> change)
    {
        using var client = shared.App.ClientWithToken(shared.App.Issuer.Create("mia", "Mia", ["image-masking"], change));

        using var answer = await client.GetAsync("/api/me");

        Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, what);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task A_token_without_a_signature_is_refused()
    {
        await using var app = new SidecarApp();
        var signed = app.Issuer.Create("mia", "Mia", ["image-masking"]);
        var header = Base64UrlEncoder.Encode(Encoding.ASCII.GetBytes(JsonSerializer.Serialize(new { alg = "none", typ = "JWT", kid = "key-1" })));
        foreach (var token in (string[])[$"{header}.{signed.Split('.')[1]}.", $"{header}.{signed.Split('.')[1]}.{signed.Split('.')[2]}", signed[..signed.LastIndexOf('.')] + ".", "not.a.token", "x"])
        {
            using var client = app.ClientWithToken(token);
            using var answer = await client.GetAsync("/api/me");
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task After_the_provider_rotated_its_keys_the_first_request_with_the_new_key_succeeds()
    {
        await using var app = new SidecarApp();
        using var before = app.ClientWith();
        Assert.Equal(HttpStatusCode.OK, (await before.GetAsync("/api/me")).StatusCode);
        app.Issuer.Rotate();
        app.Clock.Ahead = TimeSpan.FromSeconds(30);
        using var after = app.ClientWith();

        Assert.Equal(HttpStatusCode.OK, (await after.GetAsync("/api/me")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await before.GetAsync("/api/me")).StatusCode);
    }

    [Fact]
    public async Task Tokens_of_unknown_keys_do_not_make_the_service_hammer_the_provider()
    {
        await using var app = new SidecarApp();
        using var known = app.ClientWith();
        await known.GetAsync("/api/me");
        using var forged = app.ClientWithToken(app.Issuer.Create("mia", "Mia", [], t =>
            t.SigningCredentials = new SigningCredentials(new RsaSecurityKey(System.Security.Cryptography.RSA.Create(2048)) { KeyId = "stranger" }, SecurityAlgorithms.RsaSha256)));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await forged.GetAsync("/api/me")).StatusCode);
        }

        Assert.Equal(1, app.KeysFetched);
        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync("/api/me")).StatusCode);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_503_and_not_a_wrong_password()
    {
        await using var app = new SidecarApp { IdentityProviderIsAway = true };
        using var client = app.ClientWith();

        using var answer = await client.GetAsync("/api/me");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("urn:sidecar:problem:dependency-unavailable", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"roles":["a","b"]}""", "roles", "a,b")]
    [InlineData("""{"roles":"a"}""", "roles", "a")]
    [InlineData("""{"realm_access":{"roles":["a"]}}""", "realm_access.roles", "a")]
    [InlineData("""{"https://site.example/roles":["a"]}""", "https://site.example/roles", "a")]
    [InlineData("""{"roles":[1,null,"a"]}""", "roles", "a")]
    [InlineData("""{"realm_access":"x"}""", "realm_access.roles", "")]
    [InlineData("""{}""", "roles", "")]
    public void Roles_are_read_from_the_configured_path(string payload, string path, string roles) =>
        Assert.Equal(roles, string.Join(',', Sidecar.Http.BearerTokens.ReadRoles(JsonDocument.Parse(payload).RootElement, path).Order()));
}
