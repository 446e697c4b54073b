using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>
/// The loops of <see cref="Indexing"/>, over arrays seen as outer × axis × inner, cut into chunks by their sizes alone.
/// Chunks never write the same element, and each goes through the indices in order.
/// </summary>
internal static unsafe class IndexingWork
{
    /// <summary>Bytes that one chunk moves, about; arrays of up to four such shares stay on one thread.</summary>
    private const long Share = 64 * 1024;

    private static int Chunked(long items, long bytes, out long perChunk)
    {
        perChunk = bytes < 4 * Share ? Math.Max(items, 1) : Math.Max(1, Share * items / bytes);
        return (int)((items + perChunk - 1) / perChunk);
    }

    /// <summary>Copies runs of bytes: an item is one place of one outer position.</summary>
    public readonly struct Take : IChunks
    {
        private readonly byte* from;
        private readonly int* at;
        private readonly int count;
        private readonly int size;
        private readonly nint run;
        private readonly byte* to;
        private readonly long items;
        private readonly long perChunk;

        public Take(byte* from, int* at, int count, int outer, int size, nint run, byte* to)
        {
            this.from = from;
            this.at = at;
            this.to = to;
            (this.count, this.size, this.run) = (count, size, run);
            items = (long)outer * count;
            Chunks = Chunked(items, items * run, out perChunk);
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var first = chunk * perChunk;
            var end = Math.Min(items, first + perChunk);
            while (first < end)
            {
                var (outer, i) = Math.DivRem(first, count);
                var length = (int)Math.Min(end - first, count - i);
                var source = from + (nint)outer * size * run;
                var target = to + (nint)first * run;
                switch (run)
                {
                    case 4: Elements((uint*)source, at + i, length, (uint*)target); break;
                    case 8: Elements((ulong*)source, at + i, length, (ulong*)target); break;
                    default:
                        for (var j = 0; j < length; j++) Unsafe.CopyBlockUnaligned(target + j * run, source + at[i + j] * run, (uint)run);
                        break;
                }

                first += length;
            }
        }

        private static void Elements<T>(T* source, int* at, int length, T* target)
            where T : unmanaged
        {
            for (var j = 0; j < length; j++) target[j] = source[at[j]];
        }
    }

    /// <summary>Adds slices: a chunk owns a range of columns of one outer position, and takes all indices in order.</summary>
    public readonly struct Add<T> : IChunks
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        private readonly T* from;
        private readonly int* at;
        private readonly int count;
        private readonly int size;
        private readonly int inner;
        private readonly T* to;
        private readonly int* rows;
        private readonly int wide;
        private readonly int columns;
        private readonly int pieces;

        /// <param name="from">The slices, outer × count × inner.</param>
        /// <param name="at">Where they go.</param>
        /// <param name="count">How many there are for every outer position.</param>
        /// <param name="outer">The outer positions.</param>
        /// <param name="size">The places of the result.</param>
        /// <param name="inner">The columns.</param>
        /// <param name="to">The result, zero.</param>
        /// <param name="rows">For every place the row of its sums in double precision, or −1; null if there are no such rows.</param>
        /// <param name="wide">How many there are.</param>
        public Add(T* from, int* at, int count, int outer, int size, int inner, T* to, int* rows, int wide)
        {
            this.from = from;
            this.at = at;
            this.to = to;
            this.rows = rows;
            this.wide = wide;
            (this.count, this.size, this.inner) = (count, size, inner);
            // Whole cache lines, so that two threads seldom write the same one.
            var line = 64 / sizeof(T);
            columns = (long)count * inner * sizeof(T) < 4 * Share ? Math.Max(inner, 1) : Math.Max(2 * line, (inner / 8 + line - 1) / line * line);
            pieces = (inner + columns - 1) / columns;
            Chunks = outer * pieces;
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var (outer, piece) = Math.DivRem(chunk, pieces);
            var start = piece * columns;
            var length = Math.Min(columns, inner - start);
            var source = from + (nint)outer * count * inner + start;
            var target = to + (nint)outer * size * inner + start;
            if (rows != null)
            {
                RunWide((float*)source, (float*)target, length);
                return;
            }

            if (length == 1)
            {
                for (var i = 0; i < count; i++) target[(nint)at[i] * inner] += source[(nint)i * inner];
                return;
            }

            for (var i = 0; i < count; i++) AddRun(source + (nint)i * inner, target + (nint)at[i] * inner, length);
        }

