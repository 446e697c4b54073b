using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Functional.Kernels.Functions;

namespace Functional.Kernels;

/// <summary>
/// The pointer level of the elementwise kernels: straight loops over contiguous memory, on the calling thread, picked once
/// by function and element type. Results may overwrite an operand in place. A stride is 1 for an operand that advances
/// and 0 for one that stands still.
/// </summary>
public static unsafe class ElementwiseLoops
{
    private const int Types = 5;

    private static readonly nint[] unary = new nint[(1 + (int)Unary.Not) * Types];
    private static readonly nint[] binary = new nint[(1 + (int)Binary.ReluScale) * Types];
    private static readonly nint[] comparison = new nint[(1 + (int)Comparison.GreaterEqual) * Types];

    /// <summary>The loop (x, y, count): y = op(x).</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static delegate*<void*, void*, nint, void> Of(Unary op, DType type)
    {
        ref var known = ref unary[(int)op * Types + (int)type];
        if (known == 0)
        {
            ElementwiseFunctions.Check(op, type);
            known = type switch
            {
                DType.Float32 => ElementwiseFunctions.Make<UnaryLoop<float>>(op),
                DType.Float64 => ElementwiseFunctions.Make<UnaryLoop<double>>(op),
                DType.Int32 => ElementwiseFunctions.Make<UnaryLoop<int>>(op),
                DType.Int64 => ElementwiseFunctions.Make<UnaryLoop<long>>(op),
                _ => ElementwiseFunctions.Make<UnaryLoop<byte>>(op),
            };
        }
        return (delegate*<void*, void*, nint, void>)known;
    }

    /// <summary>The loop (a, stride of a, b, stride of b, y, count): y = op(a, b).</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static delegate*<void*, nint, void*, nint, void*, nint, void> Of(Binary op, DType type)
    {
        ref var known = ref binary[(int)op * Types + (int)type];
        if (known == 0)
        {
            ElementwiseFunctions.Check(op, type);
            known = type switch
            {
                DType.Float32 => ElementwiseFunctions.Make<BinaryLoop<float>>(op),
                DType.Float64 => ElementwiseFunctions.Make<BinaryLoop<double>>(op),
                DType.Int32 => IntegerLoops<int>.Of(op) is var loop and not 0 ? loop : ElementwiseFunctions.Make<BinaryLoop<int>>(op),
                DType.Int64 => IntegerLoops<long>.Of(op) is var loop and not 0 ? loop : ElementwiseFunctions.Make<BinaryLoop<long>>(op),
                _ => ElementwiseFunctions.Make<BinaryLoop<byte>>(op),
            };
        }
        return (delegate*<void*, nint, void*, nint, void*, nint, void>)known;
    }

    /// <summary>The loop (a, stride of a, b, stride of b, y, count): y = op(a, b) as bytes 0 and 1; the type is that of a and b.</summary>
    public static delegate*<void*, nint, void*, nint, void*, nint, void> Of(Comparison op, DType type)
    {
        ref var known = ref comparison[(int)op * Types + (int)type];
        if (known == 0)
        {
            known = type switch
            {
                DType.Float32 => ElementwiseFunctions.Make<ComparisonLoop<float>>(op),
                DType.Float64 => ElementwiseFunctions.Make<ComparisonLoop<double>>(op),
                DType.Int32 => ElementwiseFunctions.Make<ComparisonLoop<int>>(op),
                DType.Int64 => ElementwiseFunctions.Make<ComparisonLoop<long>>(op),
                _ => ElementwiseFunctions.Make<ComparisonLoop<byte>>(op),
            };
        }
        return (delegate*<void*, nint, void*, nint, void*, nint, void>)known;
    }

    /// <summary>y = op(x) for count elements.</summary>
    public static void Run(Unary op, DType type, void* x, void* y, nint count) => Of(op, type)(x, y, count);

    /// <summary>y = op(a, b) for count elements; a stride is 1 or 0.</summary>
    public static void Run(Binary op, DType type, void* a, nint aStride, void* b, nint bStride, void* y, nint count) =>
        Of(op, type)(a, aStride, b, bStride, y, count);

    /// <summary>y = op(a, b) as bytes 0 and 1 for count elements; a stride is 1 or 0.</summary>
    public static void Run(Comparison op, DType type, void* a, nint aStride, void* b, nint bStride, void* y, nint count) =>
        Of(op, type)(a, aStride, b, bStride, y, count);

