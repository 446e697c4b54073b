using System.Runtime.CompilerServices;

namespace Functional.Kernels.Functions;

// The elementwise functions of one array, each as a type.
internal readonly struct Neg : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => -x;
}

internal readonly struct Abs : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Abs(x);
}

internal readonly struct Sign : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Sign(x);
}

internal readonly struct Exp : IHeldUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x, Held<V> constants)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Exp(x, constants);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Held<V> Hold<V, T>()
        where V : struct, ISimd<V, T> => VectorMath<V, T>.ExpConstants(held: true);
}

internal readonly struct Expm1 : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Expm1(x);
}

internal readonly struct Log : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Log(x);
}

internal readonly struct Log1p : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Log1p(x);
}

internal readonly struct Sqrt : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Sqrt(x);
}

internal readonly struct Rsqrt : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Of(1) / V.Sqrt(x);
}

internal readonly struct Square : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => x * x;
}

internal readonly struct Reciprocal : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Of(1) / x;
}

internal readonly struct Sin : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Sin(x);
}

internal readonly struct Cos : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Cos(x);
}

internal readonly struct Tan : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Tan(x);
}

internal readonly struct Asin : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Asin(x);
}

internal readonly struct Acos : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Acos(x);
}

internal readonly struct Atan : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Atan(x);
}

internal readonly struct Sinh : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Sinh(x);
}

internal readonly struct Cosh : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Cosh(x);
}

internal readonly struct Tanh : IHeldUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x, Held<V> constants)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Tanh(x, constants);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Held<V> Hold<V, T>()
        where V : struct, ISimd<V, T> => VectorMath<V, T>.TanhConstants(held: true);
}

internal readonly struct Asinh : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Asinh(x);
}

internal readonly struct Acosh : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Acosh(x);
}

internal readonly struct Atanh : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Atanh(x);
}

internal readonly struct Sigmoid : IHeldUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x, Held<V> constants)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Sigmoid(x, constants);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Held<V> Hold<V, T>()
        where V : struct, ISimd<V, T> => VectorMath<V, T>.SigmoidConstants(held: true);
}

internal readonly struct Softplus : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Softplus(x);
}

internal readonly struct Relu : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Select(V.Less(x, V.Of(0)), V.Of(0), x);
}

internal readonly struct Erf : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Erf(x);
}

internal readonly struct Erfc : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => VectorMath<V, T>.Erfc(x);
}

internal readonly struct Floor : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Floor(x);
}

internal readonly struct Ceil : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Ceiling(x);
}

internal readonly struct Round : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => V.Round(x);
}

internal readonly struct Not : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<V, T>(V x)
        where V : struct, ISimd<V, T> => typeof(T) == typeof(byte) ? x ^ V.All((T)(object)(byte)1) : ~x;
}
