using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.JpegLs;

/// <summary>
/// Decodes the lines of one scan (ISO/IEC 14495-1 annex A, decoding as F.1). The loops are compiled apart for lossless and near-lossless scans; they hold
/// no branch that depends on noise.
/// </summary>
internal sealed class JpegLsDecoder
{
    /// <summary>Zeros before a code's one bit, from which on a 57-bit window may not hold the whole code: 40 + 1 + 15 bits do fit.</summary>
    private const int MaxFastZeros = 40;

    private readonly JpegLsParameters parameters;
    private readonly JpegLsBits bits;
    private readonly sbyte[] quantizer;
    private readonly int components;
    private readonly int columns;
    private readonly bool isBySample;

    public JpegLsDecoder(JpegLsScan scan, int columns, JpegLsBits bits)
    {
        (parameters, this.bits, this.columns) = (scan.Parameters, bits, columns);
        (components, isBySample) = (scan.Components.Length, scan.IsBySample);
        quantizer = parameters.BuildQuantizer();
        State = new JpegLsState(components, columns, parameters.Range);
    }

    public JpegLsState State { get; }

    /// <summary>Bits of the segment used.</summary>
    public long Position { get; private set; }

    /// <summary>As behind a restart marker: the next line is the first of what <see cref="JpegLsBits"/> was loaded with.</summary>
    public void Restart()
    {
        State.Reset();
        Position = 0;
    }

    /// <summary>To be called behind the last line of what <see cref="JpegLsBits"/> was loaded with.</summary>
    /// <exception cref="DicomFormatException">The segment goes on.</exception>
    public void Finish() => bits.CheckFinished(Position);

    /// <summary>Decodes the next line of each component into <see cref="State"/>.</summary>
    /// <exception cref="DicomFormatException">The segment is damaged or ends too early.</exception>
    public void DecodeLines()
    {
        State.StartLine();
        if (isBySample)
        {
            DecodeBySample();
        }
        else
        {
            for (var component = 0; component < components; component++)
            {
                if (parameters.Near == 0)
                {
                    DecodeLine<Lossless>(component);
                }
                else
                {
                    DecodeLine<NearLossless>(component);
                }
            }
        }
        bits.CheckEnd(Position);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DecodeLine<TLoss>(int component)
        where TLoss : struct, ILoss
    {
        var model = new Model(parameters);
        // Samples never exceed MAXVAL (see Regular), so that a difference of two finds its region in the table; regions make contexts -364 to 364. Of the
        // lines, places -1 to columns are used.
        ref var regions = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(quantizer), parameters.MaxValue);
        ref var contexts = ref MemoryMarshal.GetArrayDataReference(State.Contexts);
        ref var above = ref Unsafe.Add(ref MemoryMarshal.GetReference(State.Above(component)), 1);
        ref var line = ref Unsafe.Add(ref MemoryMarshal.GetReference(State.Line(component)), 1);
        var reader = new Reader(bits, Position);
        int a = Unsafe.Add(ref line, -1), b = above, c = Unsafe.Add(ref above, -1);
        for (var x = 0; x < columns;)
        {
            int d = Unsafe.Add(ref above, x + 1);
            var context = (81 * Unsafe.Add(ref regions, d - b)) + (9 * Unsafe.Add(ref regions, b - c)) + Unsafe.Add(ref regions, c - a);
            if (context != 0)
            {
                a = Regular<TLoss>(ref reader, ref contexts, context, a, b, c, model);
                Unsafe.Add(ref line, x++) = (ushort)a;
                (c, b) = (b, d);
                continue;
            }
            Position = reader.Position;
            x = DecodeRun(component, x);
            reader.Position = Position;
            (a, b, c) = (Unsafe.Add(ref line, x - 1), Unsafe.Add(ref above, x), Unsafe.Add(ref above, x - 1));
        }
        Position = reader.Position;
    }

