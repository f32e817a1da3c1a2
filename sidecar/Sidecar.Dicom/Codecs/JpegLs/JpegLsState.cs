using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>The statistics of one regular context (ISO/IEC 14495-1 A.2, A.6), with what the next sample in it needs computed ahead.</summary>
internal struct JpegLsContext
{
    /// <summary>A: the sum of error magnitudes. Unsigned: RESET 65535 times 32768 fits.</summary>
    public uint Magnitudes;

    /// <summary>B: the sum of errors, for the bias.</summary>
    public int Bias;

    /// <summary>N: how often the context was met.</summary>
    public int Count;

    /// <summary>C: what is added to predictions, -128 to 127.</summary>
    public sbyte Correction;

    /// <summary>k: how many low bits of a mapped error are written plainly. 15 at most, as A never exceeds 32768 N.</summary>
    public byte GolombBits;

    /// <summary>-1 where errors are mapped the other way round (A.5.2), else 0. Holds for lossless scans only.</summary>
    public sbyte Inversion;

    /// <summary>Counts one quantized error (A.6.1, A.6.2). No branch depends on its value, as none could be predicted.</summary>
    /// <param name="error">Errval.</param>
    /// <param name="scaledError">The same times 2 NEAR + 1.</param>
    /// <param name="reset">RESET.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update(int error, int scaledError, int reset)
    {
        var sign = error >> 31;
        var magnitudes = Magnitudes + (uint)((error ^ sign) - sign);
        var bias = Bias + scaledError;
        var count = Count;
        if (count == reset)
        {
            magnitudes >>= 1;
            bias >>= 1;
            count >>= 1;
        }
        count++;
        // All ones where the bias is too low, and where it is too high.
        var low = (bias + count - 1) >> 31;
        var high = -bias >> 31;
        bias = Branchless.Min(Branchless.Max(bias + (count & low) - (count & high), 1 - count), 0);
        Magnitudes = magnitudes;
        Bias = bias;
        Count = count;
        var correction = Correction + low - high;
        if ((sbyte)correction == correction)
        {
            Correction = (sbyte)correction;
        }
        var bits = FindGolombBits(magnitudes, count);
        GolombBits = (byte)bits;
        Inversion = (sbyte)((((2 * bias) + count - 1) >> 31) & ((bits - 1) >> 31));
    }

    /// <summary>The smallest k with N · 2^k ≥ A (A.5.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FindGolombBits(uint magnitudes, int count)
    {
        var difference = BitOperations.LeadingZeroCount((uint)count) - BitOperations.LeadingZeroCount(magnitudes);
        difference &= ~(difference >> 31);
        return difference + (int)((ulong)(((long)count << difference) - magnitudes) >> 63);
    }
}

/// <summary>
/// What the compiler would make jumps of inside of loops. Of noise they cannot be predicted, and a wrong guess costs as much as coding half a sample.
/// </summary>
internal static class Branchless
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Min(int x, int y) => y + ((x - y) & ((x - y) >> 31));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Max(int x, int y) => x - ((x - y) & ((x - y) >> 31));

    /// <summary>The median of both neighbours and their plane (ISO/IEC 14495-1 A.4.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Predict(int a, int b, int c)
    {
        var less = (a - b) & ((a - b) >> 31);
        return Max(b + less, Min(a - less, a + b - c));
    }
}

/// <summary>The statistics of samples that end runs (A.7.2).</summary>
internal struct JpegLsRunContext
{
    public uint Magnitudes;
    public int Count;

    /// <summary>Nn: errors below zero.</summary>
    public int Negatives;

    public void Update(int error, int mapped, int type, int reset)
    {
        Negatives += error < 0 ? 1 : 0;
        Magnitudes += (uint)((mapped + 1 - type) >> 1);
        if (Count == reset)
        {
            Magnitudes >>= 1;
            Count >>= 1;
            Negatives >>= 1;
        }
        Count++;
    }
}

/// <summary>
/// What a JPEG-LS decoder and encoder know at the end of a line: the statistics, and that line itself. Lines have a sample before their first and one
/// after their last (A.2.1), so that every sample has its neighbours.
/// </summary>
internal sealed class JpegLsState
{
    private const int RegularContexts = 365;
    private readonly ushort[] samples;
    private readonly int components;
    private readonly int stride;
    private readonly uint firstMagnitude;
    private int current;

    /// <param name="components">Components of the scan.</param>
    /// <param name="columns">Samples in a line.</param>
    /// <param name="range">RANGE.</param>
    public JpegLsState(int components, int columns, int range)
    {
        (this.components, stride) = (components, columns + 2);
        firstMagnitude = (uint)Math.Max(2, (range + 32) / 64);
        samples = new ushort[2 * components * stride];
        RunIndexes = new int[components];
        Reset();
    }

    public JpegLsContext[] Contexts { get; } = new JpegLsContext[RegularContexts];

    /// <summary>For RItype 0 and 1.</summary>
    public JpegLsRunContext[] RunContexts { get; } = new JpegLsRunContext[2];

    /// <summary>RUNindex of each component; sample-interleaved scans use the first.</summary>
    public int[] RunIndexes { get; }

    /// <summary>The line at work, from the sample before its first to the one after its last.</summary>
    public Span<ushort> Line(int component) => samples.AsSpan(((current * components) + component) * stride, stride);

    /// <summary>The line above it, likewise.</summary>
    public Span<ushort> Above(int component) => samples.AsSpan((((1 - current) * components) + component) * stride, stride);

    /// <summary>As at the start of a scan and after each restart marker.</summary>
    public void Reset()
    {
        Array.Clear(samples);
        Array.Clear(RunIndexes);
        Contexts.AsSpan().Fill(new JpegLsContext { Magnitudes = firstMagnitude, Count = 1, GolombBits = (byte)JpegLsContext.FindGolombBits(firstMagnitude, 1) });
        RunContexts.AsSpan().Fill(new JpegLsRunContext { Magnitudes = firstMagnitude, Count = 1 });
    }

    /// <summary>Becomes a copy of <paramref name="other"/>, which is of a scan of the same form.</summary>
    public void CopyFrom(JpegLsState other)
    {
        other.samples.CopyTo(samples, 0);
        other.Contexts.CopyTo(Contexts, 0);
        other.RunContexts.CopyTo(RunContexts, 0);
        other.RunIndexes.CopyTo(RunIndexes, 0);
        current = other.current;
    }

    /// <summary>The line at work becomes the one above, and its edges are filled as A.2.1 says.</summary>
    public void StartLine()
    {
        current = 1 - current;
        for (var component = 0; component < components; component++)
        {
            var above = Above(component);
            var line = Line(component);
            above[^1] = above[^2];
            line[0] = above[1];
        }
    }
}
