using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sidecar.Dicom.Masking;

/// <summary>A hash of 32-bit words over blocks of 64 bytes, of which eight are computed at once, each in its own lane of a vector.</summary>
internal unsafe interface ILaneHash
{
    /// <summary>What the words of the hash begin with.</summary>
    static abstract ReadOnlySpan<uint> Start { get; }

    /// <summary>Of words, and of the message's length at its end.</summary>
    static abstract bool IsBigEndian { get; }

    /// <summary>One block of each lane after the other.</summary>
    /// <param name="next">Where each of the eight lanes reads; at least as many blocks are there.</param>
    /// <param name="blocks">At least one.</param>
    /// <param name="state">The words of the hash, each in all lanes.</param>
    static abstract void Compress(byte** next, int blocks, Vector256<uint>* state);
}

/// <summary>
/// A hash of up to eight messages at once. One message alone cannot be computed in parallel, and takes most of the time of masking an uncompressed image;
/// eight together take about as long as two alone.
/// </summary>
internal static unsafe class HashLanes
{
    public const int Lanes = 8;
    private const int BlockBytes = 64;

    /// <summary>Whether this processor has what this needs.</summary>
    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>The hash of each message, in their order.</summary>
    /// <param name="messages">One to <see cref="Lanes"/>; of about the same length, or the longest keeps the others' lanes idle.</param>
    public static byte[][] Hash<T>(IReadOnlyList<ReadOnlyMemory<byte>> messages)
        where T : ILaneHash
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messages.Count, Lanes);
        var ends = new byte[Lanes * 2 * BlockBytes];
        var hashes = new byte[messages.Count][];
        var state = stackalloc Vector256<uint>[8];
        for (var i = 0; i < T.Start.Length; i++)
        {
            state[i] = Vector256.Create(T.Start[i]);
        }
        var handles = messages.Select(message => message.Pin()).ToArray();
        fixed (byte* end = ends)
        {
            var lanes = stackalloc Lane[Lanes];
            for (var i = 0; i < messages.Count; i++)
            {
                lanes[i] = Open<T>(messages[i].Span, (byte*)handles[i].Pointer, end + (i * 2 * BlockBytes));
            }
            Run<T>(lanes, messages.Count, state, hashes);
        }
        foreach (var handle in handles)
        {
            handle.Dispose();
        }
        return hashes;
    }

    /// <summary>Lets all lanes run as far as the shortest goes, then those that are left, and so on. A finished lane computes along with another one's data.</summary>
    private static void Run<T>(Lane* lanes, int count, Vector256<uint>* state, byte[][] hashes)
        where T : ILaneHash
    {
        var next = stackalloc byte*[Lanes];
        for (var left = count; left > 0;)
        {
            var blocks = int.MaxValue;
            byte* any = null;
            for (var i = 0; i < count; i++)
            {
                if (!lanes[i].IsDone)
                {
                    blocks = Math.Min(blocks, lanes[i].Blocks);
                    any = lanes[i].Next;
                }
            }
            for (var i = 0; i < Lanes; i++)
            {
                next[i] = i < count && !lanes[i].IsDone && lanes[i].Blocks >= blocks ? lanes[i].Next : any;
            }
            T.Compress(next, blocks, state);
            for (var i = 0; i < count; i++)
            {
                if (!lanes[i].IsDone && lanes[i].Advance(blocks))
                {
                    hashes[i] = Extract<T>(state, i);
                    left--;
                }
            }
        }
    }

    /// <summary>Puts the bytes after the last whole block, the bit 1, zeros and the length in bits (FIPS 180-4, 5.1.1; RFC 1321, 3.1 and 3.2) at <paramref name="end"/>.</summary>
    private static Lane Open<T>(ReadOnlySpan<byte> message, byte* start, byte* end)
        where T : ILaneHash
    {
        var whole = message.Length / BlockBytes;
        var rest = message[(whole * BlockBytes)..];
        var endBlocks = rest.Length + 9 <= BlockBytes ? 1 : 2;
        var padded = new Span<byte>(end, endBlocks * BlockBytes);
        rest.CopyTo(padded);
        padded[rest.Length] = 0x80;
        var bits = message.Length * 8L;
        BinaryPrimitives.WriteInt64LittleEndian(padded[^8..], T.IsBigEndian ? BinaryPrimitives.ReverseEndianness(bits) : bits);
        return whole > 0 ? new Lane { Next = start, Blocks = whole, End = end, EndBlocks = endBlocks } : new Lane { Next = end, Blocks = endBlocks };
    }

    private static byte[] Extract<T>(Vector256<uint>* state, int lane)
        where T : ILaneHash
    {
        var hash = new byte[T.Start.Length * sizeof(uint)];
        for (var i = 0; i < T.Start.Length; i++)
        {
            var word = state[i][lane];
            BinaryPrimitives.WriteUInt32LittleEndian(hash.AsSpan(4 * i), T.IsBigEndian ? BinaryPrimitives.ReverseEndianness(word) : word);
        }
        return hash;
    }

    /// <summary>Eight words of each lane, turned so that each vector holds one word of all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<T>(byte** next, long offset, Vector256<uint>* words)
        where T : ILaneHash
    {
        var swap = Vector256.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        var rows = stackalloc Vector256<uint>[Lanes];
        for (var i = 0; i < Lanes; i++)
        {
            var row = Vector256.Load(next[i] + offset);
            rows[i] = (T.IsBigEndian ? Avx2.Shuffle(row, swap) : row).AsUInt32();
        }
        for (var half = 0; half < 2; half++)
        {
            // Lanes 0 to 3 and 4 to 7: pairs of words, then fours.
            var (r0, r1, r2, r3) = (rows[4 * half], rows[(4 * half) + 1], rows[(4 * half) + 2], rows[(4 * half) + 3]);
            var (low01, high01) = (Avx2.UnpackLow(r0, r1).AsUInt64(), Avx2.UnpackHigh(r0, r1).AsUInt64());
            var (low23, high23) = (Avx2.UnpackLow(r2, r3).AsUInt64(), Avx2.UnpackHigh(r2, r3).AsUInt64());
            rows[4 * half] = Avx2.UnpackLow(low01, low23).AsUInt32();
            rows[(4 * half) + 1] = Avx2.UnpackHigh(low01, low23).AsUInt32();
            rows[(4 * half) + 2] = Avx2.UnpackLow(high01, high23).AsUInt32();
            rows[(4 * half) + 3] = Avx2.UnpackHigh(high01, high23).AsUInt32();
        }
        for (var i = 0; i < 4; i++)
        {
            words[i] = Avx2.Permute2x128(rows[i], rows[i + 4], 0x20);
            words[i + 4] = Avx2.Permute2x128(rows[i], rows[i + 4], 0x31);
        }
    }

    private struct Lane
    {
        public byte* Next;
        public int Blocks;
        public byte* End;
        public int EndBlocks;

        public readonly bool IsDone => Blocks == 0;

        /// <summary>Whether the message is at its end.</summary>
        public bool Advance(int blocks)
        {
            Next += (long)blocks * BlockBytes;
            Blocks -= blocks;
            if (Blocks == 0)
            {
                Next = End;
                Blocks = EndBlocks;
                EndBlocks = 0;
            }
            return Blocks == 0;
        }
    }
}
