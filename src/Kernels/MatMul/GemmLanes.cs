// What the tiles of a matrix product need of numbers side by side: lanes of any width, or one number at a time where the
// processor has no vectors. The product is written once in terms of these.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>What the product needs of vectors.</summary>
internal unsafe interface ILanes<V, T>
{
    /// <summary>The number of elements in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The rows of a tile: two vectors of each, two of b and one of a fit into the registers, 16 or with AVX-512 32.</summary>
    static abstract int TileRows { get; }

    static abstract V Load(T* source);

    static abstract void Store(V value, T* target);

    /// <summary>The first few elements and zeros; nothing behind them is touched.</summary>
    static abstract V LoadFirst(int count, T* source);

    /// <summary>Stores the first few elements only.</summary>
    static abstract void StoreFirst(int count, V value, T* target);

    /// <summary>One element in every lane.</summary>
    static abstract V Broadcast(T value);

    /// <summary>a·b + c, rounded once where the machine can.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>a·b + c, rounded once on every machine: what is added to a finished sum, as AddScaled adds it.</summary>
    static abstract V Fused(V a, V b, V c);

    static abstract V Add(V a, V b);

    /// <summary>The sums over the lanes of each: four numbers.</summary>
    static abstract void Sums(V a, V b, V c, V d, T* sums);
}

/// <summary>Vectors of a width.</summary>
internal unsafe struct Lanes<V, T> : ILanes<V, T>
    where V : struct, ISimd<V, T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => V.Count;
    }

    public static int TileRows
    {
        [MethodImpl(Inline)]
        get => sizeof(V) == 64 || (sizeof(V) == 32 && Avx512F.VL.IsSupported) ? 8 : 6;
    }

    [MethodImpl(Inline)]
    public static V Load(T* source) => V.Load(source);

    [MethodImpl(Inline)]
    public static void Store(V value, T* target) => value.Store(target);

    [MethodImpl(Inline)]
    public static V LoadFirst(int count, T* source) => V.Load(source, count);

    [MethodImpl(Inline)]
    public static void StoreFirst(int count, V value, T* target) => value.Store(target, count);

    [MethodImpl(Inline)]
    public static V Broadcast(T value) => V.All(value);

    // Fusing without an instruction for it would take longer than the rest of the product.
    [MethodImpl(Inline)]
    public static V MultiplyAdd(V a, V b, V c) =>
        (typeof(T) == typeof(float) || typeof(T) == typeof(double)) && (Fma.IsSupported || AdvSimd.IsSupported) ? V.Fma(a, b, c) : (a * b) + c;

    [MethodImpl(Inline)]
    public static V Fused(V a, V b, V c) => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? V.Fma(a, b, c) : (a * b) + c;

    [MethodImpl(Inline)]
    public static V Add(V a, V b) => a + b;

    [MethodImpl(Inline)]
    public static void Sums(V a, V b, V c, V d, T* sums)
    {
        Vector128<T> p = Quarter(a), q = Quarter(b), r = Quarter(c), s = Quarter(d);
        if (typeof(T) == typeof(float) && Sse.IsSupported)
        {
            // (x0 + x2, y0 + y2, x1 + x3, y1 + y3) of two, and the halves of that
            Vector128<float> pq = Sse.UnpackLow(p.AsSingle(), q.AsSingle()) + Sse.UnpackHigh(p.AsSingle(), q.AsSingle()),
                rs = Sse.UnpackLow(r.AsSingle(), s.AsSingle()) + Sse.UnpackHigh(r.AsSingle(), s.AsSingle());
            (Sse.MoveLowToHigh(pq, rs) + Sse.MoveHighToLow(rs, pq)).Store((float*)sums);
            return;
        }
        if (typeof(T) == typeof(double) && Sse2.IsSupported)
        {
            (Sse2.UnpackLow(p.AsDouble(), q.AsDouble()) + Sse2.UnpackHigh(p.AsDouble(), q.AsDouble())).Store((double*)sums);
            (Sse2.UnpackLow(r.AsDouble(), s.AsDouble()) + Sse2.UnpackHigh(r.AsDouble(), s.AsDouble())).Store((double*)sums + 2);
            return;
        }
        sums[0] = Vector128.Sum(p);
        sums[1] = Vector128.Sum(q);
        sums[2] = Vector128.Sum(r);
        sums[3] = Vector128.Sum(s);
    }

    // The sums of lanes that are 128 bits apart.
    [MethodImpl(Inline)]
    private static Vector128<T> Quarter(V value)
    {
        if (sizeof(V) == 16) return Unsafe.BitCast<V, Vector128<T>>(value);
        var half = sizeof(V) == 64
            ? Unsafe.BitCast<V, Vector512<T>>(value).GetLower() + Unsafe.BitCast<V, Vector512<T>>(value).GetUpper()
            : Unsafe.BitCast<V, Vector256<T>>(value);
        return half.GetLower() + half.GetUpper();
    }
}

/// <summary>One number at a time.</summary>
internal unsafe struct LanesOfOne<T> : ILanes<T, T>
    where T : unmanaged, INumber<T>
{
    public static int Count => 1;

    public static int TileRows => 6;

    public static T Load(T* source) => *source;

    public static void Store(T value, T* target) => *target = value;

    public static T LoadFirst(int count, T* source) => count > 0 ? *source : T.Zero;

    public static void StoreFirst(int count, T value, T* target)
    {
        if (count > 0) *target = value;
    }

    public static T Broadcast(T value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd(T a, T b, T c) => T.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Fused(T a, T b, T c)
    {
        if (typeof(T) == typeof(float))
            return Unsafe.BitCast<float, T>(MathF.FusedMultiplyAdd(Unsafe.BitCast<T, float>(a), Unsafe.BitCast<T, float>(b), Unsafe.BitCast<T, float>(c)));
        if (typeof(T) == typeof(double))
            return Unsafe.BitCast<double, T>(Math.FusedMultiplyAdd(Unsafe.BitCast<T, double>(a), Unsafe.BitCast<T, double>(b), Unsafe.BitCast<T, double>(c)));
        return (a * b) + c;
    }

    public static T Add(T a, T b) => a + b;

    public static void Sums(T a, T b, T c, T d, T* sums) => (sums[0], sums[1], sums[2], sums[3]) = (a, b, c, d);
}
