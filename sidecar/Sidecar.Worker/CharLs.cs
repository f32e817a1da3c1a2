using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>CharLS 2 (JPEG-LS, ISO/IEC 14495-1). Each function but the version answers 0 or an error of <see cref="ErrorMessage"/>.</summary>
internal static unsafe partial class CharLs
{
    /// <summary>A codestream of odd length gets a fill byte before its end marker.</summary>
    public const int EvenLength = 1;

    /// <summary>Coding parameters of more than 12 bits are written out, because one known reader computes them wrongly. The library's default.</summary>
    public const int ExplicitParameters = 4;

    private const string Library = "libcharls.so.2";

    [LibraryImport(Library, EntryPoint = "charls_get_version_number")]
    public static partial void GetVersion(out int major, out int minor, out int patch);

    [LibraryImport(Library, EntryPoint = "charls_get_error_message")]
    public static partial nint ErrorMessage(int error);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_create")]
    public static partial DecoderHandle CreateDecoder();

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_destroy")]
    private static partial void DestroyDecoder(nint decoder);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_set_source_buffer")]
    public static partial int SetSource(DecoderHandle decoder, byte* source, nuint bytes);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_read_header")]
    public static partial int ReadHeader(DecoderHandle decoder);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_get_frame_info")]
    public static partial int GetFrameInfo(DecoderHandle decoder, out FrameInfo info);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_get_interleave_mode")]
    public static partial int GetInterleaveMode(DecoderHandle decoder, out int mode);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_get_destination_size")]
    public static partial int GetDestinationSize(DecoderHandle decoder, uint stride, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_decoder_decode_to_buffer")]
    public static partial int Decode(DecoderHandle decoder, byte* destination, nuint bytes, uint stride);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_create")]
    public static partial EncoderHandle CreateEncoder();

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_destroy")]
    private static partial void DestroyEncoder(nint encoder);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_frame_info")]
    public static partial int SetFrameInfo(EncoderHandle encoder, in FrameInfo info);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_near_lossless")]
    public static partial int SetNearLossless(EncoderHandle encoder, int near);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_encoding_options")]
    public static partial int SetEncodingOptions(EncoderHandle encoder, int options);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_interleave_mode")]
    public static partial int SetInterleaveMode(EncoderHandle encoder, int mode);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_destination_buffer")]
    public static partial int SetDestination(EncoderHandle encoder, byte* destination, nuint bytes);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_encode_from_buffer")]
    public static partial int Encode(EncoderHandle encoder, byte* source, nuint bytes, uint stride);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_get_bytes_written")]
    public static partial int GetBytesWritten(EncoderHandle encoder, out nuint bytes);

    [StructLayout(LayoutKind.Sequential)]
    public struct FrameInfo
    {
        public uint Width;
        public uint Height;
        public int BitsPerSample;
        public int ComponentCount;
    }

    internal sealed class DecoderHandle() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyDecoder(handle);
            return true;
        }
    }

    internal sealed class EncoderHandle() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DestroyEncoder(handle);
            return true;
        }
    }
}
