using Microsoft.Extensions.Options;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Http;

namespace Sidecar.Workers;

internal static class WorkersSetup
{
    public static void AddWorkers(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<WorkerOptions>(configuration.GetSection(WorkerOptions.Section), validateAtStart);
        services.AddSingleton(provider => new CodecWorkerPool(provider.GetRequiredService<IOptions<WorkerOptions>>().Value, new Quarantine()));
        services.AddSingleton(provider => new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, provider.GetRequiredService<CodecWorkerPool>())));
    }
}
