using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Sidecar.Http;

namespace Sidecar.Audit;

internal static class AuditSetup
{
    public static void AddAudit(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<AuditOptions>(configuration.GetSection("Audit"), validateAtStart);
        services.AddSingleton<IValidateOptions<AuditOptions>, AuditOptionsRules>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<AuditReader>();
        services.AddSingleton<AuditVerification>();
        services.AddSingleton<CertificateIssuer>();
        services.AddSingleton<SessionAudit>();
        services.AddSingleton<RefusalAudit>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler>(s => s.GetRequiredService<RefusalAudit>());
        services.AddSingleton<CheckpointWriter>();
        services.AddSingleton<SyslogForwarder>();
        services.AddHealthChecks().AddCheck<AuditHealth>("audit");
        services.Configure<JsonOptions>(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, AuditJson.Default));
    }

    /// <summary>What goes on beside the requests. Stopped in the reverse order: the last checkpoint covers the row of the stop.</summary>
    public static void AddAuditServices(this IServiceCollection services)
    {
        services.AddHostedService(s => s.GetRequiredService<CheckpointWriter>());
        services.AddHostedService(s => s.GetRequiredService<SyslogForwarder>());
        services.AddHostedService<ServiceAudit>();
    }

    public static void UseSessionAudit(this IApplicationBuilder app) =>
        app.Use(next => context => context.RequestServices.GetRequiredService<SessionAudit>().Invoke(context, next));
}

/// <summary>Rules of <see cref="AuditOptions"/> that look at the disk.</summary>
internal sealed class AuditOptionsRules : IValidateOptions<AuditOptions>
{
    public ValidateOptionsResult Validate(string? name, AuditOptions options)
    {
        List<string> faults = [];
        if (options.CheckpointFile is { } file && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
        {
            faults.Add($"Audit:CheckpointFile: the folder of {file} does not exist. Make it, or mount the disk that holds it.");
        }

        if (options.SigningKeyFile is { } keyFile)
        {
            try
            {
                AuditKey.Read(keyFile).Dispose();
            }
            catch (InvalidOperationException e)
            {
                faults.Add($"Audit:SigningKeyFile: {e.Message}");
            }
        }

        if (options.Syslog is { Host.Length: > 0 } syslog)
        {
            faults.AddRange(((string?[])[syslog.AuthorityFile, syslog.CertificateFile, syslog.KeyFile]).OfType<string>().Where(file => !File.Exists(file)).Select(file => $"Audit:Syslog: {file} does not exist."));
            if (syslog.CertificateFile is null != syslog.KeyFile is null)
            {
                faults.Add("Audit:Syslog: CertificateFile and KeyFile are only of use together.");
            }
        }

        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
