namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>Rules of run mode that decoder and encoder share (ISO/IEC 14495-1 A.7).</summary>
internal static class JpegLsRuns
{
    /// <summary>J: log2 of the pixels that one bit stands for, by RUNindex.</summary>
    public static ReadOnlySpan<byte> Orders =>
        [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>RItype: 1 where left and upper neighbour are alike. Sample-interleaved scans know one type only.</summary>
    public static int Type(int a, int b, int near, bool isBySample) => !isBySample && Math.Abs(a - b) <= near ? 1 : 0;

    public static int FindGolombBits(in JpegLsRunContext context, int type) =>
        JpegLsContext.FindGolombBits(context.Magnitudes + (type == 1 ? (uint)context.Count >> 1 : 0), context.Count);
}
