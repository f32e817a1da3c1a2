using System.Runtime.InteropServices;
using System.Text;

namespace Sidecar.Worker;

/// <summary>Reads one line of text with Tesseract.</summary>
internal sealed unsafe class LineReader
{
    /// <summary>A line takes 15 ms. Damaged or endless ones are given up by Tesseract itself, which is cheaper than losing the worker.</summary>
    private const int DeadlineMilliseconds = 3000;

    /// <summary>Letters of screens; only Tesseract's own guess of what is noise depends on it.</summary>
    private const int PixelsPerInch = 150;

    private readonly string languageDirectory;
    private readonly string languages;
    private readonly LinePicture picture = new();
    private nint api;

    /// <exception cref="WorkerException">Tesseract is not installed, or of another version.</exception>
    public LineReader(string languageDirectory, string languages)
    {
        (this.languageDirectory, this.languages) = (languageDirectory, languages);
        try
        {
            Name = $"Tesseract {Marshal.PtrToStringUTF8(Tesseract.Version())} ({languages})";
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new WorkerException(WorkerStatus.Unsupported, "Tesseract 5 is not installed. Install the Debian package tesseract-ocr.");
        }
    }

    public string Name { get; }

    /// <summary>Reads a line of grey pixels, upright, bright on dark or dark on bright.</summary>
    /// <param name="request">Its size.</param>
    /// <param name="line">Its pixels.</param>
    /// <param name="answer">Gets the confidence, 0 to 1, as a float, and then what was read in UTF-8; nothing after the float where nothing was.</param>
    /// <exception cref="WorkerException">The size is not what the pixels are, the languages do not load, or time is up.</exception>
    public void Read(in WorkerRequest request, NativeBuffer line, NativeBuffer answer)
    {
        if (request.Columns < 1 || request.Rows < 1 || request.Components != 1 || request.SampleBytes != 1 || line.Length != request.FrameBytes)
        {
            throw new WorkerException(WorkerStatus.Unsupported, "The line has another length than its size asks for.");
        }
        Start();
        picture.Prepare(line.Span, request.Columns, request.Rows);
        var monitor = Tesseract.CreateMonitor();
        try
        {
            fixed (byte* pixels = picture.Pixels)
            {
                Tesseract.SetImage(api, pixels, picture.Width, picture.Height, 1, picture.Width);
            }
            Tesseract.SetSourceResolution(api, PixelsPerInch);
            Tesseract.SetDeadline(monitor, DeadlineMilliseconds);
            if (Tesseract.Recognize(api, monitor) != 0)
            {
                throw new WorkerException(WorkerStatus.Damaged, "Tesseract gave the line up.");
            }
            var text = Tesseract.GetText(api);
            var read = (Marshal.PtrToStringUTF8(text) ?? "").Trim();
            Tesseract.DeleteText(text);
            var confidence = read.Length == 0 ? 0 : Tesseract.MeanConfidence(api) / 100f;
            read = confidence > 0 ? read : ""; // it reads letters in an empty picture, and does not believe them itself
            var target = answer.Resize(sizeof(float) + Encoding.UTF8.GetByteCount(read));
            MemoryMarshal.Write(target, confidence);
            Encoding.UTF8.GetBytes(read, target[sizeof(float)..]);
        }
        finally
        {
            Tesseract.Clear(api);
            Tesseract.DeleteMonitor(monitor);
        }
    }

    // With the first line: many images have none, and loading takes a tenth of a second a language.
    private void Start()
    {
        if (api != 0)
        {
            return;
        }
        var created = Tesseract.Create();
        if (Tesseract.Initialize(created, languageDirectory, languages) != 0)
        {
            throw new WorkerException(WorkerStatus.Unsupported, $"Tesseract could not load {languages} from {languageDirectory}; sidecar doctor says what to install.");
        }
        Tesseract.SetPageSegmentationMode(created, Tesseract.SingleLine);
        Tesseract.SetVariable(created, "debug_file", "/dev/null");
        api = created;
    }
}
