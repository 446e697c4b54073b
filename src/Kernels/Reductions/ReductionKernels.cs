using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Functional.Kernels.Functions;

namespace Functional.Kernels;

/// <summary>
/// The loops of one reduction for one element type, on the calling thread. Sums are made in two levels (sixteen terms at
/// most on each, in every lane), which keeps the error of a piece near a unit in the last place.
/// </summary>
public readonly unsafe struct ReductionKernel
{
    /// <summary>Terms that are added before their sum is: rows, or vectors in each of four lanes.</summary>
    internal const int Steps = 16;

    /// <summary>Bytes of the widest vector.</summary>
    internal const int StateBytes = 64;

    private static readonly ReductionKernel[] known = new ReductionKernel[6 * 5];

    /// <summary>
    /// (a, b, count, state, onward, y): one result from consecutive elements. Only the sum of products looks at b. They may come
    /// in parts, all but the last with a multiple of 4·<see cref="Steps"/> vectors: y is null before the last part, onward says
    /// that parts were before, and the state, <see cref="StateBytes"/>, waits in between.
    /// </summary>
    internal readonly delegate*<void*, void*, nint, void*, bool, void*, void> Row;

    /// <summary>
    /// (a, b, count, stride, columns, y, onward): a result for each column from count rows, a stride of elements apart. Onward
    /// from the rows before, if those were a multiple of <see cref="Steps"/>, it is what all of them together give.
    /// </summary>
    public readonly delegate*<void*, void*, nint, nint, nint, void*, bool, void> Columns;

    /// <summary>One result from count consecutive elements.</summary>
    public void OfRow(void* a, void* b, nint count, void* y) => Row(a, b, count, null, false, y);

    /// <summary>A result for each column from count rows, a stride of elements apart.</summary>
    public void OfColumns(void* a, void* b, nint count, nint stride, nint columns, void* y) => Columns(a, b, count, stride, columns, y, false);

    private ReductionKernel(
        delegate*<void*, void*, nint, void*, bool, void*, void> row,
        delegate*<void*, void*, nint, nint, nint, void*, bool, void> columns)
    {
        Row = row;
        Columns = columns;
    }

    // Another thread may be writing it: only both halves together are a kernel.
    private bool IsWhole => Row != null && Columns != null;

    /// <summary>The loops of a reduction.</summary>
    /// <exception cref="NotSupportedException">The reduction is not defined for the element type.</exception>
    public static ReductionKernel Of(Reduction op, DType type)
    {
        var place = (int)op * 5 + (int)type;
        var kernel = known[place];
        if (kernel.IsWhole) return kernel;
        if ((op == Reduction.LogSumExp && !type.IsFloat()) || (type == DType.Bool && op is not (Reduction.Max or Reduction.Min)))
            throw ElementwiseFunctions.Undefined(op, type);
        return known[place] = type switch
        {
            DType.Float32 => Make<float>(op),
            DType.Float64 => Make<double>(op),
            DType.Int32 => Make<int>(op),
            DType.Int64 => Make<long>(op),
            _ => Make<byte>(op),
        };
    }

    /// <summary>The sum of products of two arrays.</summary>
    public static ReductionKernel OfProducts(DType type)
    {
        var place = (1 + (int)Reduction.LogSumExp) * 5 + (int)type;
        var kernel = known[place];
        if (kernel.IsWhole) return kernel;
        return known[place] = type switch
        {
            DType.Float32 => Make<Add, Product, float>(),
            DType.Float64 => Make<Add, Product, double>(),
            DType.Int32 => Make<Add, Product, int>(),
            DType.Int64 => Make<Add, Product, long>(),
            _ => throw new NotSupportedException($"sum of products: not defined for {type}; cast to a number type"),
        };
    }

    private static ReductionKernel Make<T>(Reduction op)
        where T : unmanaged => op switch
        {
            Reduction.Sum => Make<Add, Plain, T>(),
            Reduction.Prod => Make<Mul, Plain, T>(),
            Reduction.Max => Make<Max, Plain, T>(),
            Reduction.Min => Make<Min, Plain, T>(),
            _ => MakeLogSumExp<T>(),
        };

    private static ReductionKernel Make<TOp, S, T>()
        where TOp : struct, IBinary
        where S : struct, ISource
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? Make<TOp, S, Simd512<T>, T>()
        : Vector256.IsHardwareAccelerated ? Make<TOp, S, Simd256<T>, T>()
        : Make<TOp, S, Simd128<T>, T>();

    private static ReductionKernel Make<TOp, S, V, T>()
        where TOp : struct, IBinary
        where S : struct, ISource
        where V : struct, ISimd<V, T> => new(
        (delegate*<void*, void*, nint, void*, bool, void*, void>)(delegate*<T*, T*, nint, T*, bool, T*, void>)&OfRow<TOp, S, V, T>,
        (delegate*<void*, void*, nint, nint, nint, void*, bool, void>)(delegate*<T*, T*, nint, nint, nint, T*, bool, void>)&OfColumns<TOp, S, V, T>);

    private static ReductionKernel MakeLogSumExp<T>()
        where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? MakeLogSumExp<Simd512<T>, T>()
        : Vector256.IsHardwareAccelerated ? MakeLogSumExp<Simd256<T>, T>()
        : MakeLogSumExp<Simd128<T>, T>();

    private static ReductionKernel MakeLogSumExp<V, T>()
        where V : struct, ISimd<V, T> => new(
        (delegate*<void*, void*, nint, void*, bool, void*, void>)(delegate*<T*, T*, nint, T*, bool, T*, void>)&LogSumExpOfRow<V, T>,
        (delegate*<void*, void*, nint, nint, nint, void*, bool, void>)(delegate*<T*, T*, nint, nint, nint, T*, bool, void>)&LogSumExpOfColumns<V, T>);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OfRow<TOp, S, V, T>(T* a, T* b, nint count, T* state, bool onward, T* y)
        where TOp : struct, IBinary
        where S : struct, ISource
        where V : struct, ISimd<V, T>
    {
        var absent = V.All(Identity<TOp, T>());
        var total = onward ? V.Load(state) : absent;
        nint width = V.Count, i = 0;
        while (count - i >= 4 * width)
        {
            V p = absent, q = absent, r = absent, s = absent;
            var end = i + Math.Min(Steps, (count - i) / (4 * width)) * 4 * width;
            for (; i < end; i += 4 * width)
            {
                p = TOp.Of<V, T>(p, S.Load<V, T>(a, b, i));
                q = TOp.Of<V, T>(q, S.Load<V, T>(a, b, i + width));
                r = TOp.Of<V, T>(r, S.Load<V, T>(a, b, i + 2 * width));
                s = TOp.Of<V, T>(s, S.Load<V, T>(a, b, i + 3 * width));
            }
            total = TOp.Of<V, T>(total, TOp.Of<V, T>(TOp.Of<V, T>(p, q), TOp.Of<V, T>(r, s)));
        }
        if (y == null)
        {
            total.Store(state);
            return;
        }
        for (; count - i >= width; i += width) total = TOp.Of<V, T>(total, S.Load<V, T>(a, b, i));
        if (i < count) total = TOp.Of<V, T>(total, S.Load<V, T>(a, b, i, (int)(count - i), absent));
        *y = V.Fold<TOp>(total);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OfColumns<TOp, S, V, T>(T* a, T* b, nint count, nint stride, nint columns, T* y, bool onward)
        where TOp : struct, IBinary
        where S : struct, ISource
        where V : struct, ISimd<V, T>
    {
        var absent = V.All(Identity<TOp, T>());
        nint width = V.Count, row = 0;
        do
        {
            // a few rows at a time, from left to right, as they lie in memory; the results so far wait in y
            nint end = Math.Min(row + Steps, count), j = 0;
            for (; j + 4 * width <= columns; j += 4 * width)
            {
                V p = absent, q = absent, r = absent, s = absent;
                for (var i = (row * stride) + j; i < end * stride; i += stride)
                {
                    p = TOp.Of<V, T>(p, S.Load<V, T>(a, b, i));
                    q = TOp.Of<V, T>(q, S.Load<V, T>(a, b, i + width));
                    r = TOp.Of<V, T>(r, S.Load<V, T>(a, b, i + 2 * width));
                    s = TOp.Of<V, T>(s, S.Load<V, T>(a, b, i + 3 * width));
                }
                TOp.Of<V, T>(onward ? V.Load(y + j) : absent, p).Store(y + j);
                TOp.Of<V, T>(onward ? V.Load(y + j + width) : absent, q).Store(y + j + width);
                TOp.Of<V, T>(onward ? V.Load(y + j + 2 * width) : absent, r).Store(y + j + 2 * width);
                TOp.Of<V, T>(onward ? V.Load(y + j + 3 * width) : absent, s).Store(y + j + 3 * width);
            }
            for (; j < columns; j += width)
            {
                var some = (int)Math.Min(width, columns - j);
                var p = absent;
                for (var i = (row * stride) + j; i < end * stride; i += stride)
                    p = TOp.Of<V, T>(p, some == width ? S.Load<V, T>(a, b, i) : S.Load<V, T>(a, b, i, some));
                TOp.Of<V, T>(onward ? V.Load(y + j, some) : absent, p).Store(y + j, some);
            }
            row = end;
            onward = true;
        }
        while (row < count);
    }

    /// <summary>m + ln Σ exp(x − m) with m the maximum; where that is infinite or NaN, m itself. Not in parts.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LogSumExpOfRow<V, T>(T* x, T* unused, nint count, T* state, bool onward, T* y)
        where V : struct, ISimd<V, T>
    {
        OfRow<Max, Plain, V, T>(x, null, count, null, false, y);
        V max = V.All(*y), least = V.Of(double.NegativeInfinity), sum = V.Of(0);
        var constants = VectorMath<V, T>.ExpConstants(held: true);
        nint width = V.Count;
        for (nint i = 0; i < count;)
        {
            var some = V.Of(0);
            for (var end = Math.Min(i + Steps * width, count); i < end; i += width)
                some += VectorMath<V, T>.Exp((count - i >= width ? V.Load(x + i) : V.Load(x + i, (int)(count - i), least)) - max, constants);
            sum += some;
        }
        sum = V.All(V.Fold<Add>(sum));
        *y = LogSumExp<V, T>(max, sum).First;
        if (V.MaskBits(MayCancel<V, T>(max, sum)) != 0) LogSumExpOfRowNearZero<V, T>(x, count, max, y);
    }

    /// <summary>
    /// Where a logarithm of little more than 1 is most of the result: there 1, the share of the maximum, must not take the bits
    /// of the others. Rare, so that the other rows need not be kept apart from their maximum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V MayCancel<V, T>(V max, V sum)
        where V : struct, ISimd<V, T> => V.Less(V.Abs(max), V.Of(0.5)) & V.Less(sum, V.Of(1.5));

    /// <summary>m + ln(1 + Σ exp(x − m)), the sum without one maximum; there is only one where that of all is below 2.</summary>
    private static void LogSumExpOfRowNearZero<V, T>(T* x, nint count, V max, T* y)
        where V : struct, ISimd<V, T>
    {
        V least = V.Of(double.NegativeInfinity), rest = V.Of(0);
        nint width = V.Count;
        for (nint i = 0; i < count; i += width)
            rest += Below<V, T>(count - i >= width ? V.Load(x + i) : V.Load(x + i, (int)(count - i), least), max);
        *y = (max + VectorMath<V, T>.Log1p(V.All(V.Fold<Add>(rest)))).First;
    }

    private static V LogSumExpOfColumnsNearZero<V, T>(T* x, nint count, nint stride, int some, V max)
        where V : struct, ISimd<V, T>
    {
        var rest = V.Of(0);
        for (nint row = 0; row < count; row++) rest += Below<V, T>(V.Load(x + row * stride, some), max);
        return max + VectorMath<V, T>.Log1p(rest);
    }

    /// <summary>exp(x − m) of what is below the maximum, 0 of the maximum itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Below<V, T>(V x, V max)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Exp(x - max) & V.Less(x, max);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LogSumExpOfColumns<V, T>(T* x, T* unused, nint count, nint stride, nint columns, T* y, bool onward)
        where V : struct, ISimd<V, T>
    {
        OfColumns<Max, Plain, V, T>(x, null, count, stride, columns, y, false);
        var constants = VectorMath<V, T>.ExpConstants(held: true);
        nint width = V.Count;
        for (nint j = 0; j < columns; j += width)
        {
            var some = (int)Math.Min(width, columns - j);
            V max = V.Load(y + j, some), sum = V.Of(0);
            for (nint row = 0; row < count;)
            {
                var part = V.Of(0);
                for (var end = Math.Min(row + Steps, count); row < end; row++)
                    part += VectorMath<V, T>.Exp(V.Load(x + row * stride + j, some) - max, constants);
                sum += part;
            }
            var result = LogSumExp<V, T>(max, sum);
            var near = MayCancel<V, T>(max, sum);
            if (V.MaskBits(near) != 0) result = V.Select(near, LogSumExpOfColumnsNearZero<V, T>(x + j, count, stride, some, max), result);
            result.Store(y + j, some);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogSumExp<V, T>(V max, V sum)
        where V : struct, ISimd<V, T> =>
        V.Select(V.Less(V.Abs(max), V.Of(double.PositiveInfinity)), max + VectorMath<V, T>.Log(sum), max);

    /// <summary>What a reduction of nothing gives.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Identity<TOp, T>()
    {
        if (typeof(T) == typeof(float)) return (T)(object)Identity<TOp, float>(0, 1, float.NegativeInfinity, float.PositiveInfinity);
        if (typeof(T) == typeof(double)) return (T)(object)Identity<TOp, double>(0, 1, double.NegativeInfinity, double.PositiveInfinity);
        if (typeof(T) == typeof(int)) return (T)(object)Identity<TOp, int>(0, 1, int.MinValue, int.MaxValue);
        if (typeof(T) == typeof(long)) return (T)(object)Identity<TOp, long>(0, 1, long.MinValue, long.MaxValue);
        return (T)(object)Identity<TOp, byte>(0, 1, 0, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Identity<TOp, T>(T zero, T one, T least, T greatest) =>
        typeof(TOp) == typeof(Add) ? zero : typeof(TOp) == typeof(Mul) ? one : typeof(TOp) == typeof(Max) ? least : greatest;

    /// <summary>Where the terms of a reduction come from.</summary>
    private interface ISource
    {
        static abstract V Load<V, T>(T* a, T* b, nint i)
            where V : struct, ISimd<V, T>;

        static abstract V Load<V, T>(T* a, T* b, nint i, int count)
            where V : struct, ISimd<V, T>;

        static abstract V Load<V, T>(T* a, T* b, nint i, int count, V absent)
            where V : struct, ISimd<V, T>;
    }

    private readonly struct Plain : ISource
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i)
            where V : struct, ISimd<V, T> => V.Load(a + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i, int count)
            where V : struct, ISimd<V, T> => V.Load(a + i, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i, int count, V absent)
            where V : struct, ISimd<V, T> => V.Load(a + i, count, absent);
    }

    private readonly struct Product : ISource
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i)
            where V : struct, ISimd<V, T> => V.Load(a + i) * V.Load(b + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i, int count)
            where V : struct, ISimd<V, T> => V.Load(a + i, count) * V.Load(b + i, count);

        // Only sums are made of products: what is absent is 0 in both.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, T>(T* a, T* b, nint i, int count, V absent)
            where V : struct, ISimd<V, T> => V.Load(a + i, count) * V.Load(b + i, count);
    }
}
