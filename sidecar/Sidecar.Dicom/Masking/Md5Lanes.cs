using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sidecar.Dicom.Masking;

/// <summary>MD5 (RFC 1321), for <see cref="HashLanes"/>. Image archives name files by it; nothing here trusts it.</summary>
internal readonly unsafe struct Md5Lanes : ILaneHash
{
    private const int BlockBytes = 64;
    private const int Words = 16;
    private const int Steps = 64;

    private static readonly uint[] Constants =
    [
        0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE, 0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501, 0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE, 0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
        0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA, 0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8, 0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED, 0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
        0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C, 0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70, 0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05, 0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
        0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039, 0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1, 0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1, 0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391,
    ];

    public static ReadOnlySpan<uint> Start => [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476];

    public static bool IsBigEndian => false;

    /// <summary>RFC 1321, 3.4.</summary>
    // Compiled well from the first call on: there are few calls, all of them long.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress(byte** next, int blocks, Vector256<uint>* state)
    {
        var words = stackalloc Vector256<uint>[Words];
        var constants = stackalloc Vector256<uint>[Steps];
        for (var i = 0; i < Constants.Length; i++)
        {
            constants[i] = Vector256.Create(Constants[i]);
        }
        for (var block = 0L; block < blocks; block++)
        {
            HashLanes.Load<Md5Lanes>(next, block * BlockBytes, words);
            HashLanes.Load<Md5Lanes>(next, (block * BlockBytes) + 32, words + 8);
            var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
            // Each step waits for the one before: what does not depend on it is added up first.
            for (var i = 0; i < 16; i += 4)
            {
                a = b + Rotate(a + (words[i] + constants[i]) + Vector256.ConditionalSelect(b, c, d), 7);
                d = a + Rotate(d + (words[i + 1] + constants[i + 1]) + Vector256.ConditionalSelect(a, b, c), 12);
                c = d + Rotate(c + (words[i + 2] + constants[i + 2]) + Vector256.ConditionalSelect(d, a, b), 17);
                b = c + Rotate(b + (words[i + 3] + constants[i + 3]) + Vector256.ConditionalSelect(c, d, a), 22);
            }
            for (var i = 16; i < 32; i += 4)
            {
                a = b + Rotate(a + (words[((5 * i) + 1) % Words] + constants[i]) + Vector256.ConditionalSelect(d, b, c), 5);
                d = a + Rotate(d + (words[((5 * i) + 6) % Words] + constants[i + 1]) + Vector256.ConditionalSelect(c, a, b), 9);
                c = d + Rotate(c + (words[((5 * i) + 11) % Words] + constants[i + 2]) + Vector256.ConditionalSelect(b, d, a), 14);
                b = c + Rotate(b + (words[((5 * i) + 16) % Words] + constants[i + 3]) + Vector256.ConditionalSelect(a, c, d), 20);
            }
            for (var i = 32; i < 48; i += 4)
            {
                a = b + Rotate(a + (words[((3 * i) + 5) % Words] + constants[i]) + (b ^ c ^ d), 4);
                d = a + Rotate(d + (words[((3 * i) + 8) % Words] + constants[i + 1]) + (a ^ b ^ c), 11);
                c = d + Rotate(c + (words[((3 * i) + 11) % Words] + constants[i + 2]) + (d ^ a ^ b), 16);
                b = c + Rotate(b + (words[((3 * i) + 14) % Words] + constants[i + 3]) + (c ^ d ^ a), 23);
            }
            for (var i = 48; i < 64; i += 4)
            {
                a = b + Rotate(a + (words[(7 * i) % Words] + constants[i]) + (c ^ (b | ~d)), 6);
                d = a + Rotate(d + (words[((7 * i) + 7) % Words] + constants[i + 1]) + (b ^ (a | ~c)), 10);
                c = d + Rotate(c + (words[((7 * i) + 14) % Words] + constants[i + 2]) + (a ^ (d | ~b)), 15);
                b = c + Rotate(b + (words[((7 * i) + 21) % Words] + constants[i + 3]) + (d ^ (c | ~a)), 21);
            }
            (state[0], state[1], state[2], state[3]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> value, [ConstantExpected] byte bits) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(value, bits) : (value << bits) | (value >>> (32 - bits));
}
