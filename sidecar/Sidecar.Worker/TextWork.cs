namespace Sidecar.Worker;

/// <summary>What a text worker does: finds lines with the detector where it is installed, and reads them.</summary>
internal sealed class TextWork
{
    private readonly TextDetector? detector;
    private readonly LineReader reader;

    /// <param name="modelsDirectory">The folder of <see cref="TextModelFiles"/>; empty where there is no detector.</param>
    /// <param name="languageDirectory">Where Tesseract's languages are.</param>
    /// <param name="languages">Tesseract's names with + between them.</param>
    /// <exception cref="WorkerException">A file is damaged or a library does not load.</exception>
    public TextWork(string modelsDirectory, string languageDirectory, string languages)
    {
        detector = modelsDirectory.Length > 0 ? new TextDetector(new TextModelFiles(modelsDirectory)) : null;
        reader = new LineReader(languageDirectory, languages);
    }

    /// <summary>The libraries and models at work, with their versions.</summary>
    public string Libraries => detector is null ? reader.Name : $"{TextDetector.Name}, {reader.Name}";

    /// <exception cref="WorkerException">It cannot be done.</exception>
    public void Do(in WorkerRequest request, NativeBuffer received, NativeBuffer answer)
    {
        switch (request.Operation)
        {
            case WorkerOperation.DetectText when detector is not null:
                detector.Detect(request, received, answer);
                break;
            case WorkerOperation.ReadText:
                reader.Read(request, received, answer);
                break;
            default:
                throw new WorkerException(WorkerStatus.Unsupported, "The text worker does not know this request.");
        }
    }
}
