// Products with a vector as loops of one signature for every element type, for what goes over arrays block by block. The
// vectors are those that a product as a whole is computed with, so the bits are, too.
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Loops of products with a vector, by element type.</summary>
internal static unsafe class GemmThinLoops
{
    /// <summary>(rows, columns, v, w, start, y, row): y[i, j] = start[j] + v[i]·w[j], the rows of y so many bytes apart; no start is 0.</summary>
    public static delegate*<int, int, void*, void*, void*, void*, nint, void> Outer(DType type) =>
        (delegate*<int, int, void*, void*, void*, void*, nint, void>)Of(type).Outer;

    /// <summary>(rows, columns, v, b, start, onto, scale, y): y[j] = start[j] + Σᵢ v[i]·b[i, j], or onto[j] + scale times that.</summary>
    public static delegate*<nint, int, void*, void*, void*, void*, double, void*, void> Rows(DType type) =>
        (delegate*<nint, int, void*, void*, void*, void*, double, void*, void>)Of(type).Rows;

    /// <summary>(rows, columns, a, row, v, start, y): y[i] = start + Σⱼ a[i, j]·v[j], the rows of a so many elements apart.</summary>
    public static delegate*<int, nint, void*, nint, void*, void*, void*, void> Dots(DType type) =>
        (delegate*<int, nint, void*, nint, void*, void*, void*, void>)Of(type).Dots;

    private static (nint Outer, nint Rows, nint Dots) Of(DType type) => type switch
    {
        DType.Float32 => Of<float>(),
        DType.Float64 => Of<double>(),
        _ => throw new NotSupportedException($"products of {type} arrays are not computed block by block"),
    };

    private static (nint Outer, nint Rows, nint Dots) Of<T>()
        where T : unmanaged, INumber<T>
    {
        if (Vector512.IsHardwareAccelerated) return Of<Lanes<Simd512<T>, T>, Simd512<T>, T>();
        if (Fma.IsSupported && Avx2.IsSupported) return Of<Lanes<Simd256<T>, T>, Simd256<T>, T>();
        return Vector128.IsHardwareAccelerated ? Of<Lanes<Simd128<T>, T>, Simd128<T>, T>() : Of<LanesOfOne<T>, T, T>();
    }

    private static (nint Outer, nint Rows, nint Dots) Of<TLanes, TVector, T>()
        where TLanes : ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, INumber<T> => (
        (nint)(delegate*<int, int, void*, void*, void*, void*, nint, void>)&Outer<TLanes, TVector, T>,
        (nint)(delegate*<nint, int, void*, void*, void*, void*, double, void*, void>)&Rows<TLanes, TVector, T>,
        (nint)(delegate*<int, nint, void*, nint, void*, void*, void*, void>)&Dots<TLanes, TVector, T>);

    private static void Outer<TLanes, TVector, T>(int rows, int columns, void* v, void* w, void* start, void* y, nint row)
        where TLanes : ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, INumber<T> =>
        GemmThin<TLanes, TVector, T>.Outer(rows, columns, (T*)v, 1, (T*)w, new((T*)start, 0), default, T.One, (T*)y, row / sizeof(T));

    private static void Rows<TLanes, TVector, T>(nint rows, int columns, void* v, void* b, void* start, void* onto, double scale, void* y)
        where TLanes : ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, INumber<T> =>
        GemmThin<TLanes, TVector, T>.Rows(columns, rows, (T*)v, 1, (T*)b, columns, (T*)start, (T*)onto, T.CreateTruncating(scale), (T*)y);

    private static void Dots<TLanes, TVector, T>(int rows, nint columns, void* a, nint row, void* v, void* start, void* y)
        where TLanes : ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, INumber<T> =>
        GemmThin<TLanes, TVector, T>.Dots(rows, columns, (T*)a, row, (T*)v, new((T*)start, 0), default, T.One, (T*)y, 1);
}
