using System.Runtime.CompilerServices;

namespace Functional.Kernels.Functions;

// The elementwise functions of two arrays and the comparisons, each as a type.
internal readonly struct Add : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a + b;
}

internal readonly struct Sub : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a - b;
}

internal readonly struct Mul : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a * b;
}

internal readonly struct Div : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a / b;
}

internal readonly struct Pow : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Pow(a, b);
}

internal readonly struct Atan2 : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Atan2(a, b);
}

internal readonly struct Max : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Max(a, b);
}

internal readonly struct Min : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Min(a, b);
}

internal readonly struct Rem : IBinary, IScalarFunction2
{
    public static double Of(double a, double b) => a % b;

    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Each<Rem>(a, b);
}

internal readonly struct And : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a & b;
}

internal readonly struct Or : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a | b;
}

internal readonly struct Xor : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a ^ b;
}

internal readonly struct TanhScale : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a * V.Fma(-b, b, V.Of(1));
}

internal readonly struct SigmoidScale : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => a * (b * (V.Of(1) - b));
}

internal readonly struct ReluScale : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Select(V.Less(V.Of(0), b), a, V.Of(0));
}

internal readonly struct Equal : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Equal(a, b);
}

internal readonly struct NotEqual : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => ~V.Equal(a, b);
}

internal readonly struct Less : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Less(a, b);
}

internal readonly struct LessEqual : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.LessOrEqual(a, b);
}

internal readonly struct Greater : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.Less(b, a);
}

internal readonly struct GreaterEqual : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T> => V.LessOrEqual(b, a);
}
