using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Http;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;

namespace Sidecar.Tests.Http;

/// <summary>The real application in this process; only the two servers it asks are stubs.</summary>
internal sealed class SidecarApp : WebApplicationFactory<Program>
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sidecar-app-").FullName;

    public TokenIssuer Issuer { get; } = new("http://127.0.0.1:9/issuer");

    public MovableClock Clock { get; } = new();

    /// <summary>Answers of Orthanc; 404 for what is not there.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Orthanc { get; set; } = _ => new HttpResponseMessage(HttpStatusCode.NotFound);

    /// <summary>False: jobs wait for what the test does to them.</summary>
    public bool RunsMaskJobs { get; init; } = true;

    public bool IdentityProviderIsAway { get; set; }

    public bool IdentityProviderHasNoKeys { get; init; }

    public int KeysFetched { get; private set; }

    public Dictionary<string, string?> Settings { get; } = [];

    public HttpClient ClientWith(params string[] roles) => ClientWithToken(Issuer.Create("mia", "Mia Masker", roles));

    public HttpClient ClientWithToken(string token)
    {
        var client = CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public static HttpResponseMessage Json(string json) => new(HttpStatusCode.OK) { Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json") };

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("Orthanc:BaseUrl", "http://127.0.0.1:9");
        builder.UseSetting("Storage:Directory", _folder);
        builder.UseSetting("Discovery:Enabled", "false"); // the stub of Orthanc has only what a test asks for
        builder.UseSetting("Scans:Enabled", "false");
        builder.UseSetting("Journal:Key", Convert.ToBase64String(new byte[32]));
        builder.UseSetting("Authentication:Authority", Issuer.Issuer);
        builder.UseSetting("Authentication:Audience", TokenIssuer.Audience);
        foreach (var (name, value) in Settings)
        {
            builder.UseSetting(name, value);
        }

        builder.ConfigureTestServices(services =>
        {
            if (!RunsMaskJobs)
            {
                services.Remove(services.Single(s => s.ImplementationType == typeof(MaskJobRunner)));
            }

            services.AddSingleton<TimeProvider>(Clock);
            services.AddHttpClient(nameof(OrthancClient)).ConfigurePrimaryHttpMessageHandler(() => new Stub(r => Orthanc(r)));
            services.AddHttpClient(nameof(IdentityProvider)).ConfigurePrimaryHttpMessageHandler(() => new Stub(Publish));
        });
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            Issuer.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }

    private HttpResponseMessage Publish(HttpRequestMessage request)
    {
        if (IdentityProviderIsAway)
        {
            throw new HttpRequestException("connection refused");
        }

        if (request.RequestUri!.AbsolutePath.EndsWith("/jwks", StringComparison.Ordinal))
        {
            KeysFetched++;
            return Json(IdentityProviderHasNoKeys ? "{\"keys\":[]}" : Issuer.Keys);
        }

        return Json(Issuer.Discovery);
    }

    private sealed class Stub(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = answer(request);
            response.RequestMessage = request;
            return Task.FromResult(response);
        }
    }
}

/// <summary>The real time, moved by what a test says.</summary>
internal sealed class MovableClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}
