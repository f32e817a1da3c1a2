using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Sidecar.Worker;

/// <summary>
/// JPEG 2000 frames through OpenJPEG; HTJ2K is decoded only. Encoding is always reversible: 5/3 wavelet, one layer that holds every bit, and where
/// asked for the reversible colour transform.
/// </summary>
internal static unsafe class Jpeg2000Codec
{
    private const int StreamBufferBytes = 1 << 20;

    // The library's messages hold numbers of the codestream only. It may call from its own threads, one codec at a time.
    private static volatile string? lastError;

    /// <summary>The version, after checking that the parameter blocks lie as <see cref="OpenJpeg"/> says.</summary>
    /// <exception cref="WorkerException">The library has another interface than this code was written for.</exception>
    public static string CheckLibrary()
    {
        var version = Marshal.PtrToStringUTF8(OpenJpeg.Version()) ?? "";
        var parameters = stackalloc byte[OpenJpeg.EncoderParametersBytes + 64];
        new Span<byte>(parameters, OpenJpeg.EncoderParametersBytes + 64).Fill(0xA5);
        OpenJpeg.SetDefaultEncoderParameters(parameters);
        var isEncoderKnown = ReadInt32(parameters, OpenJpeg.ResolutionsOffset) == 6
            && ReadInt32(parameters, OpenJpeg.CodeBlockWidthOffset) == 64
            && ReadInt32(parameters, OpenJpeg.CodeBlockHeightOffset) == 64
            && ReadInt32(parameters, OpenJpeg.CodeBlockStyleOffset) == 0
            && ReadInt32(parameters, OpenJpeg.ProgressionOffset) == 0
            && ReadInt32(parameters, OpenJpeg.IrreversibleOffset) == 0
            && ReadInt32(parameters, OpenJpeg.RegionOfInterestComponentOffset) == -1
            && parameters[OpenJpeg.ColorTransformOffset] == 0
            && new ReadOnlySpan<byte>(parameters + OpenJpeg.EncoderParametersBytes, 64).IndexOfAnyExcept((byte)0xA5) < 0
            && parameters[OpenJpeg.EncoderParametersBytes - 8] == 0;
        new Span<byte>(parameters, OpenJpeg.EncoderParametersBytes + 64).Fill(0xA5);
        OpenJpeg.SetDefaultDecoderParameters(parameters);
        var isDecoderKnown = new ReadOnlySpan<byte>(parameters + OpenJpeg.DecoderParametersBytes, 64).IndexOfAnyExcept((byte)0xA5) < 0
            && ReadInt32(parameters, OpenJpeg.InputFormatOffset) == -1
            && new ReadOnlySpan<byte>(parameters, OpenJpeg.InputFormatOffset).IndexOfAnyExcept((byte)0) < 0;
        var component = stackalloc OpenJpeg.ComponentParameters[2];
        component[0] = component[1] = new OpenJpeg.ComponentParameters { HorizontalStep = 1, VerticalStep = 1, Width = 3, Height = 2, Precision = 11, BitsPerPixel = 11, IsSigned = 1 };
        using var image = OpenJpeg.CreateImage(2, component, 2);
        var isImageKnown = !image.IsInvalid && image.Pointer->ComponentCount == 2 && image.Pointer->Components[1] is { Width: 3, Height: 2, Precision: 11, IsSigned: 1 };
        return version.StartsWith("2.5.", StringComparison.Ordinal) && isEncoderKnown && isDecoderKnown && isImageKnown
            ? $"OpenJPEG {version}"
            : throw new WorkerException(WorkerStatus.Unsupported, $"OpenJPEG {version} is installed; this software knows 2.5 on 64-bit Linux.");
    }

