using System.Buffers;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// Sorting and selecting along an axis, stable: of equal elements the first stays first. Elements are mapped to
/// unsigned keys; the upper half of a key above the element's index is one number that no other element has, so any
/// sort of these numbers is stable, and 64-bit keys need a second one only where upper halves are equal.
/// </summary>
public static class Sorting
{
    /// <summary>Elements of the lines that one chunk sorts, about.</summary>
    private const int Share = 8192;

    /// <summary>
    /// The order of the elements along an axis, as Int32 indices; of every line as many as y has room for, the first
    /// ones. NaN comes last, whichever the direction.
    /// </summary>
    public static void ArgSort(NDArray x, int axis, bool descending, NDArray y)
    {
        if (y.Size == 0) return;
        switch (x.DType)
        {
            case DType.Float32: Sort<float, FloatKeys>(x, axis, descending, y); break;
            case DType.Float64: Sort<double, DoubleKeys>(x, axis, descending, y); break;
            case DType.Int32: Sort<int, IntKeys>(x, axis, descending, y); break;
            case DType.Int64: Sort<long, LongKeys>(x, axis, descending, y); break;
            default: Sort<byte, BoolKeys>(x, axis, descending, y); break;
        }
    }

    /// <summary>A monotone map from elements to unsigned 64-bit keys.</summary>
    private interface IKeys<T>
    {
        /// <summary>Whether the lower half of a key means anything.</summary>
        static abstract bool Wide { get; }

        static abstract ulong Of(T element, bool descending);
    }

    private readonly struct FloatKeys : IKeys<float>
    {
        public static bool Wide => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Of(float element, bool descending)
        {
            if (float.IsNaN(element)) return ulong.MaxValue;
            // −0 + 0 is +0: the two zeros are equal and must stay in order.
            var bits = BitConverter.SingleToInt32Bits(element + 0f);
            var key = (uint)(bits ^ ((bits >> 31) | int.MinValue));
            return (ulong)(descending ? ~key : key) << 32;
        }
    }

    private readonly struct DoubleKeys : IKeys<double>
    {
        public static bool Wide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Of(double element, bool descending)
        {
            if (double.IsNaN(element)) return ulong.MaxValue;
            var bits = BitConverter.DoubleToInt64Bits(element + 0.0);
            var key = (ulong)(bits ^ ((bits >> 63) | long.MinValue));
            return descending ? ~key : key;
        }
    }

    private readonly struct IntKeys : IKeys<int>
    {
        public static bool Wide => false;

        public static ulong Of(int element, bool descending)
        {
            var key = (uint)(element ^ int.MinValue);
            return (ulong)(descending ? ~key : key) << 32;
        }
    }

    private readonly struct LongKeys : IKeys<long>
    {
        public static bool Wide => true;

        public static ulong Of(long element, bool descending)
        {
            var key = (ulong)(element ^ long.MinValue);
            return descending ? ~key : key;
        }
    }

    private readonly struct BoolKeys : IKeys<byte>
    {
        public static bool Wide => false;

        public static ulong Of(byte element, bool descending) => (descending ? 1UL - element : element) << 32;
    }

    private static unsafe void Sort<T, TKeys>(NDArray x, int axis, bool descending, NDArray y)
        where T : unmanaged
        where TKeys : struct, IKeys<T>
    {
        var (source, target) = (x.InStorage().Storage!, y.Storage!);
        fixed (byte* from = source, to = target)
        {
            var work = new Lines<T, TKeys>((T*)from, (int*)to, x.Shape, axis, y.Shape[axis], descending);
            if (work.Chunks == 1) work.Run(0);
            else Workers.Run(work.Chunks, ref work);
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    private readonly unsafe struct Lines<T, TKeys> : IChunks
        where T : unmanaged
        where TKeys : struct, IKeys<T>
    {
        private readonly T* from;
        private readonly int* to;
        private readonly int size;
        private readonly int count;
        private readonly int inner;
        private readonly int lines;
        private readonly int linesPerChunk;
        private readonly bool descending;

        public Lines(T* from, int* to, int[] shape, int axis, int count, bool descending)
        {
            this.from = from;
            this.to = to;
            (size, this.count, this.descending, inner, lines) = (shape[axis], count, descending, 1, 1);
            for (var i = 0; i < shape.Length; i++)
            {
                if (i != axis) lines *= shape[i];
                if (i > axis) inner *= shape[i];
            }

            linesPerChunk = Math.Max(1, Share / size);
            Chunks = (lines + linesPerChunk - 1) / linesPerChunk;
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var pool = ArrayPool<ulong>.Shared;
            var rented = pool.Rent(TKeys.Wide ? 3 * size : 2 * size);
            var order = rented.AsSpan(0, size);
            var scratch = rented.AsSpan(size, size);
            var keys = rented.AsSpan(2 * size, TKeys.Wide ? size : 0);
            var end = Math.Min(lines, (chunk + 1) * linesPerChunk);
            for (var line = chunk * linesPerChunk; line < end; line++)
            {
                var (outer, column) = Math.DivRem(line, inner);
                var source = from + (nint)outer * size * inner + column;
                for (var i = 0; i < size; i++)
                {
                    var key = TKeys.Of(source[(nint)i * inner], descending);
                    if (TKeys.Wide) keys[i] = key;
                    order[i] = (key & 0xFFFFFFFF00000000) | (uint)i;
                }

                var kept = count < size / 8 ? SortingSteps.Select(order, count, scratch, TKeys.Wide) : order;
                SortingSteps.Sort(kept, scratch);
                if (TKeys.Wide) SortingSteps.Refine(kept, keys, scratch);
                var target = to + (nint)outer * count * inner + column;
                for (var i = 0; i < count; i++) target[(nint)i * inner] = (int)(uint)kept[i];
            }

            pool.Return(rented);
        }
    }
}
