using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Sidecar.Http;

/// <summary>
/// The identity provider's published keys. Kept for a day, and fetched again when a token names a key that is not among them.
/// </summary>
/// <remarks>
/// ConfigurationManager of the same package refreshes in the background and fails the request that met the new key; a person would be
/// told "not logged in" once after each rotation. Here that request waits for the new keys.
/// </remarks>
internal sealed class IdentityProvider(IHttpClientFactory clients, IOptions<TokenOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>Between two fetches on behalf of unknown keys, so that forged tokens cannot make this service hammer the provider.</summary>
    public static readonly TimeSpan ShortestRefresh = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestUse = TimeSpan.FromDays(1);
    private readonly SemaphoreSlim _fetching = new(1);
    private volatile Known? _known;

    private sealed record Known(OpenIdConnectConfiguration Configuration, DateTimeOffset FetchedAt);

    /// <summary>The keys as known now; fetched where none are known or they are old.</summary>
    /// <exception cref="IOException">The provider did not answer, or with something else than a discovery document of the configured issuer.</exception>
    public async Task<ICollection<SecurityKey>> ReadKeys(CancellationToken token)
    {
        var known = _known;
        return known is not null && time.GetUtcNow() - known.FetchedAt < LongestUse
            ? known.Configuration.SigningKeys
            : await Fetch(known, token);
    }

    /// <summary>The keys after a token named one that is not among <paramref name="met"/>; the same ones when they were fetched only just now.</summary>
    public async Task<ICollection<SecurityKey>> ReadNewerKeys(ICollection<SecurityKey> met, CancellationToken token)
    {
        var known = _known;
        return known is null || !ReferenceEquals(known.Configuration.SigningKeys, met) || time.GetUtcNow() - known.FetchedAt < ShortestRefresh
            ? known?.Configuration.SigningKeys ?? await Fetch(known, token)
            : await Fetch(known, token);
    }

    /// <summary>Fetches discovery document and keys now, whatever is known.</summary>
    public Task<ICollection<SecurityKey>> Probe(CancellationToken token) => Fetch(_known, token);

    private async Task<ICollection<SecurityKey>> Fetch(Known? seen, CancellationToken token)
    {
        await _fetching.WaitAsync(token);
        try
        {
            if (_known is { } newer && !ReferenceEquals(newer, seen))
            {
                return newer.Configuration.SigningKeys; // another request fetched while this one waited
            }

            var retriever = new HttpDocumentRetriever(clients.CreateClient(nameof(IdentityProvider))) { RequireHttps = false }; // TokenOptionsRules decided about http
            OpenIdConnectConfiguration configuration;
            try
            {
                configuration = await OpenIdConnectConfigurationRetriever.GetAsync(options.Value.Discovery, retriever, token);
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or ArgumentException or HttpRequestException || (e is OperationCanceledException && !token.IsCancellationRequested))
            {
                throw new IOException($"The identity provider did not give its keys at {options.Value.Discovery}: {e.Message}", e);
            }

            if (configuration.Issuer?.TrimEnd('/') != options.Value.Authority.TrimEnd('/'))
            {
                throw new IOException($"The discovery document at {options.Value.Discovery} belongs to issuer \"{configuration.Issuer}\", not to Authentication:Authority \"{options.Value.Authority}\".");
            }

            _known = new Known(configuration, time.GetUtcNow());
            return configuration.SigningKeys;
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose() => _fetching.Dispose();
}
