using Microsoft.AspNetCore.Http.Json;
using Sidecar.Http;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

internal static class MaskJobSetup
{
    public static void AddMaskJobs(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<MaskJobOptions>(configuration.GetSection("MaskJobs"), validateAtStart);
        services.AddSingleton<MaskJobSignal>();
        services.AddSingleton<MaskJobPace>();
        services.AddSingleton<MaskJobStore>();
        services.AddSingleton<MaskJobReader>();
        services.AddSingleton<MaskJobQueue>();
        services.AddSingleton<MaskJobTurns>();
        services.AddSingleton<MaskJobsAtWork>();
        services.AddSingleton<MaskJobPlanner>();
        services.AddSingleton<AcceptedFindings>();
        services.AddSingleton<MaskJobCreation>();
        services.AddSingleton<MaskJobConfirmation>();
        services.AddSingleton<MaskJobRestoration>();
        services.AddSingleton<SealedOriginalsEraser>();
        services.AddSingleton<MaskJobEvents>();
        services.AddSingleton<IStudyWatcher, ResentOriginals>();
        services.Configure<JsonOptions>(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, MaskJobJson.Default));
    }
}
