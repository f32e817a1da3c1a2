using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sidecar.Dicom.Masking;

/// <summary>SHA-256 (FIPS 180-4), for <see cref="HashLanes"/>.</summary>
internal readonly unsafe struct Sha256Lanes : ILaneHash
{
    private const int BlockBytes = 64;
    private const int Rounds = 64;

    /// <summary>The truth table of "two of three".</summary>
    private const byte Majority = 0b1110_1000;

    /// <summary>Bit 29 of EBX in leaf 7: the processor has instructions for SHA-256, which the operating system's library uses.</summary>
    private const int ShaInstructions = 1 << 29;

    private static readonly uint[] Constants =
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5, 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA, 0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, 0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3, 0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ];

    public static ReadOnlySpan<uint> Start => [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19];

    public static bool IsBigEndian => true;

    /// <summary>
    /// With how many messages at once this processor gains by it; with none where they are more than there are lanes. Eight take three quarters of the time
    /// that instructions for SHA-256 take, where there are also those for rotations and for functions of three words.
    /// </summary>
    public static int GainsFrom { get; } =
        !HashLanes.IsSupported ? int.MaxValue
        : (X86Base.CpuId(7, 0).Ebx & ShaInstructions) == 0 ? 4
        : Avx512F.VL.IsSupported ? 7
        : int.MaxValue;

    /// <summary>FIPS 180-4, 6.2.2.</summary>
    // Compiled well from the first call on: there are few calls, all of them long.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress(byte** next, int blocks, Vector256<uint>* state)
    {
        var words = stackalloc Vector256<uint>[Rounds];
        var constants = stackalloc Vector256<uint>[Rounds];
        for (var i = 0; i < Constants.Length; i++)
        {
            constants[i] = Vector256.Create(Constants[i]);
        }
        for (var block = 0L; block < blocks; block++)
        {
            HashLanes.Load<Sha256Lanes>(next, block * BlockBytes, words);
            HashLanes.Load<Sha256Lanes>(next, (block * BlockBytes) + 32, words + 8);
            // The two words before the next two stay in registers: each word would else wait for one that is just being stored.
            var (even, odd) = (words[14], words[15]);
            for (var w = words + 16; w < words + Rounds; w += 2)
            {
                even = w[-16] + (Rotate(w[-15], 7) ^ Rotate(w[-15], 18) ^ (w[-15] >>> 3)) + w[-7] + (Rotate(even, 17) ^ Rotate(even, 19) ^ (even >>> 10));
                w[0] = even;
                odd = w[-15] + (Rotate(w[-14], 7) ^ Rotate(w[-14], 18) ^ (w[-14] >>> 3)) + w[-6] + (Rotate(odd, 17) ^ Rotate(odd, 19) ^ (odd >>> 10));
                w[1] = odd;
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
            var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
            var k = constants;
            for (var w = words; w < words + Rounds; w += 8)
            {
                h = Mix(e, f, g, h, w[0], k[0]);
                d += h;
                h += Choose(a, b, c);
                g = Mix(d, e, f, g, w[1], k[1]);
                c += g;
                g += Choose(h, a, b);
                f = Mix(c, d, e, f, w[2], k[2]);
                b += f;
                f += Choose(g, h, a);
                e = Mix(b, c, d, e, w[3], k[3]);
                a += e;
                e += Choose(f, g, h);
                d = Mix(a, b, c, d, w[4], k[4]);
                h += d;
                d += Choose(e, f, g);
                c = Mix(h, a, b, c, w[5], k[5]);
                g += c;
                c += Choose(d, e, f);
                b = Mix(g, h, a, b, w[6], k[6]);
                f += b;
                b += Choose(c, d, e);
                a = Mix(f, g, h, a, w[7], k[7]);
                e += a;
                a += Choose(b, c, d);
                k += 8;
            }
            (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
            (state[4], state[5], state[6], state[7]) = (state[4] + e, state[5] + f, state[6] + g, state[7] + h);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mix(Vector256<uint> e, Vector256<uint> f, Vector256<uint> g, Vector256<uint> h, Vector256<uint> word, Vector256<uint> constant) =>
        h + (word + constant) + Vector256.ConditionalSelect(e, f, g) + (Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Choose(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c) =>
        (Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22)) + (Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(a, b, c, Majority) : Vector256.ConditionalSelect(a ^ b, c, b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> value, [ConstantExpected] byte bits) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, bits) : (value >>> bits) | (value << (32 - bits));
}
