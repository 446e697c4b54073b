using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>
/// Philox4x32-10: four words of a counter and two of a key become four random words. From Salmon, Moraes, Dror and
/// Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11 (2011).
/// </summary>
public static unsafe class Philox
{
    /// <summary>Bytes one counter gives.</summary>
    public const int BlockBytes = 16;

    private const uint MultiplierA = 0xD2511F53;
    private const uint MultiplierC = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>One block: the counter (a, b, c, d) under a key.</summary>
    public static (uint A, uint B, uint C, uint D) Block(uint a, uint b, uint c, uint d, uint key0, uint key1)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (p, q) = ((ulong)MultiplierA * a, (ulong)MultiplierC * c);
            (a, b, c, d) = ((uint)(q >> 32) ^ b ^ key0, (uint)q, (uint)(p >> 32) ^ d ^ key1, (uint)p);
            key0 += Weyl0;
            key1 += Weyl1;
        }

        return (a, b, c, d);
    }

    /// <summary>The blocks of the counters (first, 0, 0, 0), (first + 1, 0, 0, 0), .. one after another; the last may be cut.</summary>
    internal static void Fill(long key, int first, Span<uint> words)
    {
        const int blocks = 8;
        var (key0, key1) = ((uint)key, (uint)(key >> 32));
        var counter = (uint)first;
        var i = 0;
        if (Avx2.IsSupported)
        {
            for (; i + 4 * blocks <= words.Length; i += 4 * blocks, counter += blocks) Blocks(counter, key0, key1, words.Slice(i, 4 * blocks));
        }

        Span<uint> block = stackalloc uint[4];
        for (; i < words.Length; i += 4)
        {
            (block[0], block[1], block[2], block[3]) = Block(counter++, 0, 0, 0, key0, key1);
            block[..Math.Min(4, words.Length - i)].CopyTo(words[i..]);
        }
    }

    /// <summary>Eight blocks at once, one to a lane.</summary>
    private static void Blocks(uint counter, uint key0, uint key1, Span<uint> words)
    {
        var a = Vector256.Create(counter) + Vector256<uint>.Indices;
        var (b, c, d) = (Vector256<uint>.Zero, Vector256<uint>.Zero, Vector256<uint>.Zero);
        for (var round = 0; round < Rounds; round++)
        {
            var (highA, lowA) = Product(a, MultiplierA);
            var (highC, lowC) = Product(c, MultiplierC);
            (a, b, c, d) = (highC ^ b ^ Vector256.Create(key0), lowC, highA ^ d ^ Vector256.Create(key1), lowA);
            key0 += Weyl0;
            key1 += Weyl1;
        }

        // Lanes become blocks: a 4×4 transpose in either half, then the halves in order.
        var (ab, cd) = (Avx2.UnpackLow(a, b).AsUInt64(), Avx2.UnpackLow(c, d).AsUInt64());
        var (ba, dc) = (Avx2.UnpackHigh(a, b).AsUInt64(), Avx2.UnpackHigh(c, d).AsUInt64());
        var (x0, x1) = (Avx2.UnpackLow(ab, cd).AsUInt32(), Avx2.UnpackHigh(ab, cd).AsUInt32());
        var (x2, x3) = (Avx2.UnpackLow(ba, dc).AsUInt32(), Avx2.UnpackHigh(ba, dc).AsUInt32());
        fixed (uint* to = words)
        {
            Avx2.Permute2x128(x0, x1, 0x20).Store(to);
            Avx2.Permute2x128(x2, x3, 0x20).Store(to + 8);
            Avx2.Permute2x128(x0, x1, 0x31).Store(to + 16);
            Avx2.Permute2x128(x2, x3, 0x31).Store(to + 24);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> High, Vector256<uint> Low) Product(Vector256<uint> x, uint multiplier)
    {
        var m = Vector256.Create((ulong)multiplier).AsUInt32();
        var even = Avx2.Multiply(x, m);
        var odd = Avx2.Multiply((x.AsUInt64() >>> 32).AsUInt32(), m);
        return (Avx2.Blend((even >>> 32).AsUInt32(), odd.AsUInt32(), 0b10101010), Avx2.Blend(even.AsUInt32(), (odd << 32).AsUInt32(), 0b10101010));
    }
}
