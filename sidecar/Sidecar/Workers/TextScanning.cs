using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Text;
using Sidecar.Dicom.Text.Kinds;

namespace Sidecar.Workers;

/// <summary>Puts the finding of text together, for the service and for the command line alike.</summary>
internal static class TextScanning
{
    /// <summary>A damaged model finds other text and says nothing: only the pinned files make the full mode.</summary>
    public static TextWorkerPool CreatePool(WorkerOptions options, TextModelOptions models) =>
        new(options, models.FindFiles() is { } files && files.FindFault() is null ? files : null, models);

    /// <summary>Why scanning is weak, and what to do.</summary>
    public static string DescribeMissingDetector(TextModelOptions models) => models.FindFiles()?.FindFault()
        ?? "The folder text-models is neither beside the executable nor in the repository. Run 'npm ci --ignore-scripts' in it, or name it in TextModels:Directory.";

    /// <param name="codecs">For compressed frames.</param>
    /// <param name="text">Finds and reads lines.</param>
    /// <param name="models">Settings.</param>
    /// <exception cref="IOException">The site's list of harmless markings cannot be read.</exception>
    public static SeriesScanner CreateScanner(FrameCodecs codecs, TextWorkerPool text, TextModelOptions models)
    {
        using var harmless = models.HarmlessFile.Length > 0 ? File.OpenText(models.HarmlessFile) : TextReader.Null;
        return new SeriesScanner(codecs, text.HasDetector ? text : null, text, HarmlessWords.Load(harmless));
    }
}