    /// <summary>Decodes <paramref name="codestream"/> into <paramref name="frame"/>.</summary>
    /// <exception cref="WorkerException">The codestream is damaged or is not what the request says.</exception>
    public static void Decode(in WorkerRequest request, NativeBuffer codestream, NativeBuffer frame)
    {
        using var codec = OpenJpeg.CreateDecoder(OpenJpeg.CodestreamFormat);
        Prepare(codec);
        var parameters = stackalloc byte[OpenJpeg.DecoderParametersBytes];
        OpenJpeg.SetDefaultDecoderParameters(parameters);
        Check(OpenJpeg.SetupDecoder(codec, parameters));
        SetThreads(codec, request.Threads);
        var memory = new MemoryStreamState { Data = codestream.Pointer, Length = codestream.Length };
        using var stream = OpenStream(&memory, isInput: true);
        OpenJpeg.SetUserDataLength(stream, (ulong)codestream.Length);
        var isRead = OpenJpeg.ReadHeader(stream, codec, out var image);
        using (image)
        {
            Check(isRead);
            CheckImage(request, image);
            Check(OpenJpeg.Decode(codec, stream, image));
            // Trailing markers may lack or be damaged in files that every viewer shows; all samples are there by now.
            _ = OpenJpeg.EndDecode(codec, stream);
            CheckImage(request, image);
            frame.Resize(request.FrameBytes);
            for (var i = 0; i < request.Components; i++)
            {
                var samples = image.Pointer->Components[i].Data;
                if (samples is null)
                {
                    throw new WorkerException(WorkerStatus.Damaged, "The codestream lacks a component.");
                }
                SampleCells.FromIntegers(new ReadOnlySpan<int>(samples, request.Columns * request.Rows), frame.Span, request.SampleBytes, i, request.Components,
                    request.Precision, request.IsSigned != 0);
            }
        }
    }

    /// <summary>Encodes <paramref name="frame"/> into <paramref name="codestream"/>.</summary>
    /// <exception cref="WorkerException">The frame cannot be encoded without loss.</exception>
    public static void Encode(in WorkerRequest request, NativeBuffer frame, NativeBuffer codestream)
    {
        var components = stackalloc OpenJpeg.ComponentParameters[request.Components];
        for (var i = 0; i < request.Components; i++)
        {
            components[i] = new OpenJpeg.ComponentParameters
            {
                HorizontalStep = 1,
                VerticalStep = 1,
                Width = (uint)request.Columns,
                Height = (uint)request.Rows,
                Precision = (uint)request.Precision,
                BitsPerPixel = (uint)request.Precision,
                IsSigned = (uint)request.IsSignedInCodestream,
            };
        }
        using var image = OpenJpeg.CreateImage((uint)request.Components, components, 0);
        if (image.IsInvalid)
        {
            throw WorkerException.OutOfMemory();
        }
        image.Pointer->Right = (uint)request.Columns;
        image.Pointer->Bottom = (uint)request.Rows;
        for (var i = 0; i < request.Components; i++)
        {
            SampleCells.ToIntegers(frame.Span, request.SampleBytes, i, request.Components, request.Precision, request.IsSigned != 0,
                new Span<int>(image.Pointer->Components[i].Data, request.Columns * request.Rows), request.IsSignedInCodestream != 0);
        }
        using var codec = OpenJpeg.CreateEncoder(OpenJpeg.CodestreamFormat);
        Prepare(codec);
        var parameters = stackalloc byte[OpenJpeg.EncoderParametersBytes];
        OpenJpeg.SetDefaultEncoderParameters(parameters);
        WriteInt32(parameters, OpenJpeg.DistortionAllocationOffset, 1);
        WriteInt32(parameters, OpenJpeg.LayersOffset, 1);
        WriteInt32(parameters, OpenJpeg.RatesOffset, 0);
        WriteInt32(parameters, OpenJpeg.IrreversibleOffset, 0);
        WriteInt32(parameters, OpenJpeg.ProgressionOffset, request.Progression);
        // The smallest resolution is at least one pixel.
        WriteInt32(parameters, OpenJpeg.ResolutionsOffset, 1 + Math.Min(request.DecompositionLevels, int.Log2(Math.Min(request.Columns, request.Rows))));
        WriteInt32(parameters, OpenJpeg.CodeBlockWidthOffset, request.CodeBlockWidth);
        WriteInt32(parameters, OpenJpeg.CodeBlockHeightOffset, request.CodeBlockHeight);
        WriteInt32(parameters, OpenJpeg.CodeBlockStyleOffset, request.BypassArithmeticCoder);
        parameters[OpenJpeg.ColorTransformOffset] = (byte)request.UseColorTransform;
        Check(OpenJpeg.SetupEncoder(codec, parameters, image));
        SetThreads(codec, request.Threads);
        codestream.Resize(0);
        var memory = new MemoryStreamState { Buffer = GCHandle.ToIntPtr(GCHandle.Alloc(codestream)) };
        try
        {
            using var stream = OpenStream(&memory, isInput: false);
            Check(OpenJpeg.StartEncode(codec, image, stream));
            Check(OpenJpeg.Encode(codec, stream));
            Check(OpenJpeg.EndEncode(codec, stream));
        }
        finally
        {
            GCHandle.FromIntPtr(memory.Buffer).Free();
        }
    }

