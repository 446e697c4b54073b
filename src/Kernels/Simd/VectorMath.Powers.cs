using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Powers of numbers to numbers.</summary>
internal static unsafe partial class VectorMath<V, T>
{
    /// <summary>
    /// aᵇ = e^(b·ln a). The logarithm and its product with b are carried as sums of two numbers, because the exponential
    /// turns an absolute error of its argument into a relative one. Negative a take integral b only. Squares are exact;
    /// the edges, and what is large enough to need more than two numbers, are the library's.
    /// </summary>
    [MethodImpl(Inline)]
    public static V Pow(V a, V b)
    {
        var m = V.Abs(a);
        LogInTwo(m, out var high, out var low);
        var x = b * high;
        var rest = V.Fma(b, low, V.Fma(b, high, -x));
        SplitExp(x, out var q, out var n);
        var y = V.Scale(Unit + V.Fma(rest, Unit + q, q), n);

        V negative = V.Less(a, V.Of(0)), half = b * V.Of(0.5);
        y ^= negative & ~V.Equal(V.Floor(half), half) & SignBit;
        y = V.Select(negative & ~V.Equal(V.Floor(b), b), V.Of(double.NaN), y);

        var ordinary = V.LessOrEqual(V.Of(Single ? 1.17549435082228750797e-38 : 2.2250738585072014e-308), m)
            & V.Less(m, V.Of(double.PositiveInfinity))
            & V.Less(V.Abs(b), V.Of(Single ? 1e30 : 1e300))
            & V.LessOrEqual(V.Abs(x), V.Of(Single ? 110 : 32));
        var two = V.Equal(b, V.Of(2));
        if (V.MaskBits(~(ordinary | two)) != 0) y = V.Select(ordinary, y, Each<PowFunction>(a, b));
        return V.Select(two, a * a, y);
    }

    /// <summary>ln m as a sum, for normal m: as in LogCore, with the rounding errors of s = f/(2 + f) and of the sum kept.</summary>
    [MethodImpl(Inline)]
    private static void LogInTwo(V m, out V high, out V low)
    {
        SplitNumber(m, out var e, out var f);
        var below = f + V.Of(2);
        var inverse = Unit / below;
        var s = f * inverse;
        var sLow = V.Fma(-s, f - (below - V.Of(2)), V.Fma(-s, below, f)) * inverse;
        var z = s * s;
        var eHigh = e * Ln2High;
        var sum = eHigh + (s + s);
        var small = (eHigh - sum) + (s + s);
        small += V.Fma(e, Ln2Low, V.Fma(e, Ln2High, -eHigh)) + V.Fma(LogPolynomial(z), s * z, sLow + sLow);
        high = sum + small;
        low = (sum - high) + small;
    }
}

internal readonly struct PowFunction : IScalarFunction2
{
    public static double Of(double a, double b) => Math.Pow(a, b);
}