    /// <summary>y = mask ? a : b for elements of a size in bytes.</summary>
    public static void Select(int size, byte* mask, nint maskStride, void* a, nint aStride, void* b, nint bStride, void* y, nint count)
    {
        if (size == 4) Choose((int*)a, (int*)b, (int*)y);
        else if (size == 8) Choose((long*)a, (long*)b, (long*)y);
        else Choose((byte*)a, (byte*)b, (byte*)y);

        void Choose<T>(T* a, T* b, T* y)
            where T : unmanaged
        {
            if (Vector512.IsHardwareAccelerated) Select<Simd512<T>, T>(mask, maskStride, a, aStride, b, bStride, y, count);
            else if (Vector256.IsHardwareAccelerated) Select<Simd256<T>, T>(mask, maskStride, a, aStride, b, bStride, y, count);
            else Select<Simd128<T>, T>(mask, maskStride, a, aStride, b, bStride, y, count);
        }
    }

    /// <summary>y = a + s·b, the product not rounded, for count floats of a type; a stride is 1 or 0.</summary>
    public static void AddScaled(DType type, double s, void* a, nint aStride, void* b, nint bStride, void* y, nint count)
    {
        if (type == DType.Float32) AddScaled((float)s, (float*)a, aStride, (float*)b, bStride, (float*)y, count);
        else AddScaled(s, (double*)a, aStride, (double*)b, bStride, (double*)y, count);
    }

