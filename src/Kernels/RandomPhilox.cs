namespace Functional.Kernels;

/// <summary>
/// Philox4x32-10: four words of a counter and two of a key become four random words. From Salmon, Moraes, Dror and
/// Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11 (2011).
/// </summary>
public static class Philox
{
    /// <summary>Bytes one counter gives.</summary>
    public const int BlockBytes = 16;

    private const uint MultiplierA = 0xD2511F53;
    private const uint MultiplierC = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>One block.</summary>
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

    /// <summary>The blocks of the counters (first, 0, 0, 0), (first + 1, 0, 0, 0), .. one after another.</summary>
    internal static void Fill(long key, int first, Span<uint> words)
    {
        var (key0, key1) = ((uint)key, (uint)(key >> 32));
        var counter = (uint)first;
        var i = 0;
        for (; i + 4 <= words.Length; i += 4) (words[i], words[i + 1], words[i + 2], words[i + 3]) = Block(counter++, 0, 0, 0, key0, key1);
        if (i == words.Length) return;
        var (a, b, c, _) = Block(counter, 0, 0, 0, key0, key1);
        words[i] = a;
        if (i + 1 < words.Length) words[i + 1] = b;
        if (i + 2 < words.Length) words[i + 2] = c;
    }
}
