namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>The second bytes of JPEG-LS markers (ISO/IEC 14495-1 table C.1, ISO/IEC 10918-1 table B.1).</summary>
internal static class JpegLsMarker
{
    public const byte Restart0 = 0xD0;
    public const byte StartOfImage = 0xD8;
    public const byte EndOfImage = 0xD9;
    public const byte StartOfScan = 0xDA;
    public const byte DefineRestartInterval = 0xDD;
    public const byte App8 = 0xE8;
    public const byte StartOfFrame = 0xF7;
    public const byte PresetParameters = 0xF8;

    public static bool IsRestart(byte marker) => marker is >= Restart0 and <= Restart0 + 7;
}
