namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>The second bytes of JPEG markers (ISO/IEC 10918-1 table B.1).</summary>
internal static class JpegMarker
{
    public const byte StartOfFrameBaseline = 0xC0;
    public const byte StartOfFrameExtended = 0xC1;
    public const byte StartOfFrameProgressive = 0xC2;
    public const byte StartOfFrameLossless = 0xC3;
    public const byte DefineHuffmanTables = 0xC4;
    public const byte JpegExtensions = 0xC8;
    public const byte DefineArithmeticConditioning = 0xCC;
    public const byte Restart0 = 0xD0;
    public const byte Restart7 = 0xD7;
    public const byte StartOfImage = 0xD8;
    public const byte EndOfImage = 0xD9;
    public const byte StartOfScan = 0xDA;
    public const byte DefineQuantizationTables = 0xDB;
    public const byte DefineNumberOfLines = 0xDC;
    public const byte DefineRestartInterval = 0xDD;
    public const byte App0 = 0xE0;
    public const byte App1 = 0xE1;
    public const byte App2 = 0xE2;
    public const byte App13 = 0xED;
    public const byte App14 = 0xEE;

    public static bool IsStartOfFrame(byte marker) =>
        marker is >= 0xC0 and <= 0xCF and not (DefineHuffmanTables or JpegExtensions or DefineArithmeticConditioning);

    public static bool IsRestart(byte marker) => marker is >= Restart0 and <= Restart7;

    /// <summary>Markers that stand alone, without a length.</summary>
    public static bool IsBare(byte marker) => IsRestart(marker) || marker is StartOfImage or EndOfImage or 0x01;
}
