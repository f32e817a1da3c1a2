using System.Net;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Sidecar.Http;

namespace Sidecar.Orthanc;

internal static class OrthancSetup
{
    public static void AddOrthanc(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<OrthancOptions>(configuration.GetSection("Orthanc"), validateAtStart);
        services.AddSingleton<IValidateOptions<OrthancOptions>, OrthancOptionsRules>();
        services.AddHttpClient(nameof(OrthancClient), Configure)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // the client below lives as long as the service; connections are renewed by the handler
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                // Orthanc closes idle connections after one second; a request sent into that moment would be lost.
                PooledConnectionIdleTimeout = TimeSpan.FromMilliseconds(800),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                ConnectTimeout = TimeSpan.FromSeconds(5),
                ConnectCallback = (context, token) => OrthancConnection.Open(context.DnsEndPoint, token),
                // Orthanc 1.10.1 would gzip images: 28 s instead of 1 s for a 288 MB file.
                AutomaticDecompression = DecompressionMethods.None,
                AllowAutoRedirect = false,
                UseCookies = false,
                ActivityHeadersPropagator = null, // Orthanc does not take part in traces
            });
        services.AddSingleton(provider => new OrthancClient(provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(OrthancClient)), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<OrthancReach>();
        services.AddSingleton<SafetyProbe>();
        services.AddSingleton<StudyReader>();
        services.AddSingleton<IValidateOptions<DiscoveryOptions>, DiscoveryOptionsRules>();
        services.AddCheckedOptions<DiscoveryOptions>(configuration.GetSection("Discovery"), validateAtStart);
        services.AddSingleton<DiscoveryStore>();
        services.AddSingleton<DiscoverySignal>();
        services.AddSingleton<ChangeFeed>();
        services.AddCheckedOptions<JournalOptions>(configuration.GetSection("Journal"), validateAtStart);
        services.AddSingleton<IValidateOptions<JournalOptions>>(new JournalOptions.Rules(configuration["Storage:Directory"]));
        services.AddSingleton<JournalKey>();
        services.AddSingleton<ReplacementJournal>();
        services.AddSingleton<SealedOriginals>();
        services.AddSingleton<ResourceSnapshots>();
        services.AddSingleton<WorkLimit>();
        services.AddSingleton<SafeReplacement>();
        services.AddHealthChecks().AddCheck<OrthancHealth>("orthanc");
    }

    private static void Configure(IServiceProvider provider, HttpClient client)
    {
        var options = provider.GetRequiredService<IOptions<OrthancOptions>>().Value;
        client.BaseAddress = options.Root;
        client.Timeout = Timeout.InfiniteTimeSpan; // each call has its own limit, from the last byte on
        client.DefaultRequestHeaders.Authorization = options.Credentials();
    }
}

/// <summary>Does Orthanc answer, and can images be replaced in it safely?</summary>
internal sealed class OrthancHealth(OrthancClient orthanc, SafetyProbe probe) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await orthanc.ReadSystem(cancellationToken);
            return probe.Finding is { } finding ? HealthCheckResult.Unhealthy(finding) : HealthCheckResult.Healthy();
        }
        catch (OrthancException)
        {
            return HealthCheckResult.Unhealthy("Orthanc does not answer, or refuses the service's user; sidecar doctor says more.");
        }
    }
}
