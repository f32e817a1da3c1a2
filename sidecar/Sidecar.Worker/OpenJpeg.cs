using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>
/// OpenJPEG 2.5 (JPEG 2000, ISO/IEC 15444-1; HTJ2K, 15444-15, decoding only). Functions answer 1 for success. Parameter structs are blocks of bytes
/// written at the offsets below, which hold for 64-bit Linux; <see cref="Jpeg2000Codec"/> checks them against the library at start.
/// </summary>
internal static unsafe partial class OpenJpeg
{
    public const int EncoderParametersBytes = 18720;
    public const int DecoderParametersBytes = 8252;
    public const int DistortionAllocationOffset = 20;
    public const int ProgressionOffset = 52;
    public const int LayersOffset = 4796;
    public const int RatesOffset = 4800;
    public const int ResolutionsOffset = 5600;
    public const int CodeBlockWidthOffset = 5604;
    public const int CodeBlockHeightOffset = 5608;
    public const int CodeBlockStyleOffset = 5612;
    public const int IrreversibleOffset = 5616;
    public const int RegionOfInterestComponentOffset = 5620;
    public const int ColorTransformOffset = 18698;
    public const int InputFormatOffset = 8200;
    public const int CodestreamFormat = 0;

    private const string Library = "libopenjp2.so.7";

    [LibraryImport(Library, EntryPoint = "opj_version")]
    public static partial nint Version();

    [LibraryImport(Library, EntryPoint = "opj_set_default_decoder_parameters")]
    public static partial void SetDefaultDecoderParameters(byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_set_default_encoder_parameters")]
    public static partial void SetDefaultEncoderParameters(byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_create_decompress")]
    public static partial CodecHandle CreateDecoder(int format);

    [LibraryImport(Library, EntryPoint = "opj_create_compress")]
    public static partial CodecHandle CreateEncoder(int format);

    [LibraryImport(Library, EntryPoint = "opj_destroy_codec")]
    private static partial void DestroyCodec(nint codec);

    [LibraryImport(Library, EntryPoint = "opj_set_error_handler")]
    public static partial int SetErrorHandler(CodecHandle codec, delegate* unmanaged[Cdecl]<byte*, void*, void> handler, void* user);

    [LibraryImport(Library, EntryPoint = "opj_setup_decoder")]
    public static partial int SetupDecoder(CodecHandle codec, byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_setup_encoder")]
    public static partial int SetupEncoder(CodecHandle codec, byte* parameters, ImageHandle image);

    [LibraryImport(Library, EntryPoint = "opj_codec_set_threads")]
    public static partial int SetThreads(CodecHandle codec, int threads);

    [LibraryImport(Library, EntryPoint = "opj_read_header")]
    public static partial int ReadHeader(StreamHandle stream, CodecHandle codec, out ImageHandle image);

    [LibraryImport(Library, EntryPoint = "opj_decode")]
    public static partial int Decode(CodecHandle codec, StreamHandle stream, ImageHandle image);

    [LibraryImport(Library, EntryPoint = "opj_end_decompress")]
    public static partial int EndDecode(CodecHandle codec, StreamHandle stream);

    [LibraryImport(Library, EntryPoint = "opj_start_compress")]
    public static partial int StartEncode(CodecHandle codec, ImageHandle image, StreamHandle stream);

    [LibraryImport(Library, EntryPoint = "opj_encode")]
    public static partial int Encode(CodecHandle codec, StreamHandle stream);

    [LibraryImport(Library, EntryPoint = "opj_end_compress")]
    public static partial int EndEncode(CodecHandle codec, StreamHandle stream);

    [LibraryImport(Library, EntryPoint = "opj_image_create")]
    public static partial ImageHandle CreateImage(uint components, ComponentParameters* parameters, int colorSpace);

    [LibraryImport(Library, EntryPoint = "opj_image_destroy")]
    private static partial void DestroyImage(nint image);

    [LibraryImport(Library, EntryPoint = "opj_stream_create")]
    public static partial StreamHandle CreateStream(nuint bufferBytes, int isInput);

    [LibraryImport(Library, EntryPoint = "opj_stream_destroy")]
    private static partial void DestroyStream(nint stream);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_user_data")]
    public static partial void SetUserData(StreamHandle stream, void* user, void* free);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_user_data_length")]
    public static partial void SetUserDataLength(StreamHandle stream, ulong bytes);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_read_function")]
    public static partial void SetRead(StreamHandle stream, delegate* unmanaged[Cdecl]<byte*, nuint, void*, nuint> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_write_function")]
    public static partial void SetWrite(StreamHandle stream, delegate* unmanaged[Cdecl]<byte*, nuint, void*, nuint> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_skip_function")]
    public static partial void SetSkip(StreamHandle stream, delegate* unmanaged[Cdecl]<long, void*, long> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_seek_function")]
    public static partial void SetSeek(StreamHandle stream, delegate* unmanaged[Cdecl]<long, void*, int> function);

    [StructLayout(LayoutKind.Sequential)]
    public struct ComponentParameters
    {
        public uint HorizontalStep;
        public uint VerticalStep;
        public uint Width;
        public uint Height;
        public uint Left;
        public uint Top;
        public uint Precision;
        public uint BitsPerPixel;
        public uint IsSigned;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Image
    {
        public uint Left;
        public uint Top;
        public uint Right;
        public uint Bottom;
        public uint ComponentCount;
        public int ColorSpace;
        public Component* Components;
        public byte* Profile;
        public uint ProfileBytes;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Component
    {
        public uint HorizontalStep;
        public uint VerticalStep;
        public uint Width;
        public uint Height;
        public uint Left;
        public uint Top;
        public uint Precision;
        public uint BitsPerPixel;
        public uint IsSigned;
        public uint ResolutionsDecoded;
        public uint Factor;
        public int* Data;
        public ushort Alpha;
    }

    internal sealed class CodecHandle() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyCodec(handle);
            return true;
        }
    }

    internal sealed class StreamHandle() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyStream(handle);
            return true;
        }
    }

    internal sealed class ImageHandle() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        public Image* Pointer => (Image*)handle;

        protected override bool ReleaseHandle()
        {
            DestroyImage(handle);
            return true;
        }
    }
}
