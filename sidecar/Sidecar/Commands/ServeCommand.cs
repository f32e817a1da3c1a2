using System.CommandLine;
using System.Reflection;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Reviews;
using Sidecar.Scans;
using Sidecar.Storage;
using Sidecar.Telemetry;
using Sidecar.Workers;

namespace Sidecar.Commands;

/// <summary><c>sidecar serve</c>: the HTTP service, the runner of mask jobs and the scans, until it is told to stop.</summary>
internal static class ServeCommand
{
    // Microsoft.Extensions.ApiDescription.Server starts the program only to read the API's description; no setting is there then.
    private static bool OnlyDescribesApi => Assembly.GetEntryAssembly()?.GetName().Name == "GetDocument.Insider";

    public static Command Create()
    {
        var command = new Command("serve", "Runs the service. Settings come from SIDECAR_… environment variables or appsettings.json.");
        command.SetAction(_ => Run([]));
        return command;
    }

    public static async Task<int> Run(string[] hostSettings)
    {
        await using var app = Build(hostSettings);
        try
        {
            await app.RunAsync();
            return 0;
        }
        catch (Exception e) when (FaultsOf(e) is { Count: > 0 } faults)
        {
            await Console.Error.WriteLineAsync("The settings are not usable:");
            foreach (var fault in faults)
            {
                await Console.Error.WriteLineAsync($"  - {fault}");
            }

            return 2;
        }
    }

    /// <summary>The wrong settings behind a refused start, all of them at once.</summary>
    public static IReadOnlyList<string> FaultsOf(Exception e) => e switch
    {
        OptionsValidationException options => [.. options.Failures.Select(SentenceOf)],
        AggregateException many => [.. many.InnerExceptions.SelectMany(FaultsOf)],
        _ => [],
    };

    // .NET puts names of types and members around the sentence of an attribute.
    private static string SentenceOf(string failure)
    {
        const string Before = " with the error: '";
        return failure.StartsWith("DataAnnotation ", StringComparison.Ordinal) && failure.IndexOf(Before, StringComparison.Ordinal) is >= 0 and var at ? failure[(at + Before.Length)..^2] : failure;
    }

    private static WebApplication Build(string[] hostSettings)
    {
        // Settings are read once, at the start. To watch their files is to watch the working directory, where the state may lie.
        var builder = WebApplication.CreateBuilder([.. hostSettings, "--hostBuilder:reloadConfigOnChange=false"]);
        builder.Configuration.AddEnvironmentVariables("SIDECAR_");
        builder.Logging.ClearProviders().AddJsonConsole(o => o.UseUtcTimestamp = true);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // at Information it writes each address with its query, where a search names patients
        builder.Logging.AddFilter("Quartz", LogLevel.Warning); // thirty lines at each start that say nothing to an administrator
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = 1024 * 1024; // the largest honest request is a list of regions and series
        });
        AddSidecar(builder.Services, builder.Configuration, validateAtStart: !OnlyDescribesApi);
        if (!OnlyDescribesApi)
        {
            builder.Services.AddAuditServices();
            builder.Services.AddHostedService<MaskJobRunner>();
            builder.Services.AddHostedService<QueueWatch>();
            builder.Services.AddHostedService(s => s.GetRequiredService<SealedOriginalsEraser>());
            builder.Services.AddHostedService(s => s.GetRequiredService<ReviewWatch>());
            builder.Services.AddScanServices(builder.Configuration);
        }

        var app = builder.Build();
        app.UseSidecarHttp(onceKnown: a => a.UseSessionAudit());
        app.MapMetrics();
        app.MapMe();
        app.MapMaskJobs();
        app.MapFindings();
        app.MapReviews();
        app.MapTemplates();
        app.MapSamples();
        app.MapScans();
        app.MapScanSchedules();
        app.MapAudit();
        app.MapCertificates();
        app.MapAuthorizeRead().AddEndpointFilter<RouteHandlerBuilder, HeldReads>();
        app.MapQido().AddEndpointFilter<RouteGroupBuilder, HeldSearches>();
        return app;
    }

    /// <summary>Every part of the service, as <c>serve</c> and <c>doctor</c> use them.</summary>
    public static void AddSidecar(IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddTelemetry(configuration, validateAtStart);
        services.AddStorage(configuration, validateAtStart);
        services.AddAudit(configuration, validateAtStart);
        services.AddSidecarHttp(configuration, validateAtStart);
        services.AddWorkers(configuration, validateAtStart);
        services.AddOrthanc(configuration, validateAtStart);
        services.AddMaskJobs(configuration, validateAtStart);
        services.AddReviews(configuration, validateAtStart);
        services.AddScans(configuration, validateAtStart);
    }
}