    private static void CheckImage(in WorkerRequest request, OpenJpeg.ImageHandle image)
    {
        if (image.IsInvalid || image.Pointer->ComponentCount != request.Components)
        {
            throw new WorkerException(WorkerStatus.Damaged, "The codestream holds another number of components than its header said.");
        }
        for (var i = 0; i < request.Components; i++)
        {
            ref var component = ref image.Pointer->Components[i];
            if (component.Width != request.Columns || component.Height != request.Rows || component.Precision != request.Precision
                || component.IsSigned != request.IsSignedInCodestream)
            {
                throw new WorkerException(WorkerStatus.Damaged, string.Create(CultureInfo.InvariantCulture,
                    $"The codestream holds {component.Width}×{component.Height} samples of {component.Precision} bits, not what its header said."));
            }
        }
    }

    private static void Prepare(OpenJpeg.CodecHandle codec)
    {
        if (codec.IsInvalid)
        {
            throw WorkerException.OutOfMemory();
        }
        lastError = null;
        Check(OpenJpeg.SetErrorHandler(codec, &KeepError, null));
    }

    private static void SetThreads(OpenJpeg.CodecHandle codec, int threads)
    {
        if (threads > 1)
        {
            Check(OpenJpeg.SetThreads(codec, threads));
        }
    }

    private static OpenJpeg.StreamHandle OpenStream(MemoryStreamState* memory, bool isInput)
    {
        var stream = OpenJpeg.CreateStream(StreamBufferBytes, isInput ? 1 : 0);
        if (stream.IsInvalid)
        {
            throw WorkerException.OutOfMemory();
        }
        OpenJpeg.SetUserData(stream, memory, null);
        OpenJpeg.SetRead(stream, &Read);
        OpenJpeg.SetWrite(stream, &Write);
        OpenJpeg.SetSkip(stream, &Skip);
        OpenJpeg.SetSeek(stream, &Seek);
        return stream;
    }

    private static void Check(int isDone)
    {
        if (isDone == 0)
        {
            // The second text is what a failed allocation of a tile's samples is called.
            throw lastError is { } error
                && (error.Contains("memory", StringComparison.OrdinalIgnoreCase) || error.Contains("exceeds system limits", StringComparison.Ordinal))
                ? new WorkerException(WorkerStatus.OutOfMemory, $"OpenJPEG: {error}")
                : new WorkerException(WorkerStatus.Damaged, $"OpenJPEG: {lastError ?? "the codestream is damaged"}");
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void KeepError(byte* message, void* user)
    {
        // The first message says what is wrong; those that follow only say who gave up.
        lastError ??= Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message)).Trim().ReplaceLineEndings(" ");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Read(byte* target, nuint bytes, void* user)
    {
        var memory = (MemoryStreamState*)user;
        var count = Math.Min((long)bytes, memory->Length - memory->Position);
        if (count <= 0)
        {
            return nuint.MaxValue;
        }
        Buffer.MemoryCopy(memory->Data + memory->Position, target, (long)bytes, count);
        memory->Position += count;
        return (nuint)count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Write(byte* source, nuint bytes, void* user)
    {
        var memory = (MemoryStreamState*)user;
        var buffer = (NativeBuffer)GCHandle.FromIntPtr(memory->Buffer).Target!;
        if (!buffer.TryGrow(memory->Position + (long)bytes))
        {
            return nuint.MaxValue;
        }
        Buffer.MemoryCopy(source, buffer.Pointer + memory->Position, (long)bytes, (long)bytes);
        memory->Position += (long)bytes;
        return bytes;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Skip(long bytes, void* user)
    {
        var memory = (MemoryStreamState*)user;
        if (bytes < 0 || (memory->Buffer == 0 && bytes > memory->Length - memory->Position))
        {
            return -1;
        }
        memory->Position += bytes;
        return bytes;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Seek(long position, void* user)
    {
        var memory = (MemoryStreamState*)user;
        if (position < 0 || (memory->Buffer == 0 && position > memory->Length))
        {
            return 0;
        }
        memory->Position = position;
        return 1;
    }

    private static int ReadInt32(byte* block, int offset) => *(int*)(block + offset);

    private static void WriteInt32(byte* block, int offset, int value) => *(int*)(block + offset) = value;

    /// <summary>A codestream in memory: <see cref="Data"/> to read, or the handle of the <see cref="NativeBuffer"/> to write.</summary>
    private struct MemoryStreamState
    {
        public byte* Data;
        public long Length;
        public long Position;
        public nint Buffer;
    }
}