    /// <summary>Sample-interleaved scans are small colour pictures as a rule; one loop serves both kinds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DecodeBySample()
    {
        var model = new Model(parameters);
        Span<int> found = stackalloc int[4];
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
                x = DecodeRun(0, x);
                continue;
            }
            var reader = new Reader(bits, Position);
            for (var component = 0; component < components; component++)
            {
                var above = State.Above(component);
                var line = State.Line(component);
                ref var contexts = ref MemoryMarshal.GetArrayDataReference(State.Contexts);
                line[x + 1] = (ushort)(parameters.Near == 0
                    ? Regular<Lossless>(ref reader, ref contexts, found[component], line[x], above[x + 1], above[x], model)
                    : Regular<NearLossless>(ref reader, ref contexts, found[component], line[x], above[x + 1], above[x], model));
            }
            Position = reader.Position;
            x++;
        }

        int Region(int gradient) => quantizer[gradient + parameters.MaxValue];
    }

    /// <summary>One sample with its context's statistics (A.4 to A.6).</summary>
    /// <returns>0 to MAXVAL.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Regular<TLoss>(ref Reader reader, ref JpegLsContext contexts, int signedContext, int a, int b, int c, in Model model)
        where TLoss : struct, ILoss
    {
        var sign = signedContext >> 31;
        ref var context = ref Unsafe.Add(ref contexts, (signedContext ^ sign) - sign);
        var predicted = Branchless.Predict(a, b, c) + ((context.Correction ^ sign) - sign);
        if ((uint)predicted > (uint)model.MaxValue)
        {
            predicted = predicted < 0 ? 0 : model.MaxValue;
        }
        var mapped = reader.ReadCode(context.GolombBits, model.MaxZeros, model.RangeBits);
        if (mapped > (uint)model.Range)
        {
            throw Damaged();
        }
        var error = (int)(mapped >> 1) ^ -(int)(mapped & 1);
        int scaled;
        if (TLoss.IsLossless)
        {
            error ^= context.Inversion;
            scaled = error;
        }
        else
        {
            scaled = error * model.Step;
        }
        context.Update(error, scaled, model.Reset);
        return model.Fold<TLoss>(predicted + ((scaled ^ sign) - sign));
    }

    /// <summary>A run from column <paramref name="x"/> on, and the pixel that ends it (A.7). Answers the next column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int DecodeRun(int component, int x)
    {
        var (first, end) = isBySample ? (0, components) : (component, component + 1);
        ref var runIndex = ref State.RunIndexes[first];
        var reader = new Reader(bits, Position);
        var start = x;
        while (reader.ReadBits(1) != 0)
        {
            var full = 1 << JpegLsRuns.Orders[runIndex];
            if (columns - x < full)
            {
                x = columns;
                break;
            }
            x += full;
            runIndex = Math.Min(runIndex + 1, JpegLsRuns.Orders.Length - 1);
            if (x == columns)
            {
                break;
            }
        }
        var isEndOfLine = x == columns;
        if (!isEndOfLine)
        {
            x += (int)reader.ReadBits(JpegLsRuns.Orders[runIndex]);
            if (x >= columns)
            {
                throw Damaged();
            }
        }
        for (var i = first; i < end; i++)
        {
            var line = State.Line(i);
            line.Slice(start + 1, x - start).Fill(line[start]);
        }
        if (!isEndOfLine)
        {
            for (var i = first; i < end; i++)
            {
                var above = State.Above(i);
                var line = State.Line(i);
                line[x + 1] = (ushort)DecodeRunEnd(ref reader, line[x], above[x + 1], runIndex);
            }
            runIndex = Math.Max(runIndex - 1, 0);
            x++;
        }
        Position = reader.Position;
        return x;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int DecodeRunEnd(ref Reader reader, int a, int b, int runIndex)
    {
        var type = JpegLsRuns.Type(a, b, parameters.Near, isBySample);
        ref var context = ref State.RunContexts[type];
        var golombBits = JpegLsRuns.FindGolombBits(context, type);
        var mapped = reader.ReadCode(golombBits, parameters.Limit - JpegLsRuns.Orders[runIndex] - 1 - parameters.RangeBits - 1, parameters.RangeBits);
        if (mapped > (uint)parameters.Range)
        {
            throw Damaged();
        }
        // A.7.2.2 the other way round.
        var folded = (int)mapped + type;
        var isMapped = (folded & 1) != 0;
        var magnitude = (folded + 1) >> 1;
        var isNegative = isMapped == (golombBits != 0 || 2 * context.Negatives >= context.Count);
        var error = isNegative ? -magnitude : magnitude;
        context.Update(error, (int)mapped, type, parameters.Reset);
        var model = new Model(parameters);
        var scaled = error * model.Step;
        return model.Fold<NearLossless>(type == 1 ? a + scaled : b + (b < a ? -scaled : scaled));
    }

    private static DicomFormatException Damaged() => new("A JPEG-LS frame is damaged: it holds bits that are no code.");

    /// <summary>The parameters that each sample needs.</summary>
    private readonly struct Model(JpegLsParameters parameters)
    {
        public readonly int MaxValue = parameters.MaxValue;
        public readonly int Range = parameters.Range;
        public readonly int RangeBits = parameters.RangeBits;
        public readonly int Reset = parameters.Reset;
        public readonly int MaxZeros = parameters.Limit - parameters.RangeBits - 1;
        public readonly int Step = (2 * parameters.Near) + 1;
        private readonly int near = parameters.Near;

        /// <summary>
        /// Takes a sample back into the range that its error was reduced to (A.4.5). As predictions are within 0 to MAXVAL and errors not beyond half of
        /// RANGE, one step does.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Fold<TLoss>(int sample)
            where TLoss : struct, ILoss
        {
            if (TLoss.IsLossless)
            {
                return (uint)sample <= (uint)MaxValue ? sample : sample < 0 ? sample + Range : sample - Range;
            }
            if (sample < -near)
            {
                sample += Range * Step;
            }
            else if (sample > MaxValue + near)
            {
                sample -= Range * Step;
            }
            return Math.Min(Math.Max(sample, 0), MaxValue);
        }
    }

    /// <summary>Reads codes at a place that is kept in a register.</summary>
    private ref struct Reader
    {
        public long Position;
        private readonly ref byte bytes;
        private readonly long lastByte;

        public Reader(JpegLsBits bits, long position)
        {
            bytes = ref MemoryMarshal.GetReference(bits.Bytes);
            // Eight bytes can be read from here on.
            lastByte = bits.Bytes.Length - 8;
            Position = position;
        }

        /// <summary>A number of up to 16 bits.</summary>
        public uint ReadBits(int count)
        {
            var value = (uint)(Window() >> 32 >> (32 - count));
            Position += count;
            return value;
        }

        /// <summary>A code of limited length (A.5.3): MErrval.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public uint ReadCode(int golombBits, int maxZeros, int rangeBits)
        {
            var window = Window();
            var zeros = BitOperations.LeadingZeroCount(window);
            if (zeros >= maxZeros || zeros > MaxFastZeros)
            {
                var code = ReadLongCode(this, zeros, golombBits, maxZeros, rangeBits);
                Position += (long)(code >> 32);
                return (uint)code;
            }
            Position += zeros + 1 + golombBits;
            // The one bit that ends the zeros comes along and is taken off.
            return (uint)((zeros - 1) << golombBits) + (uint)(window >> (63 - zeros - golombBits));
        }

        /// <summary>Takes a copy, so that the position of the caller's reader may stay in a register.</summary>
        /// <returns>MErrval, and above 32 bits how many the code has.</returns>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static ulong ReadLongCode(Reader reader, int zeros, int golombBits, int maxZeros, int rangeBits)
        {
            if (zeros > maxZeros)
            {
                throw Damaged();
            }
            var start = reader.Position;
            reader.Position += zeros + 1;
            var mapped = zeros == maxZeros ? reader.ReadBits(rangeBits) + 1 : ((uint)zeros << golombBits) + reader.ReadBits(golombBits);
            return ((ulong)(reader.Position - start) << 32) | mapped;
        }

        /// <summary>At least 57 bits, left-aligned.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly ulong Window()
        {
            var at = Position >> 3;
            if (at > lastByte)
            {
                throw JpegLsBits.Truncated();
            }
            var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, (nint)at));
            return (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(word) : word) << (int)(Position & 7);
        }
    }

    private interface ILoss
    {
        static abstract bool IsLossless { get; }
    }

    private readonly struct Lossless : ILoss
    {
        public static bool IsLossless => true;
    }

    private readonly struct NearLossless : ILoss
    {
        public static bool IsLossless => false;
    }
}
