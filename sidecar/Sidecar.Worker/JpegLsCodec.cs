using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>JPEG-LS frames through CharLS. Encoding is always lossless (NEAR = 0), which both JPEG-LS transfer syntaxes allow.</summary>
internal sealed unsafe class JpegLsCodec : IDisposable
{
    private const int DestinationTooSmall = 3;
    private readonly NativeBuffer scratch = new();

    /// <exception cref="WorkerException">The library has another interface than this code was written for.</exception>
    public static string CheckLibrary()
    {
        CharLs.GetVersion(out var major, out var minor, out var patch);
        return major == 2 && minor >= 3
            ? $"CharLS {major}.{minor}.{patch}"
            : throw new WorkerException(WorkerStatus.Unsupported, $"CharLS {major}.{minor} is installed; 2.3 or a later 2.x is needed.");
    }

    /// <summary>Decodes <paramref name="codestream"/> into <paramref name="frame"/>.</summary>
    /// <exception cref="WorkerException">The codestream is damaged or is not what the request says.</exception>
    public void Decode(in WorkerRequest request, NativeBuffer codestream, NativeBuffer frame)
    {
        using var decoder = CharLs.CreateDecoder();
        if (decoder.IsInvalid)
        {
            throw WorkerException.OutOfMemory();
        }
        Check(CharLs.SetSource(decoder, codestream.Pointer, (nuint)codestream.Length));
        Check(CharLs.ReadHeader(decoder));
        Check(CharLs.GetFrameInfo(decoder, out var info));
        if (info.Width != request.Columns || info.Height != request.Rows || info.ComponentCount != request.Components || info.BitsPerSample != request.Precision)
        {
            throw new WorkerException(WorkerStatus.Damaged,
                $"The codestream holds {info.Width}×{info.Height} pixels of {info.ComponentCount} × {info.BitsPerSample} bits, not what its header said.");
        }
        Check(CharLs.GetInterleaveMode(decoder, out var interleave));
        Check(CharLs.GetDestinationSize(decoder, 0, out var bytes));
        var libraryBytes = info.BitsPerSample <= 8 ? 1 : 2;
        if (bytes != (nuint)((long)request.Columns * request.Rows * request.Components * libraryBytes))
        {
            throw new WorkerException(WorkerStatus.Damaged, "The codestream's size contradicts itself.");
        }
        frame.Resize(request.FrameBytes);
        var isPlanar = interleave == 0 && request.Components > 1;
        if (!isPlanar && libraryBytes == request.SampleBytes)
        {
            Check(CharLs.Decode(decoder, frame.Pointer, (nuint)frame.Length, 0));
        }
        else
        {
            scratch.Resize((long)bytes);
            Check(CharLs.Decode(decoder, scratch.Pointer, bytes, 0));
            SampleCells.Rearrange(scratch.Span, libraryBytes, isPlanar, frame.Span, request.SampleBytes, false, request.Components);
        }
        if (request.IsSigned != 0)
        {
            SampleCells.ExtendSigns(frame.Span, request.SampleBytes, request.Precision);
        }
    }

    /// <summary>Encodes <paramref name="frame"/>, whose content is used up, into <paramref name="codestream"/>.</summary>
    /// <exception cref="WorkerException">The frame cannot be encoded without loss.</exception>
    public void Encode(in WorkerRequest request, NativeBuffer frame, NativeBuffer codestream)
    {
        SampleCells.TrimToPrecision(frame.Span, request.SampleBytes, request.Precision, request.IsSigned != 0);
        var libraryBytes = request.Precision <= 8 ? 1 : 2;
        var isPlanar = request.InterleaveMode == 0 && request.Components > 1;
        var source = frame;
        if (isPlanar || libraryBytes != request.SampleBytes)
        {
            source = scratch;
            scratch.Resize((long)request.Columns * request.Rows * request.Components * libraryBytes);
            SampleCells.Rearrange(frame.Span, request.SampleBytes, false, scratch.Span, libraryBytes, isPlanar, request.Components);
        }
        // Noise grows a little when it is coded; rarely, much of it grows much, and a second try gets double the room.
        var room = source.Length + (source.Length / 16L) + 4096;
        if (!TryEncode(request, source, codestream, room) && !TryEncode(request, source, codestream, room * 2))
        {
            throw new WorkerException(WorkerStatus.Unsupported, "The frame grows to more than double its size in JPEG-LS.");
        }
    }

    public void Dispose() => scratch.Dispose();

    private static bool TryEncode(in WorkerRequest request, NativeBuffer source, NativeBuffer codestream, long room)
    {
        using var encoder = CharLs.CreateEncoder();
        if (encoder.IsInvalid)
        {
            throw WorkerException.OutOfMemory();
        }
        Check(CharLs.SetFrameInfo(encoder, new CharLs.FrameInfo
        {
            Width = (uint)request.Columns,
            Height = (uint)request.Rows,
            BitsPerSample = request.Precision,
            ComponentCount = request.Components,
        }));
        Check(CharLs.SetNearLossless(encoder, 0));
        // dcmtk takes a zero byte after the end marker, which DICOM would pad an odd length with, for trailing rubbish and refuses the frame.
        Check(CharLs.SetEncodingOptions(encoder, CharLs.EvenLength | CharLs.ExplicitParameters));
        if (request.Components > 1)
        {
            Check(CharLs.SetInterleaveMode(encoder, request.InterleaveMode));
        }
        codestream.Resize(room);
        Check(CharLs.SetDestination(encoder, codestream.Pointer, (nuint)codestream.Length));
        var error = CharLs.Encode(encoder, source.Pointer, (nuint)source.Length, 0);
        if (error == DestinationTooSmall)
        {
            return false;
        }
        Check(error);
        Check(CharLs.GetBytesWritten(encoder, out var written));
        codestream.Truncate((int)written);
        return true;
    }

    private static void Check(int error)
    {
        if (error == 0)
        {
            return;
        }
        var message = Marshal.PtrToStringUTF8(CharLs.ErrorMessage(error));
        throw new WorkerException(error == 1 ? WorkerStatus.OutOfMemory : WorkerStatus.Damaged, $"CharLS: {message} (error {error}).");
    }
}
