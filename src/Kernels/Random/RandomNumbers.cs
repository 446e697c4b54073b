using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>
/// Counter-based random numbers: element i of the block that belongs to key k is a function of (k, i) and of nothing
/// else, not of the number of threads, of the batch or of the width of a vector. <see cref="Philox"/> gives the bits,
/// <see cref="NormalQuantile"/> turns uniform bits into normal numbers one by one.
/// </summary>
public static unsafe class RandomNumbers
{
    /// <summary>Elements of one chunk: a multiple of four, so that no Philox block is shared by two chunks.</summary>
    private const int Piece = 8192;

    /// <summary>Fills y, of shape key.Shape ++ shape, with numbers of a distribution: a block of the shape for every key.</summary>
    /// <param name="distribution">Bits for Int32 and Int64; Uniform, Normal or TruncatedNormal for Float32 and Float64.</param>
    /// <param name="key">Int64, of any shape.</param>
    /// <param name="y">The array to fill.</param>
    /// <exception cref="ArgumentException">y's element type does not go with the distribution.</exception>
    public static void Draw(Distribution distribution, NDArray key, NDArray y)
    {
        if (y.DType == DType.Bool || (distribution == Distribution.Bits) == y.DType.IsFloat())
        {
            throw new ArgumentException(
                $"random: {distribution} cannot be drawn as {y.DType}; Bits are Int32 or Int64, the other distributions Float32 or Float64");
        }

        var keys = key.AsSpan<long>();
        var block = keys.Length == 0 ? 0 : y.Size / keys.Length;
        if (block == 0) return;
        fixed (long* k = keys)
        fixed (byte* to = y.Storage!)
        {
            var work = new Work(distribution, k, keys.Length, block, to, y.DType);
            if (work.Chunks == 1) work.Run(0);
            else Workers.Run(work.Chunks, ref work);
        }

        GC.KeepAlive(key.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>A key derived from a key and a number; different numbers give independent keys.</summary>
    public static long Fold(long key, long data)
    {
        // Draws leave the third word of the counter 0, so no folded key is also a number that was drawn.
        var (a, b, _, _) = Philox.Block((uint)data, (uint)(data >> 32), 1, 0, (uint)key, (uint)(key >> 32));
        return (long)(a | (ulong)b << 32);
    }

    private readonly struct Work : IChunks
    {
        private readonly Distribution distribution;
        private readonly long* keys;
        private readonly int count;
        private readonly int block;
        private readonly byte* to;
        private readonly DType type;
        private readonly int pieces;
        private readonly int keysPerChunk;

        public Work(Distribution distribution, long* keys, int count, int block, byte* to, DType type)
        {
            this.distribution = distribution;
            this.keys = keys;
            this.count = count;
            this.block = block;
            this.to = to;
            this.type = type;
            pieces = (block + Piece - 1) / Piece;
            keysPerChunk = Math.Max(1, Piece / block);
            Chunks = (count + keysPerChunk - 1) / keysPerChunk * pieces;
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            // Either a key has several pieces or a chunk has several keys.
            var first = chunk / pieces * keysPerChunk;
            var start = chunk % pieces * Piece;
            var length = Math.Min(Piece, block - start);
            for (var k = first; k < Math.Min(count, first + keysPerChunk); k++)
            {
                var size = type.Size();
                var target = to + ((nint)k * block + start) * size;
                Philox.Fill(keys[k], start * size / Philox.BlockBytes, new Span<uint>(target, length * size / sizeof(uint)));
                if (type == DType.Float32) Shape(distribution, new Span<float>(target, length));
                else if (type == DType.Float64) Shape(distribution, new Span<double>(target, length));
            }
        }
    }

    /// <summary>Turns random bits into numbers, in place.</summary>
    private static void Shape(Distribution distribution, Span<float> y)
    {
        switch (distribution)
        {
            case Distribution.Uniform: Map<float, UniformMap>(y); break;
            case Distribution.Normal: Map<float, NormalMap>(y); break;
            default: Map<float, TruncatedMap>(y); break;
        }
    }

    private static void Shape(Distribution distribution, Span<double> y)
    {
        switch (distribution)
        {
            case Distribution.Uniform: Map<double, UniformMap>(y); break;
            case Distribution.Normal: Map<double, NormalMap>(y); break;
            default: Map<double, TruncatedMap>(y); break;
        }
    }

    private interface IMap<T>
    {
        static abstract Vector256<T> Of(Vector256<T> bits);
    }

    private readonly struct UniformMap : IMap<float>, IMap<double>
    {
        public static Vector256<float> Of(Vector256<float> bits) =>
            Vector256.ConvertToSingle((bits.AsUInt32() >>> 8).AsInt32()) * (1f / (1 << 24));

        public static Vector256<double> Of(Vector256<double> bits) =>
            Vector256.ConvertToDouble((bits.AsUInt64() >>> 11).AsInt64()) * (1.0 / (1L << 53));
    }

    private readonly struct NormalMap : IMap<float>, IMap<double>
    {
        public static Vector256<float> Of(Vector256<float> bits) => NormalQuantile.Of(bits.AsUInt32(), truncated: false);

        public static Vector256<double> Of(Vector256<double> bits) => NormalQuantile.Of(bits.AsUInt64(), truncated: false);
    }

    private readonly struct TruncatedMap : IMap<float>, IMap<double>
    {
        public static Vector256<float> Of(Vector256<float> bits) => NormalQuantile.Of(bits.AsUInt32(), truncated: true);

        public static Vector256<double> Of(Vector256<double> bits) => NormalQuantile.Of(bits.AsUInt64(), truncated: true);
    }

    private static void Map<T, TMap>(Span<T> y)
        where T : unmanaged
        where TMap : struct, IMap<T>
    {
        var i = 0;
        fixed (T* first = y)
        {
            for (; i + Vector256<T>.Count <= y.Length; i += Vector256<T>.Count)
                TMap.Of(Vector256.Load(first + i)).Store(first + i);
        }
        if (i == y.Length) return;
        Span<T> rest = stackalloc T[Vector256<T>.Count];
        y[i..].CopyTo(rest);
        TMap.Of(Vector256.Create<T>(rest)).CopyTo(rest);
        rest[..(y.Length - i)].CopyTo(y[i..]);
    }
}
