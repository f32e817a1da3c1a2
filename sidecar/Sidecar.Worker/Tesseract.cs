using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>Tesseract 5's C interface, as far as lines are read with it. Its Leptonica stays inside: pixels go in as bytes.</summary>
internal static unsafe partial class Tesseract
{
    /// <summary>Treat the image as a single line of text.</summary>
    public const int SingleLine = 7;

    private const string Library = "libtesseract.so.5";

    [LibraryImport(Library, EntryPoint = "TessVersion")]
    public static partial nint Version();

    [LibraryImport(Library, EntryPoint = "TessBaseAPICreate")]
    public static partial nint Create();

    /// <summary>Answers 0 for success.</summary>
    [LibraryImport(Library, EntryPoint = "TessBaseAPIInit3", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Initialize(nint api, string languageDirectory, string languages);

    [LibraryImport(Library, EntryPoint = "TessBaseAPISetVariable", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetVariable(nint api, string name, string value);

    [LibraryImport(Library, EntryPoint = "TessBaseAPISetPageSegMode")]
    public static partial void SetPageSegmentationMode(nint api, int mode);

    /// <summary>Copies the pixels.</summary>
    [LibraryImport(Library, EntryPoint = "TessBaseAPISetImage")]
    public static partial void SetImage(nint api, byte* pixels, int width, int height, int bytesPerPixel, int bytesPerLine);

    [LibraryImport(Library, EntryPoint = "TessBaseAPISetSourceResolution")]
    public static partial void SetSourceResolution(nint api, int pixelsPerInch);

    /// <summary>Answers 0 for success.</summary>
    [LibraryImport(Library, EntryPoint = "TessBaseAPIRecognize")]
    public static partial int Recognize(nint api, nint monitor);

    /// <summary>UTF-8 that ends with a zero byte; null where there is none. Given back with <see cref="DeleteText"/>.</summary>
    [LibraryImport(Library, EntryPoint = "TessBaseAPIGetUTF8Text")]
    public static partial nint GetText(nint api);

    [LibraryImport(Library, EntryPoint = "TessDeleteText")]
    public static partial void DeleteText(nint text);

    /// <summary>0 to 100.</summary>
    [LibraryImport(Library, EntryPoint = "TessBaseAPIMeanTextConf")]
    public static partial int MeanConfidence(nint api);

    [LibraryImport(Library, EntryPoint = "TessBaseAPIClear")]
    public static partial void Clear(nint api);

    [LibraryImport(Library, EntryPoint = "TessMonitorCreate")]
    public static partial nint CreateMonitor();

    [LibraryImport(Library, EntryPoint = "TessMonitorSetDeadlineMSecs")]
    public static partial void SetDeadline(nint monitor, int milliseconds);

    [LibraryImport(Library, EntryPoint = "TessMonitorDelete")]
    public static partial void DeleteMonitor(nint monitor);
}
