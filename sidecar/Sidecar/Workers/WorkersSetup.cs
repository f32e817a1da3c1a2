using Microsoft.Extensions.Options;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Text;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Workers;

internal static class WorkersSetup
{
    public static void AddWorkers(this IServiceCollection services, IConfiguration configuration, bool validateAtStart)
    {
        services.AddCheckedOptions<WorkerOptions>(configuration.GetSection(WorkerOptions.Section), validateAtStart);
        services.AddCheckedOptions<TextModelOptions>(configuration.GetSection(TextModelOptions.Section), validateAtStart);
        services.AddSingleton<IValidateOptions<TextModelOptions>, TextModelOptionsRules>();
        services.AddSingleton(provider => new QuarantineFile(provider.GetRequiredService<IOptions<StorageOptions>>().Value.QuarantineFile, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider =>
        {
            var file = provider.GetRequiredService<QuarantineFile>();
            return new Quarantine(file.ReadHashes(), file.Append);
        });
        services.AddSingleton(provider => new CodecWorkerPool(provider.GetRequiredService<IOptions<WorkerOptions>>().Value, provider.GetRequiredService<Quarantine>()));
        services.AddSingleton(provider => TextScanning.CreatePool(provider.GetRequiredService<IOptions<WorkerOptions>>().Value, provider.GetRequiredService<IOptions<TextModelOptions>>().Value));
        services.AddSingleton<ISeriesScanner>(provider => TextScanning.CreateScanner(
            NativeCodecs.AddTo(FrameCodecs.Managed, provider.GetRequiredService<CodecWorkerPool>()), provider.GetRequiredService<TextWorkerPool>(), provider.GetRequiredService<IOptions<TextModelOptions>>().Value));
        services.AddSingleton(provider => new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, provider.GetRequiredService<CodecWorkerPool>())));
        services.AddSingleton<GatheredMasking>();
    }
}