    private static void AddScaled<T>(T s, T* a, nint aStride, T* b, nint bStride, T* y, nint count)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) AddScaled<Simd512<T>, T>(s, a, aStride, b, bStride, y, count);
        else if (Vector256.IsHardwareAccelerated) AddScaled<Simd256<T>, T>(s, a, aStride, b, bStride, y, count);
        else AddScaled<Simd128<T>, T>(s, a, aStride, b, bStride, y, count);
    }

    private readonly struct UnaryLoop<T> : IUnaryMaker
    {
        public static nint Make<TOp>()
            where TOp : struct, IUnary =>
            Vector512.IsHardwareAccelerated ? (nint)(delegate*<T*, T*, nint, void>)&Map<TOp, Simd512<T>, T>
            : Vector256.IsHardwareAccelerated ? (nint)(delegate*<T*, T*, nint, void>)&Map<TOp, Simd256<T>, T>
            : (nint)(delegate*<T*, T*, nint, void>)&Map<TOp, Simd128<T>, T>;

        public static nint MakeHeld<TOp>()
            where TOp : struct, IHeldUnary =>
            Vector512.IsHardwareAccelerated ? (nint)(delegate*<T*, T*, nint, void>)&MapHeld<TOp, Simd512<T>, T>
            : Vector256.IsHardwareAccelerated ? (nint)(delegate*<T*, T*, nint, void>)&MapHeld<TOp, Simd256<T>, T>
            : (nint)(delegate*<T*, T*, nint, void>)&MapHeld<TOp, Simd128<T>, T>;
    }

    private readonly struct BinaryLoop<T> : IBinaryMaker
    {
        public static nint Make<TOp>()
            where TOp : struct, IBinary =>
            Vector512.IsHardwareAccelerated ? (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Zip<TOp, Simd512<T>, T>
            : Vector256.IsHardwareAccelerated ? (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Zip<TOp, Simd256<T>, T>
            : (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Zip<TOp, Simd128<T>, T>;
    }

    private readonly struct ComparisonLoop<T> : IBinaryMaker
    {
        public static nint Make<TOp>()
            where TOp : struct, IBinary =>
            Vector512.IsHardwareAccelerated ? (nint)(delegate*<T*, nint, T*, nint, byte*, nint, void>)&Compare<TOp, Simd512<T>, T>
            : Vector256.IsHardwareAccelerated ? (nint)(delegate*<T*, nint, T*, nint, byte*, nint, void>)&Compare<TOp, Simd256<T>, T>
            : (nint)(delegate*<T*, nint, T*, nint, byte*, nint, void>)&Compare<TOp, Simd128<T>, T>;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TOp, V, T>(T* x, T* y, nint count)
        where TOp : struct, IUnary
        where V : struct, ISimd<V, T>
    {
        nint width = V.Count, i = 0;
        for (; i <= count - width; i += width) TOp.Of<V, T>(V.Load(x + i)).Store(y + i);
        if (i == count) return;
        // The rest goes through full lanes in memory and this same loop: long functions are then compiled only once.
        var rest = V.Load(x + i, (int)(count - i));
        Map<TOp, V, T>((T*)&rest, (T*)&rest, width);
        rest.Store(y + i, (int)(count - i));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MapHeld<TOp, V, T>(T* x, T* y, nint count)
        where TOp : struct, IHeldUnary
        where V : struct, ISimd<V, T>
    {
        var constants = TOp.Hold<V, T>();
        nint width = V.Count, i = 0;
        for (; i <= count - width; i += width) TOp.Of<V, T>(V.Load(x + i), constants).Store(y + i);
        if (i == count) return;
        var rest = V.Load(x + i, (int)(count - i));
        MapHeld<TOp, V, T>((T*)&rest, (T*)&rest, width);
        rest.Store(y + i, (int)(count - i));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Zip<TOp, V, T>(T* a, nint aStride, T* b, nint bStride, T* y, nint count)
        where TOp : struct, IBinary
        where V : struct, ISimd<V, T>
    {
        // An operand that stands still is spread over lanes in memory, so that one loop serves all.
        V aSpread, bSpread;
        if (aStride == 0) a = Spread(a, &aSpread);
        if (bStride == 0) b = Spread(b, &bSpread);
        nint width = V.Count, aStep = aStride * width, bStep = bStride * width;
        for (; count >= width; count -= width, a += aStep, b += bStep, y += width)
            TOp.Of<V, T>(V.Load(a), V.Load(b)).Store(y);
        if (count > 0) TOp.Of<V, T>(V.Load(a, (int)count), V.Load(b, (int)count)).Store(y, (int)count);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compare<TOp, V, T>(T* a, nint aStride, T* b, nint bStride, byte* y, nint count)
        where TOp : struct, IBinary
        where V : struct, ISimd<V, T>
    {
        V aSpread, bSpread;
        if (aStride == 0) a = Spread(a, &aSpread);
        if (bStride == 0) b = Spread(b, &bSpread);
        nint width = V.Count, aStep = aStride * width, bStep = bStride * width;
        for (; count >= width; count -= width, a += aStep, b += bStep, y += width)
            Simd.StoreTruths(V.MaskBits(TOp.Of<V, T>(V.Load(a), V.Load(b))), y, V.Count);
        if (count > 0) Simd.StoreTruths(V.MaskBits(TOp.Of<V, T>(V.Load(a, (int)count), V.Load(b, (int)count))), y, (int)count);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Select<V, T>(byte* mask, nint maskStride, T* a, nint aStride, T* b, nint bStride, T* y, nint count)
        where V : struct, ISimd<V, T>
    {
        V aSpread, bSpread;
        Vector512<byte> maskSpread;
        if (aStride == 0) a = Spread(a, &aSpread);
        if (bStride == 0) b = Spread(b, &bSpread);
        if (maskStride == 0)
        {
            maskSpread = Vector512.Create(*mask);
            mask = (byte*)&maskSpread;
        }
        nint width = V.Count, aStep = aStride * width, bStep = bStride * width, maskStep = maskStride * width;
        for (; count >= width; count -= width, mask += maskStep, a += aStep, b += bStep, y += width)
            V.Select(V.LoadTruths(mask), V.Load(a), V.Load(b)).Store(y);
        if (count == 0) return;
        Vector512<byte> rest = default;
        Unsafe.CopyBlockUnaligned(&rest, mask, (uint)count);
        V.Select(V.LoadTruths((byte*)&rest), V.Load(a, (int)count), V.Load(b, (int)count)).Store(y, (int)count);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddScaled<V, T>(T s, T* a, nint aStride, T* b, nint bStride, T* y, nint count)
        where V : struct, ISimd<V, T>
    {
        V aSpread, bSpread;
        if (aStride == 0) a = Spread(a, &aSpread);
        if (bStride == 0) b = Spread(b, &bSpread);
        var scale = V.All(s);
        nint width = V.Count, aStep = aStride * width, bStep = bStride * width;
        for (; count >= width; count -= width, a += aStep, b += bStep, y += width)
            V.Fma(scale, V.Load(b), V.Load(a)).Store(y);
        if (count > 0) V.Fma(scale, V.Load(b, (int)count), V.Load(a, (int)count)).Store(y, (int)count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Spread<V, T>(T* value, V* lanes)
        where V : struct, ISimd<V, T>
    {
        *lanes = V.All(*value);
        return (T*)lanes;
    }
}
