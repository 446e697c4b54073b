using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Logarithms and the inverse hyperbolic functions made of them.</summary>
internal static unsafe partial class VectorMath<V, T>
{
    [MethodImpl(Inline)]
    public static V Log(V x)
    {
        // A denormal is first made a normal number.
        var denormal = V.Less(x, V.Of(Single ? 1.17549435082228750797e-38 : 2.2250738585072014e-308));
        var normal = V.Select(denormal, x * V.Of(Single ? 8388608 : 4503599627370496), x);
        SplitNumber(normal, out var e, out var f);
        e -= denormal & V.Of(Single ? 23 : 52);
        return LogEdges(x, LogCore(e, f, V.Of(0)));
    }

    /// <summary>
    /// ln(1 + x) is the logarithm of the rounded sum u = 1 + x, corrected by its rounding error over u; where u needs no
    /// power of two, the fraction is x itself.
    /// </summary>
    [MethodImpl(Inline)]
    public static V Log1p(V x) =>
        V.Select(V.Less(V.Abs(x), V.Of(Single ? 1e-12 : 1e-20)), x, LogEdges(x + Unit, Log1pCore(x)));

    [MethodImpl(Inline)]
    private static V Log1pCore(V x)
    {
        var u = Unit + x;
        SplitNumber(u, out var e, out var f);
        var rounded = u - Unit;
        var error = (Unit - (u - rounded)) + (x - rounded);
        var whole = V.Equal(e, V.Of(0));
        return LogCore(e, V.Select(whole, x, f), V.Select(whole, V.Of(0), error / u));
    }

    /// <summary>x = 2ᵉ·(1 + f) with 1 + f between √½ and √2.</summary>
    [MethodImpl(Inline)]
    private static void SplitNumber(V x, out V e, out V f)
    {
        var bits = Single ? 23 : 52;
        var k = V.ShiftRight(V.SubtractBits(x, V.Of(0.70710678118654752440)), bits);
        e = V.AddBits(k, Rounder) - Rounder;
        f = V.SubtractBits(x, V.ShiftLeft(k, bits)) - Unit;
    }

    /// <summary>
    /// e·ln 2 + ln(1 + f) + c. With s = f/(2 + f): ln(1 + f) = ln((1 + s)/(1 − s)) = 2s + s·R(s²), and 2s = f − s·f,
    /// arranged so that f itself is never rounded.
    /// </summary>
    [MethodImpl(Inline)]
    private static V LogCore(V e, V f, V c)
    {
        var s = f / (f + V.Of(2));
        var z = s * s;
        var p = LogPolynomial(z);
        var half = V.Of(0.5) * f * f;
        var small = V.Fma(s, V.Fma(p, z, half), V.Fma(e, Ln2Low, c));
        return V.Fma(e, Ln2High, f - (half - small));
    }

    /// <summary>(ln((1 + s)/(1 − s)) − 2s) / s³ as a polynomial in z = s².</summary>
    [MethodImpl(Inline)]
    private static V LogPolynomial(V z)
    {
        V p;
        if (Single)
        {
            p = V.Of(0.2987304627895355);
            p = V.Fma(p, z, V.Of(0.399774968624115));
            p = V.Fma(p, z, V.Of(0.6666677594184875));
        }
        else
        {
            p = V.Of(0.1479747983476486);
            p = V.Fma(p, z, V.Of(0.15313905873591108));
            p = V.Fma(p, z, V.Of(0.1818356964277995));
            p = V.Fma(p, z, V.Of(0.22222198477783073));
            p = V.Fma(p, z, V.Of(0.2857142874324489));
            p = V.Fma(p, z, V.Of(0.39999999999411184));
            p = V.Fma(p, z, V.Of(0.6666666666666735));
        }
        return p;
    }

    /// <summary>The logarithm of 0, of negative numbers, of infinity and of NaN.</summary>
    [MethodImpl(Inline)]
    private static V LogEdges(V x, V y)
    {
        var zero = V.Of(0);
        y = V.Select(V.Less(x, V.Of(double.PositiveInfinity)), y, x);
        y = V.Select(V.Equal(x, zero), V.Of(double.NegativeInfinity), y);
        return V.Select(V.Less(x, zero), V.Of(double.NaN), y);
    }

    /// <summary>ln(1 + (a + a²/(1 + √(1 + a²)))) of a = |x|; for large a, ln(1 + (a − 1)) + ln 2.</summary>
    [MethodImpl(Inline)]
    public static V Asinh(V x)
    {
        var a = V.Abs(x);
        var large = V.Less(V.Of(Single ? 1 << 13 : 1 << 28), a);
        var t = V.Select(large, a - Unit, a + a * a / (Unit + V.Sqrt(V.Fma(a, a, Unit))));
        return (Log1p(t) + (large & V.Of(Ln2))) | (x & SignBit);
    }

    /// <summary>With t = x − 1: ln(1 + (t + √(2t + t²))); for large x, ln(1 + t) + ln 2.</summary>
    [MethodImpl(Inline)]
    public static V Acosh(V x)
    {
        var t = x - Unit;
        var large = V.Less(V.Of(Single ? 1 << 13 : 1 << 28), x);
        var y = Log1p(V.Select(large, t, t + V.Sqrt(V.Fma(t, t, t + t)))) + (large & V.Of(Ln2));
        return V.Select(V.Less(x, Unit), V.Of(double.NaN), y);
    }

    /// <summary>½·ln(1 + 2a/(1 − a)) of a = |x|.</summary>
    [MethodImpl(Inline)]
    public static V Atanh(V x)
    {
        var a = V.Abs(x);
        return (V.Of(0.5) * Log1p((a + a) / (Unit - a))) | (x & SignBit);
    }
}
