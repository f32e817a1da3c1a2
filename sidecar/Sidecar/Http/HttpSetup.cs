using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Sidecar.Http;

/// <summary>What every endpoint shares: who asks, how errors look, health, and the API's description.</summary>
internal static class HttpSetup
{
    public static void AddSidecarHttp(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<TokenOptions>(configuration.GetSection("Authentication"), validateAtStart);
        services.AddSingleton<IValidateOptions<TokenOptions>, TokenOptionsRules>();
        services.AddCheckedOptions<PermissionOptions>(configuration.GetSection("Permissions"), validateAtStart);
        // The framework's own log lines of a request hold its address with the query, where a search names patients.
        services.ConfigureHttpClientDefaults(client => client.RemoveAllLoggers());
        services.AddHttpClient(nameof(IdentityProvider), client => client.Timeout = TimeSpan.FromSeconds(10));
        services.AddSingleton<IdentityProvider>();
        services.AddAuthentication(BearerTokens.SchemeName).AddScheme<AuthenticationSchemeOptions, BearerTokens>(BearerTokens.SchemeName, null);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new Microsoft.AspNetCore.Authorization.AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(PermissionOptions.MaskPermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.MaskPermission))
            .AddPolicy(PermissionOptions.ConfirmPermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.ConfirmPermission))
            .AddPolicy(PermissionOptions.RestorePermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.RestorePermission))
            .AddPolicy(PermissionOptions.JobsPolicy, p => p.RequireAuthenticatedUser().RequireClaim(
                BearerTokens.PermissionClaim, PermissionOptions.MaskPermission, PermissionOptions.ConfirmPermission, PermissionOptions.RestorePermission))
            .AddPolicy(PermissionOptions.ReviewPermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.ReviewPermission))
            .AddPolicy(PermissionOptions.AdministerPermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.AdministerPermission))
            .AddPolicy(PermissionOptions.MaskOrReviewPolicy, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.MaskPermission, PermissionOptions.ReviewPermission))
            .AddPolicy(PermissionOptions.DashboardPolicy, p => p.RequireAuthenticatedUser().RequireClaim(
                BearerTokens.PermissionClaim, PermissionOptions.ReviewPermission, PermissionOptions.AuditPermission, PermissionOptions.AdministerPermission))
            .AddPolicy(PermissionOptions.AuditPermission, p => p.RequireAuthenticatedUser().RequireClaim(BearerTokens.PermissionClaim, PermissionOptions.AuditPermission))
            .AddPolicy(PermissionOptions.CertificatePolicy, p => p.RequireAuthenticatedUser().RequireClaim(
                BearerTokens.PermissionClaim, PermissionOptions.MaskPermission, PermissionOptions.ConfirmPermission, PermissionOptions.AuditPermission));
        services.AddCheckedOptions<RateLimitOptions>(configuration.GetSection("RateLimit"), validateAtStart);
        services.AddRateLimits();
        services.AddProblemDetails();
        services.AddExceptionHandler<UnhandledProblems>();
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.Configure<JsonOptions>(o =>
        {
            o.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            o.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            o.SerializerOptions.RespectNullableAnnotations = true;
            o.SerializerOptions.RespectRequiredConstructorParameters = true;
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, HttpJson.Default);
        });
        services.AddOpenApi(o => o.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "Sidecar", Version = "1", Description = "Masks burned-in patient data in the images of an Orthanc server." };
            document.Servers?.Clear(); // the port of whoever built it is nobody's business
            return Task.CompletedTask;
        }));
        services.AddHealthChecks().AddCheck<IdentityProviderHealth>("identityProvider");
    }

    /// <param name="app">What is built.</param>
    /// <param name="onceKnown">What comes between knowing who asks and deciding whether he may.</param>
    public static void UseSidecarHttp(this WebApplication app, Action<IApplicationBuilder> onceKnown)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseAuthentication();
        onceKnown(app);
        app.UseAuthorization();
        app.UseRateLimiter();
        app.MapOpenApi();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteHealth }).AllowAnonymous();
    }

    /// <summary>Binds a section, checks its attributes, and (when serving) refuses to start on a fault.</summary>
    public static void AddCheckedOptions<T>(this IServiceCollection services, IConfigurationSection section, bool validateAtStart)
        where T : class
    {
        var options = services.AddOptions<T>().Bind(section).ValidateDataAnnotations();
        if (validateAtStart)
        {
            options.ValidateOnStart();
        }
    }

    private static Task WriteHealth(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new HealthView(
                Word(report.Status),
                [.. report.Entries.Select(e => new HealthCheckView(e.Key, Word(e.Value.Status), e.Value.Description)).OrderBy(c => c.Name, StringComparer.Ordinal)]),
            HttpJson.Default.HealthView,
            cancellationToken: context.RequestAborted);

    private static string Word(HealthStatus status) => status == HealthStatus.Healthy ? "ok" : "failed";
}

internal sealed record HealthView(string Status, IReadOnlyList<HealthCheckView> Checks);

internal sealed record HealthCheckView(string Name, string Status, string? Detail);

/// <summary>Are the identity provider's keys known, or can they be fetched?</summary>
internal sealed class IdentityProviderHealth(IdentityProvider provider) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var keys = await provider.ReadKeys(cancellationToken);
            return keys.Count > 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The identity provider publishes no signing keys.");
        }
        catch (IOException)
        {
            return HealthCheckResult.Unhealthy("The identity provider's keys cannot be fetched; sidecar doctor says more.");
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, NumberHandling = JsonNumberHandling.Strict, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(Me))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class HttpJson : JsonSerializerContext;
