using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>The coding parameters of one scan (ISO/IEC 14495-1 C.2.4.1) and what follows from them, checked.</summary>
/// <param name="MaxValue">MAXVAL, the highest sample value: 3 to 65535.</param>
/// <param name="Near">NEAR, the most that a sample may differ from its original; 0 is lossless.</param>
/// <param name="Threshold1">T1, where gradients begin to count as more than small.</param>
/// <param name="Threshold2">T2.</param>
/// <param name="Threshold3">T3.</param>
/// <param name="Reset">RESET, after how many samples the statistics of a context are halved.</param>
internal sealed record JpegLsParameters(int MaxValue, int Near, int Threshold1, int Threshold2, int Threshold3, int Reset)
{
    private const int DefaultReset = 64;

    /// <summary>RANGE: how many values a quantized prediction error has.</summary>
    public int Range { get; } = ((MaxValue + (2 * Near)) / ((2 * Near) + 1)) + 1;

    /// <summary>qbpp: bits of a number below <see cref="Range"/>.</summary>
    public int RangeBits => BitsOf(Range - 1);

    /// <summary>LIMIT: bits of the longest code.</summary>
    public int Limit
    {
        get
        {
            var bits = Math.Max(2, BitsOf(MaxValue));
            return 2 * (bits + Math.Max(8, bits));
        }
    }

    /// <summary>What a codestream without an LSE segment uses (C.2.4.1.1).</summary>
    public static JpegLsParameters Default(int maxValue, int near)
    {
        int threshold1, threshold2, threshold3;
        if (maxValue >= 128)
        {
            var factor = (Math.Min(maxValue, 4095) + 128) / 256;
            threshold1 = Clamp(factor + 2 + (3 * near), near + 1);
            threshold2 = Clamp((factor * 4) + 3 + (5 * near), threshold1);
            threshold3 = Clamp((factor * 17) + 4 + (7 * near), threshold2);
        }
        else
        {
            var factor = 256 / (maxValue + 1);
            threshold1 = Clamp(Math.Max(2, (3 / factor) + (3 * near)), near + 1);
            threshold2 = Clamp(Math.Max(3, (7 / factor) + (5 * near)), threshold1);
            threshold3 = Clamp(Math.Max(4, (21 / factor) + (7 * near)), threshold2);
        }
        return new JpegLsParameters(maxValue, near, threshold1, threshold2, threshold3, DefaultReset);

        int Clamp(int value, int lowest) => value > maxValue || value < lowest ? lowest : value;
    }

    /// <summary>These preset values, those that are 0 replaced by their defaults (C.2.4.1.1).</summary>
    /// <exception cref="DicomFormatException">The values contradict each other.</exception>
    /// <exception cref="UnsupportedInstanceException">MAXVAL is not what the precision says.</exception>
    public static JpegLsParameters FromPreset(int precision, int near, int maxValue, int threshold1, int threshold2, int threshold3, int reset)
    {
        var highest = (1 << precision) - 1;
        if (maxValue != 0 && maxValue != highest)
        {
            // CharLS, which most readers use, computes lossless samples as if this were not said, so that such a codestream has two meanings.
            throw new UnsupportedInstanceException("The JPEG-LS frames limit their samples to less than their bits allow, which readers treat differently.");
        }
        maxValue = highest;
        if (near > Math.Min(255, maxValue / 2))
        {
            throw new DicomFormatException("A JPEG-LS frame is damaged: its allowed loss is out of range.");
        }
        var standard = Default(maxValue, near);
        var parameters = new JpegLsParameters(
            maxValue,
            near,
            threshold1 == 0 ? standard.Threshold1 : threshold1,
            threshold2 == 0 ? standard.Threshold2 : threshold2,
            threshold3 == 0 ? standard.Threshold3 : threshold3,
            reset == 0 ? DefaultReset : reset);
        return parameters.Threshold1 > near && parameters.Threshold2 >= parameters.Threshold1 && parameters.Threshold3 >= parameters.Threshold2
            && parameters.Threshold3 <= maxValue && parameters.Reset >= 3 && parameters.Reset <= Math.Max(255, maxValue)
            ? parameters
            : throw new DicomFormatException("A JPEG-LS frame is damaged: its coding parameters contradict each other.");
    }

    /// <summary>
    /// The region (-4 to 4) of each gradient from -MAXVAL to MAXVAL (A.3.3), at the index MAXVAL higher. A table costs one look-up where the standard's
    /// text compares up to eight times.
    /// </summary>
    public sbyte[] BuildQuantizer()
    {
        var regions = new sbyte[(2 * MaxValue) + 1];
        var (start, region) = (0, (sbyte)-4);
        // The last gradients of regions -4 to 3.
        foreach (var last in (ReadOnlySpan<int>)[-Threshold3, -Threshold2, -Threshold1, -Near - 1, Near, Threshold1 - 1, Threshold2 - 1, Threshold3 - 1])
        {
            var end = Math.Max(start, last + MaxValue + 1);
            regions.AsSpan(start, end - start).Fill(region);
            (start, region) = (end, (sbyte)(region + 1));
        }
        regions.AsSpan(start).Fill(region);
        return regions;
    }

    private static int BitsOf(int value) => 32 - int.LeadingZeroCount(value);
}
