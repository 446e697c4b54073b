using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Functional.Kernels.Functions;

namespace Functional.Kernels;

/// <summary>Places of extremes, and running sums and products: what goes along one axis.</summary>
public static unsafe partial class Reductions
{
    /// <summary>y (Int32) = the place of the extreme along an axis: the first of equals; NaN counts as the most extreme.</summary>
    /// <exception cref="NotSupportedException">The elements are Bool.</exception>
    /// <exception cref="ArgumentException">The axis is empty, but there is something to find.</exception>
    public static void ArgReduce(ArgReduction op, NDArray x, int axis, NDArray y)
    {
        var along = new Along(x.Shape, axis);
        if (along.Count == 0 && along.Outer * along.Inner > 0)
            throw new ArgumentException($"{op.ToString().ToLowerInvariant()}: axis {axis} of shape {string.Join("×", x.Shape)} is empty and has no extreme");
        fixed (byte* p = x.Storage, q = y.Storage)
        {
            switch (x.DType)
            {
                case DType.Float32: ArgReduce(op, (float*)p, along, (int*)q); break;
                case DType.Float64: ArgReduce(op, (double*)p, along, (int*)q); break;
                case DType.Int32: ArgReduce(op, (int*)p, along, (int*)q); break;
                case DType.Int64: ArgReduce(op, (long*)p, along, (int*)q); break;
                default: throw ElementwiseFunctions.Undefined(op, x.DType);
            }
        }
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>
    /// y = the running sum or product of x along an axis, from the first element on or, reversed, from the last. Those of
    /// Float32 are kept in double precision: every element of y is rounded once.
    /// </summary>
    /// <exception cref="NotSupportedException">The elements are Bool.</exception>
    public static void Cumulate(Cumulation op, NDArray x, int axis, bool reverse, NDArray y)
    {
        if (x.DType == DType.Bool) throw ElementwiseFunctions.Undefined(op, x.DType);
        fixed (byte* p = x.Storage, q = y.Storage)
        {
            var combine = ElementwiseLoops.Of(op == Cumulation.Sum ? Binary.Add : Binary.Mul, x.DType);
            var body = new Cumulating { Combine = combine, Product = op == Cumulation.Prod, Reverse = reverse, Type = x.DType, Along = new Along(x.Shape, axis), From = p, To = q };
            body.Along.Invoke(ref body);
        }
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>An array around an axis: outer × count × inner.</summary>
    private struct Along
    {
        public nint Outer = 1, Count, Inner = 1;

        /// <summary>Outer indices in a chunk of work.</summary>
        public nint Group;

        public Along(int[] shape, int axis)
        {
            for (var i = 0; i < axis; i++) Outer *= shape[i];
            Count = shape[axis];
            for (var i = axis + 1; i < shape.Length; i++) Inner *= shape[i];
            var each = Math.Max(1, Count * Inner);
            Group = Outer * each < 4 * AlongGrain ? Math.Max(1, Outer) : Math.Max(1, AlongGrain / each);
        }

        /// <summary>Runs a body whose chunk k does the outer indices from k·Group on.</summary>
        public readonly void Invoke<TBody>(ref TBody body)
            where TBody : struct, IChunks
        {
            if (Outer * Inner == 0) return;
            if (Group >= Outer) body.Run(0);
            else Workers.Run((int)((Outer + Group - 1) / Group), ref body);
        }

        public readonly (nint From, nint To) Range(int chunk) => (chunk * Group, Math.Min(Outer, (chunk + 1) * Group));
    }

    private const int AlongGrain = 8192;

    private static void ArgReduce<T>(ArgReduction op, T* x, Along along, int* y)
        where T : unmanaged, INumber<T>
    {
        if (op == ArgReduction.ArgMax) ArgReduce<Greater, Max, T>(x, along, y);
        else ArgReduce<Less, Min, T>(x, along, y);
    }

    private static void ArgReduce<TBetter, TBest, T>(T* x, Along along, int* y)
        where TBetter : struct, IBinary
        where TBest : struct, IBinary
        where T : unmanaged, INumber<T>
    {
        if (Vector512.IsHardwareAccelerated) ArgReduce<TBetter, TBest, Simd512<T>, T>(x, along, y);
        else if (Vector256.IsHardwareAccelerated) ArgReduce<TBetter, TBest, Simd256<T>, T>(x, along, y);
        else ArgReduce<TBetter, TBest, Simd128<T>, T>(x, along, y);
    }

    private static void ArgReduce<TBetter, TBest, V, T>(T* x, Along along, int* y)
        where TBetter : struct, IBinary
        where TBest : struct, IBinary
        where V : struct, ISimd<V, T>
        where T : unmanaged, INumber<T>
    {
        var body = new Finding<TBetter, TBest, V, T> { Along = along, From = x, To = y };
        along.Invoke(ref body);
    }

    private struct Finding<TBetter, TBest, V, T> : IChunks
        where TBetter : struct, IBinary
        where TBest : struct, IBinary
        where V : struct, ISimd<V, T>
        where T : unmanaged, INumber<T>
    {
        public Along Along;
        public T* From;
        public int* To;

        public readonly void Run(int chunk)
        {
            var (from, to) = Along.Range(chunk);
            for (var o = from; o < to; o++)
            {
                var x = From + o * Along.Count * Along.Inner;
                if (Along.Inner == 1) To[o] = OfRow(x, Along.Count);
                else OfColumns(x, Along.Count, Along.Inner, To + o * Along.Inner);
            }
        }

        /// <summary>The extreme first, and then its place.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int OfRow(T* x, nint count)
        {
            nint width = V.Count, i = width;
            var first = V.All(*x);
            var best = count >= width ? V.Load(x) : V.Load(x, (int)count, first);
            for (; count - i >= width; i += width) best = TBest.Of<V, T>(best, V.Load(x + i));
            if (i < count) best = TBest.Of<V, T>(best, V.Load(x + i, (int)(count - i), first));
            var value = V.Fold<TBest>(best);
            var sought = V.All(value);
            for (i = 0; i < count; i += width)
            {
                var some = count - i >= width ? V.Load(x + i) : V.Load(x + i, (int)(count - i));
                var bits = V.MaskBits(T.IsNaN(value) ? ~V.Equal(some, some) : V.Equal(some, sought));
                if (bits != 0) return (int)i + BitOperations.TrailingZeroCount(bits);
            }
            return 0;
        }

        /// <summary>The best so far and its place, column by column; places are lanes of the size of the elements.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void OfColumns(T* x, nint count, nint stride, int* y)
        {
            var width = V.Count;
            var places = stackalloc T[width];
            for (nint j = 0; j < stride; j += width)
            {
                var some = (int)Math.Min(width, stride - j);
                V best = V.Load(x + j, some), place = V.OfBits(0);
                for (nint k = 1; k < count; k++)
                {
                    var next = V.Load(x + k * stride + j, some);
                    var better = TBetter.Of<V, T>(next, best) | (~V.Equal(next, next) & V.Equal(best, best));
                    best = V.Select(better, next, best);
                    place = V.Select(better, V.OfBits((int)k), place);
                }
                place.Store(places);
                for (var lane = 0; lane < some; lane++) y[j + lane] = sizeof(T) == 4 ? ((int*)places)[lane] : (int)((long*)places)[lane];
            }
        }
    }

    private struct Cumulating : IChunks
    {
        public delegate*<void*, nint, void*, nint, void*, nint, void> Combine;
        public bool Product, Reverse;
        public DType Type;
        public Along Along;
        public byte* From, To;

        public readonly void Run(int chunk)
        {
            var width = Type.Size();
            var (from, to) = Along.Range(chunk);
            nint row = Along.Inner * width, step = Reverse ? -row : row;
            for (var o = from; o < to; o++)
            {
                if (Along.Count == 0) continue;
                var start = (o * Along.Count + (Reverse ? Along.Count - 1 : 0)) * row;
                byte* x = From + start, y = To + start;
                if (Along.Inner == 1)
                {
                    Line(x, y);
                    continue;
                }
                if (Type == DType.Float32)
                {
                    WideLines((float*)x, (float*)y, Reverse ? -Along.Inner : Along.Inner);
                    continue;
                }
                Buffer.MemoryCopy(x, y, row, row);
                for (nint k = 1; k < Along.Count; k++)
                {
                    x += step;
                    y += step;
                    Combine(y - step, 1, x, 1, y, Along.Inner);
                }
            }
        }

        private readonly void Line(byte* x, byte* y)
        {
            nint count = Along.Count, step = Reverse ? -1 : 1;
            switch (Type)
            {
                case DType.Float32: WideLine((float*)x, (float*)y, count, step); break;
                case DType.Float64: Line((double*)x, (double*)y, count, step); break;
                case DType.Int32: Line((int*)x, (int*)y, count, step); break;
                default: Line((long*)x, (long*)y, count, step); break;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void WideLine(float* x, float* y, nint count, nint step)
        {
            double running = *y = *x;
            for (nint k = 1; k < count; k++)
            {
                x += step;
                y += step;
                running = Product ? running * *x : running + *x;
                *y = (float)running;
            }
        }

        /// <summary>Lines side by side, whose running results wait in double precision.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void WideLines(float* x, float* y, nint step)
        {
            var running = Scratch.Of<double>(Along.Inner);
            new Span<double>(running, (int)Along.Inner).Fill(Product ? 1 : 0);
            for (nint k = 0; k < Along.Count; k++, x += step, y += step)
            {
                nint j = 0;
                for (; j + Vector256<float>.Count <= Along.Inner; j += Vector256<float>.Count)
                {
                    var (low, high) = Vector256.Widen(Vector256.Load(x + j));
                    Vector256<double> before = Vector256.Load(running + j), after = Vector256.Load(running + j + Vector256<double>.Count);
                    (low, high) = Product ? (before * low, after * high) : (before + low, after + high);
                    low.Store(running + j);
                    high.Store(running + j + Vector256<double>.Count);
                    Vector256.Narrow(low, high).Store(y + j);
                }
                for (; j < Along.Inner; j++)
                {
                    running[j] = Product ? running[j] * x[j] : running[j] + x[j];
                    y[j] = (float)running[j];
                }
            }
        }

        private readonly void Line<T>(T* x, T* y, nint count, nint step)
            where T : unmanaged, INumber<T>
        {
            var running = *y = *x;
            for (nint k = 1; k < count; k++)
            {
                x += step;
                y += step;
                running = Product ? running * *x : running + *x;
                *y = running;
            }
        }
    }
}
