using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>Encodes the lines of one scan without loss (ISO/IEC 14495-1 annex A).</summary>
internal sealed class JpegLsEncoder
{
    // A run's length and the sample that ends it: 16 + 64 bits.
    private const int MaxBitsPerSample = 80;

    private readonly JpegLsParameters parameters;
    private readonly JpegLsBitWriter writer;
    private readonly sbyte[] quantizer;
    private readonly int components;
    private readonly int columns;
    private readonly bool isBySample;

    /// <param name="scan">With NEAR 0.</param>
    /// <param name="columns">Samples in a line.</param>
    /// <param name="writer">Where the bits go.</param>
    public JpegLsEncoder(JpegLsScan scan, int columns, JpegLsBitWriter writer)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scan.Parameters.Near, 0);
        (parameters, this.writer, this.columns) = (scan.Parameters, writer, columns);
        (components, isBySample) = (scan.Components.Length, scan.IsBySample);
        quantizer = parameters.BuildQuantizer();
        State = new JpegLsState(components, columns, parameters.Range);
    }

    /// <summary>Between lines it may be replaced by that of a decoder, whose segment then continues here.</summary>
    public JpegLsState State { get; }

    /// <summary>Makes the lines at work those above. The next ones must be written to <see cref="State"/>, no sample above MAXVAL, before they are encoded.</summary>
    public void StartLines() => State.StartLine();

    /// <summary>Encodes one line of each component.</summary>
    public void EncodeLines()
    {
        writer.Reserve((long)columns * components * MaxBitsPerSample);
        if (isBySample)
        {
            EncodeBySample();
            return;
        }
        for (var component = 0; component < components; component++)
        {
            EncodeLine(component);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EncodeLine(int component)
    {
        var model = new Model(parameters);
        // Samples never exceed MAXVAL, so that a difference of two finds its region in the table; regions make contexts -364 to 364. Of the lines, places -1
        // to columns are used.
        ref var regions = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(quantizer), parameters.MaxValue);
        ref var contexts = ref MemoryMarshal.GetArrayDataReference(State.Contexts);
        ref var above = ref Unsafe.Add(ref MemoryMarshal.GetReference(State.Above(component)), 1);
        ref var line = ref Unsafe.Add(ref MemoryMarshal.GetReference(State.Line(component)), 1);
        var cursor = writer.Load();
        int a = Unsafe.Add(ref line, -1), b = above, c = Unsafe.Add(ref above, -1);
        for (var x = 0; x < columns;)
        {
            int d = Unsafe.Add(ref above, x + 1);
            var context = (81 * Unsafe.Add(ref regions, d - b)) + (9 * Unsafe.Add(ref regions, b - c)) + Unsafe.Add(ref regions, c - a);
            if (context != 0)
            {
                int sample = Unsafe.Add(ref line, x++);
                Regular(ref cursor, ref contexts, context, sample, a, b, c, model);
                (a, c, b) = (sample, b, d);
                continue;
            }
            x = EncodeRun(component, x, ref cursor);
            (a, b, c) = (Unsafe.Add(ref line, x - 1), Unsafe.Add(ref above, x), Unsafe.Add(ref above, x - 1));
        }
        writer.Store(cursor);
    }

    /// <summary>Sample-interleaved scans are small colour pictures as a rule.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EncodeBySample()
    {
        var model = new Model(parameters);
        Span<int> found = stackalloc int[4];
        var cursor = writer.Load();
        for (var x = 0; x < columns;)
        {
            var any = 0;
            for (var component = 0; component < components; component++)
            {
                var above = State.Above(component);
                var line = State.Line(component);
                found[component] = (81 * Region(above[x + 2] - above[x + 1])) + (9 * Region(above[x + 1] - above[x])) + Region(above[x] - line[x]);
                any |= found[component];
            }
            if (any == 0)
            {
                x = EncodeRun(0, x, ref cursor);
                continue;
            }
            for (var component = 0; component < components; component++)
            {
                var above = State.Above(component);
                var line = State.Line(component);
                Regular(ref cursor, ref MemoryMarshal.GetArrayDataReference(State.Contexts), found[component], line[x + 1], line[x], above[x + 1], above[x], model);
            }
            x++;
        }
        writer.Store(cursor);

        int Region(int gradient) => quantizer[gradient + parameters.MaxValue];
    }

    /// <summary>One sample with its context's statistics (A.4 to A.6).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Regular(
        ref JpegLsBitWriter.Cursor cursor, ref JpegLsContext contexts, int signedContext, int sample, int a, int b, int c, in Model model)
    {
        var sign = signedContext >> 31;
        ref var context = ref Unsafe.Add(ref contexts, (signedContext ^ sign) - sign);
        var predicted = Branchless.Predict(a, b, c) + ((context.Correction ^ sign) - sign);
        if ((uint)predicted > (uint)model.MaxValue)
        {
            predicted = predicted < 0 ? 0 : model.MaxValue;
        }
        var error = model.Reduce(((sample - predicted) ^ sign) - sign);
        var inverted = error ^ context.Inversion;
        var mapped = (inverted << 1) ^ (inverted >> 31);
        WriteCode(ref cursor, mapped, context.GolombBits, model.MaxZeros, model.RangeBits);
        context.Update(error, error, model.Reset);
    }

    /// <summary>A code of limited length (A.5.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteCode(ref JpegLsBitWriter.Cursor cursor, int mapped, int golombBits, int maxZeros, int rangeBits)
    {
        var zeros = mapped >> golombBits;
        if (zeros >= maxZeros)
        {
            cursor.Write(0, maxZeros);
            cursor.Write((1UL << rangeBits) | (uint)(mapped - 1), rangeBits + 1);
            return;
        }
        if (zeros > 32)
        {
            cursor.Write(0, 32);
            zeros -= 32;
        }
        var one = 1UL << golombBits;
        cursor.Write(one | ((uint)mapped & (one - 1)), zeros + 1 + golombBits);
    }

    /// <summary>A run from column <paramref name="x"/> on, and the pixel that ends it (A.7). Answers the next column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int EncodeRun(int component, int x, ref JpegLsBitWriter.Cursor cursor)
    {
        var (first, end) = isBySample ? (0, components) : (component, component + 1);
        ref var runIndex = ref State.RunIndexes[first];
        var length = columns - x;
        for (var i = first; i < end; i++)
        {
            var line = State.Line(i);
            length = line.Slice(x + 1, length).IndexOfAnyExcept(line[x]) is >= 0 and var shorter ? shorter : length;
        }
        x += length;
        while (length >= 1 << JpegLsRuns.Orders[runIndex])
        {
            cursor.Write(1, 1);
            length -= 1 << JpegLsRuns.Orders[runIndex];
            runIndex = Math.Min(runIndex + 1, JpegLsRuns.Orders.Length - 1);
        }
        if (x == columns)
        {
            if (length > 0)
            {
                cursor.Write(1, 1);
            }
            return x;
        }
        cursor.Write((uint)length, JpegLsRuns.Orders[runIndex] + 1);
        for (var i = first; i < end; i++)
        {
            var above = State.Above(i);
            var line = State.Line(i);
            EncodeRunEnd(ref cursor, line[x + 1], line[x], above[x + 1], runIndex);
        }
        runIndex = Math.Max(runIndex - 1, 0);
        return x + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EncodeRunEnd(ref JpegLsBitWriter.Cursor cursor, int sample, int a, int b, int runIndex)
    {
        var type = JpegLsRuns.Type(a, b, 0, isBySample);
        ref var context = ref State.RunContexts[type];
        var golombBits = JpegLsRuns.FindGolombBits(context, type);
        var error = new Model(parameters).Reduce(type == 1 ? sample - a : b < a ? b - sample : sample - b);
        var isMapped = error > 0 ? golombBits == 0 && 2 * context.Negatives < context.Count
            : error < 0 && (golombBits != 0 || 2 * context.Negatives >= context.Count);
        var mapped = (2 * Math.Abs(error)) - type - (isMapped ? 1 : 0);
        WriteCode(ref cursor, mapped, golombBits, parameters.Limit - JpegLsRuns.Orders[runIndex] - 1 - parameters.RangeBits - 1, parameters.RangeBits);
        context.Update(error, mapped, type, parameters.Reset);
    }

    /// <summary>The parameters that each sample needs.</summary>
    private readonly struct Model(JpegLsParameters parameters)
    {
        public readonly int MaxValue = parameters.MaxValue;
        public readonly int RangeBits = parameters.RangeBits;
        public readonly int Reset = parameters.Reset;
        public readonly int MaxZeros = parameters.Limit - parameters.RangeBits - 1;
        private readonly int range = parameters.Range;
        private readonly int half = parameters.Range / 2;

        /// <summary>Errors modulo RANGE (A.4.5).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Reduce(int error) => (uint)(error + half) < (uint)range ? error : error < 0 ? error + range : error - range;
    }
}
