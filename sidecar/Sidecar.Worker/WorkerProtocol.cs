using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>What a worker is asked to do with one frame.</summary>
public enum WorkerOperation
{
    DecodeJpeg2000 = 1,
    EncodeJpeg2000 = 2,

    /// <summary>Find lines of text in a rendering: Columns, Rows, Components 1 or 3 (planes one after the other), SampleBytes 1. Of text workers only.</summary>
    DetectText = 3,

    /// <summary>Read one line of text: Columns, Rows, Components 1, SampleBytes 1. The answer is a float, the confidence from 0 to 1, and UTF-8. Of text workers only.</summary>
    ReadText = 4,
}

/// <summary>How a worker's answer ends.</summary>
public enum WorkerStatus
{
    /// <summary>The payload is the frame, the codestream or the boxes (<see cref="WorkerTextBox"/> after the other) or the text asked for.</summary>
    Done = 0,

    /// <summary>The codestream is damaged or contradicts the request. The payload is the reason, one line of UTF-8.</summary>
    Damaged = 1,

    /// <summary>The library cannot do it. The payload is the reason, one line of UTF-8.</summary>
    Unsupported = 2,

    /// <summary>It needs more memory than the worker may have. The payload is the reason, one line of UTF-8.</summary>
    OutOfMemory = 3,
}

/// <summary>
/// The pipes between the sidecar and its workers. A worker writes one <see cref="WorkerReply"/> when it is ready (Done, its payload names the
/// library) or cannot start; after that each <see cref="WorkerRequest"/> with its payload on standard input is answered by one
/// <see cref="WorkerReply"/> with its payload on standard output. Numbers are in the machine's own byte order: both ends are one installation.
/// </summary>
public static class WorkerProtocol
{
    /// <summary>"SDW" and the version of this protocol: a worker of another version is refused before it is used.</summary>
    public const int Magic = 0x53445705;

    /// <summary>A worker's first argument: its memory limit in bytes follows. Alone, it makes a worker for codecs.</summary>
    public const string MemoryLimitOption = "--memory-limit";

    /// <summary>Makes a worker that finds and reads text instead: the folder of <see cref="TextModelFiles"/> follows, empty where there is no detector,
    /// then the folder of Tesseract's languages and the languages to read.</summary>
    public const string TextOption = "--text";
}

/// <summary>
/// One frame's work. A frame in memory is colour-by-pixel, rows from top to bottom without padding, each sample in <see cref="SampleBytes"/> bytes,
/// little endian, two's complement filled up to the top bit where <see cref="IsSigned"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct WorkerRequest
{
    public int Magic;
    public WorkerOperation Operation;
    public int Columns;
    public int Rows;

    /// <summary>Components of the codestream, which are the samples of a pixel.</summary>
    public int Components;

    /// <summary>1, 2 or 4.</summary>
    public int SampleBytes;

    /// <summary>1 where PixelRepresentation says that samples are signed.</summary>
    public int IsSigned;

    /// <summary>Bits of a sample in the codestream.</summary>
    public int Precision;

    /// <summary>1 where the codestream calls its samples signed. Some files differ here from <see cref="IsSigned"/>; the bits are the same.</summary>
    public int IsSignedInCodestream;

    /// <summary>1 where an encoded frame gets the reversible colour transform.</summary>
    public int UseColorTransform;

    /// <summary>The order of packets (ISO/IEC 15444-1 table A.16) that an encoded frame gets.</summary>
    public int Progression;

    /// <summary>Wavelet decompositions that an encoded frame gets, at most; fewer where it is too small for them.</summary>
    public int DecompositionLevels;

    /// <summary>Columns of a code-block of an encoded frame.</summary>
    public int CodeBlockWidth;

    /// <summary>Rows of a code-block of an encoded frame.</summary>
    public int CodeBlockHeight;

    /// <summary>1 where the low bit-planes of an encoded frame are raw bits, which are faster to write and to read.</summary>
    public int BypassArithmeticCoder;

    /// <summary>Threads the library may use.</summary>
    public int Threads;

    /// <summary>Bytes that follow: the codestream to decode, or the frame to encode.</summary>
    public int PayloadBytes;

    public readonly long FrameBytes => (long)Columns * Rows * Components * SampleBytes;
}

/// <summary>A line of text in the answer to <see cref="WorkerOperation.DetectText"/>, in pixels of the rendering and within it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WorkerTextBox
{
    public int X;
    public int Y;
    public int Width;
    public int Height;

    /// <summary>Mean probability, 0 to 1.</summary>
    public float Confidence;
}

/// <summary>The answer to one request.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WorkerReply
{
    public int Magic;
    public WorkerStatus Status;

    /// <summary>Bytes that follow.</summary>
    public int PayloadBytes;
}
