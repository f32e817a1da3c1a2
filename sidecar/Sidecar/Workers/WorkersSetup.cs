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
        // A damaged model finds other text and says nothing: only the pinned files make the full mode.
        services.AddSingleton(provider => new TextWorkerPool(
            provider.GetRequiredService<IOptions<WorkerOptions>>().Value,
            provider.GetRequiredService<IOptions<TextModelOptions>>().Value.FindFiles() is { } files && files.FindFault() is null ? files : null,
            provider.GetRequiredService<IOptions<TextModelOptions>>().Value));
        services.AddSingleton<ISeriesScanner>(provider =>
        {
            var text = provider.GetRequiredService<TextWorkerPool>();
            return new SeriesScanner(NativeCodecs.AddTo(FrameCodecs.Managed, provider.GetRequiredService<CodecWorkerPool>()), text.HasDetector ? text : null);
        });
        services.AddSingleton(provider => new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, provider.GetRequiredService<CodecWorkerPool>())));
    }
}