        /// <summary>What many slices go to is added up in double precision, and rounded once.</summary>
        private void RunWide(float* source, float* target, int length)
        {
            var sums = Scratch.Of<double>((long)wide * length);
            new Span<double>(sums, checked(wide * length)).Clear();
            for (var i = 0; i < count; i++, source += inner)
            {
                var row = rows[at[i]];
                if (row < 0)
                {
                    AddRun((T*)source, (T*)(target + (nint)at[i] * inner), length);
                    continue;
                }

                WideSums.Add(source, sums + (nint)row * length, length);
            }

            for (var place = 0; place < size; place++)
            {
                if (rows[place] < 0) continue;
                double* sum = sums + (nint)rows[place] * length;
                var y = target + (nint)place * inner;
                for (var j = 0; j < length; j++) y[j] = (float)sum[j];
            }
        }

        private static void AddRun(T* source, T* target, int length)
        {
            var j = 0;
            if (Vector256<T>.IsSupported)
            {
                for (; j + Vector256<T>.Count <= length; j += Vector256<T>.Count)
                    (Vector256.Load(target + j) + Vector256.Load(source + j)).Store(target + j);
            }

            for (; j < length; j++) target[j] += source[j];
        }
    }

    /// <summary>Takes or adds single elements: a chunk is a run of outer positions.</summary>
    public readonly struct Along<T> : IChunks
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        private readonly T* from;
        private readonly int* at;
        private readonly int count;
        private readonly int outer;
        private readonly int size;
        private readonly nint inner;
        private readonly T* to;
        private readonly bool scatter;
        private readonly long perChunk;

        public Along(T* from, int* at, int count, int outer, int size, int inner, T* to, bool scatter)
        {
            this.from = from;
            this.at = at;
            this.to = to;
            (this.count, this.outer, this.size, this.inner, this.scatter) = (count, outer, size, inner, scatter);
            Chunks = Chunked(outer, (long)outer * count * inner * sizeof(T), out perChunk);
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var first = chunk * perChunk;
            var end = Math.Min(outer, first + perChunk);
            for (var o = (nint)first; o < end; o++)
            {
                var whole = o * size * inner;
                var picked = o * count * inner;
                if (scatter && typeof(T) == typeof(float) && count > Many && size * inner <= MostWide)
                {
                    AddWide((float*)from + picked, at + picked, (float*)to + whole);
                    continue;
                }

                for (var i = 0; i < count; i++, picked += inner)
                {
                    var place = at + picked;
                    if (scatter)
                    {
                        for (nint j = 0; j < inner; j++) to[whole + place[j] * inner + j] += from[picked + j];
                    }
                    else
                    {
                        for (nint j = 0; j < inner; j++) to[picked + j] = from[whole + place[j] * inner + j];
                    }
                }
            }
        }

        /// <summary>All places in double precision, rounded once.</summary>
        private void AddWide(float* source, int* places, float* target)
        {
            var elements = size * inner;
            var sums = Scratch.Of<double>(elements);
            new Span<double>(sums, checked((int)elements)).Clear();
            for (var i = 0; i < count; i++, source += inner, places += inner)
            {
                for (nint j = 0; j < inner; j++) sums[places[j] * inner + j] += source[j];
            }

            for (nint j = 0; j < elements; j++) target[j] = (float)sums[j];
        }
    }

    /// <summary>So many numbers in single precision are added as they are; a place that more go to is summed in double precision.</summary>
    public const int Many = 256;

    /// <summary>So many sums in double precision at most are kept at once.</summary>
    private const long MostWide = 1 << 27;

    /// <summary>A Bool element, whose sum is "or".</summary>
    public readonly struct Truth(byte value) : IAdditionOperators<Truth, Truth, Truth>
    {
        private readonly byte value = value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Truth operator +(Truth a, Truth b) => new((byte)(a.value | b.value));
    }
}
