using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Functional.Kernels.Functions;

namespace Functional.Kernels;

/// <summary>Softmax along an axis, and its derivative.</summary>
public static unsafe partial class Reductions
{
    /// <summary>y = exp(x − max) / Σ exp(x − max) along an axis; NaN where a whole line is −∞ or holds +∞ or NaN.</summary>
    /// <exception cref="NotSupportedException">The elements are no floats.</exception>
    public static void Softmax(NDArray x, int axis, NDArray y)
    {
        fixed (byte* p = x.Storage, q = y.Storage)
        {
            var along = new Along(x.Shape, axis);
            if (x.DType == DType.Float32) Softmax((float*)p, null, along, (float*)q);
            else if (x.DType == DType.Float64) Softmax((double*)p, null, along, (double*)q);
            else throw new NotSupportedException($"softmax: not defined for {x.DType}; cast to a float type");
        }
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>y = s·(t − Σ t·s) along an axis: the derivative of softmax in the direction t where its value is s; linear in t.</summary>
    /// <exception cref="NotSupportedException">The elements are no floats.</exception>
    public static void SoftmaxScale(NDArray t, NDArray s, int axis, NDArray y)
    {
        fixed (byte* p = t.Storage, r = s.Storage, q = y.Storage)
        {
            var along = new Along(t.Shape, axis);
            if (t.DType == DType.Float32) Softmax((float*)p, (float*)r, along, (float*)q);
            else if (t.DType == DType.Float64) Softmax((double*)p, (double*)r, along, (double*)q);
            else throw new NotSupportedException($"softmax: not defined for {t.DType}; cast to a float type");
        }
        GC.KeepAlive(t.Storage);
        GC.KeepAlive(s.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>Softmax of x, or with s the derivative in the direction x.</summary>
    private static void Softmax<T>(T* x, T* s, Along along, T* y)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Softmax<Simd512<T>, T>(x, s, along, y);
        else if (Vector256.IsHardwareAccelerated) Softmax<Simd256<T>, T>(x, s, along, y);
        else Softmax<Simd128<T>, T>(x, s, along, y);
    }

    private static void Softmax<V, T>(T* x, T* s, Along along, T* y)
        where V : struct, ISimd<V, T>
    {
        var body = new Softmaxing<V, T> { Along = along, X = x, S = s, Y = y };
        along.Invoke(ref body);
    }

    private struct Softmaxing<V, T> : IChunks
        where V : struct, ISimd<V, T>
    {
        /// <summary>Terms in every lane that are added before their sum is, as in the sums: a long line loses no accuracy.</summary>
        private const int Part = 16;

        public Along Along;
        public T* X, S, Y;

        public readonly void Run(int chunk)
        {
            var (from, to) = Along.Range(chunk);
            nint count = Along.Count, inner = Along.Inner, line = count * inner;
            for (var o = from; o < to; o++)
            {
                T* x = X + o * line, s = S + o * line, y = Y + o * line;
                if (inner == 1 && S == null) OfRow(x, count, y);
                else if (inner == 1) ScaleOfRow(x, s, count, y);
                else if (S == null) OfColumns(x, count, inner, y);
                else ScaleOfColumns(x, s, count, inner, y);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void OfRow(T* x, nint count, T* y)
        {
            V least = V.Of(double.NegativeInfinity), max = least, sum = V.Of(0);
            var constants = VectorMath<V, T>.ExpConstants(held: true);
            nint width = V.Count, i = 0;
            for (; count - i >= width; i += width) max = V.Max(max, V.Load(x + i));
            if (i < count) max = V.Max(max, V.Load(x + i, (int)(count - i), least));
            max = V.All(V.Fold<Max>(max));
            for (i = 0; i < count;)
            {
                var part = V.Of(0);
                for (var end = Math.Min(i + Part * width, count); i < end; i += width)
                {
                    var some = (int)Math.Min(width, count - i);
                    var e = VectorMath<V, T>.Exp((some == width ? V.Load(x + i) : V.Load(x + i, some, least)) - max, constants);
                    part += e;
                    Store(e, y + i, some);
                }
                sum += part;
            }
            var total = V.All(V.Fold<Add>(sum));
            for (i = 0; count - i >= width; i += width) (V.Load(y + i) / total).Store(y + i);
            if (i < count) (V.Load(y + i, (int)(count - i)) / total).Store(y + i, (int)(count - i));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void OfColumns(T* x, nint count, nint stride, T* y)
        {
            var constants = VectorMath<V, T>.ExpConstants(held: true);
            nint width = V.Count;
            for (nint j = 0; j < stride; j += width)
            {
                var some = (int)Math.Min(width, stride - j);
                V max = V.Of(double.NegativeInfinity), sum = V.Of(0);
                for (nint i = j; i < count * stride; i += stride) max = V.Max(max, Load(x + i, some));
                for (nint i = j; i < count * stride;)
                {
                    var part = V.Of(0);
                    for (var end = Math.Min(i + Part * stride, count * stride); i < end; i += stride)
                    {
                        var e = VectorMath<V, T>.Exp(Load(x + i, some) - max, constants);
                        part += e;
                        Store(e, y + i, some);
                    }
                    sum += part;
                }
                for (nint i = j; i < count * stride; i += stride) Store(Load(y + i, some) / sum, y + i, some);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void ScaleOfRow(T* t, T* s, nint count, T* y)
        {
            var sum = V.Of(0);
            nint width = V.Count;
            for (nint i = 0; i < count;)
            {
                var part = V.Of(0);
                for (var end = Math.Min(i + Part * width, count); i < end; i += width)
                {
                    var some = (int)Math.Min(width, count - i);
                    part = V.Fma(Load(t + i, some), Load(s + i, some), part);
                }
                sum += part;
            }
            sum = V.All(V.Fold<Add>(sum));
            for (nint i = 0; i < count; i += width)
            {
                var some = (int)Math.Min(width, count - i);
                Store(Load(s + i, some) * (Load(t + i, some) - sum), y + i, some);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void ScaleOfColumns(T* t, T* s, nint count, nint stride, T* y)
        {
            nint width = V.Count;
            for (nint j = 0; j < stride; j += width)
            {
                var some = (int)Math.Min(width, stride - j);
                var sum = V.Of(0);
                for (nint i = j; i < count * stride;)
                {
                    var part = V.Of(0);
                    for (var end = Math.Min(i + Part * stride, count * stride); i < end; i += stride)
                        part = V.Fma(Load(t + i, some), Load(s + i, some), part);
                    sum += part;
                }
                for (nint i = j; i < count * stride; i += stride)
                    Store(Load(s + i, some) * (Load(t + i, some) - sum), y + i, some);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Load(T* from, int count) => count == V.Count ? V.Load(from) : V.Load(from, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(V value, T* to, int count)
        {
            if (count == V.Count) value.Store(to);
            else value.Store(to, count);
        }
    }
}
