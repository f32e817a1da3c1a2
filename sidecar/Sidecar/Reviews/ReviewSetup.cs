using Microsoft.AspNetCore.Http.Json;
using Sidecar.Http;

namespace Sidecar.Reviews;

internal static class ReviewSetup
{
    public static void AddReviews(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<ReviewOptions>(configuration.GetSection("Reviews"), validateAtStart);
        services.AddSingleton<FindingReader>();
        services.AddSingleton<FindingDecisions>();
        services.AddSingleton<ReviewRefresh>();
        services.AddSingleton<ReviewReader>();
        services.AddSingleton<ReviewStore>();
        services.AddSingleton<ReviewWatch>();
        services.AddSingleton<HeldStudies>();
        services.AddSingleton<TemplateStore>();
        services.AddSingleton<SampleStore>();
        services.AddSingleton<DashboardReader>();
        services.Configure<JsonOptions>(o =>
        {
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, FindingJson.Default);
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, ReviewJson.Default);
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, TemplateJson.Default);
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, SampleJson.Default);
        });
    }
}
