using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Sine, cosine and tangent; the error function.</summary>
internal static unsafe partial class VectorMath<V, T>
{
    [MethodImpl(Inline)]
    public static V Sin(V x)
    {
        Reduce(x, out var r, out var quadrant);
        var z = r * r;
        var y = WithSign(V.Select(Odd(quadrant), CosOf(z), SinOf(r, z)), quadrant);
        return Edges<SinFunction>(x, V.Select(V.Less(V.Abs(x), V.Of(Single ? 1e-12 : 1e-20)), x, y));
    }

    [MethodImpl(Inline)]
    public static V Cos(V x)
    {
        Reduce(x, out var r, out var quadrant);
        quadrant = V.AddBits(quadrant, V.OfBits(1));
        var z = r * r;
        return Edges<CosFunction>(x, WithSign(V.Select(Odd(quadrant), CosOf(z), SinOf(r, z)), quadrant));
    }

    [MethodImpl(Inline)]
    public static V Tan(V x)
    {
        Reduce(x, out var r, out var quadrant);
        var z = r * r;
        V sin = SinOf(r, z), cos = CosOf(z), odd = Odd(quadrant);
        var y = V.Select(odd, -cos, sin) / V.Select(odd, sin, cos);
        return Edges<TanFunction>(x, V.Select(V.Less(V.Abs(x), V.Of(Single ? 1e-12 : 1e-20)), x, y));
    }

    /// <summary>The results y of x; the library's own where x is too large for the reduction below, infinite or NaN.</summary>
    [MethodImpl(Inline)]
    private static V Edges<F>(V x, V y)
        where F : IScalarFunction
    {
        var outside = ~V.LessOrEqual(V.Abs(x), V.Of(Single ? 1e5 : 1e9));
        return V.MaskBits(outside) == 0 ? y : V.Select(outside, Each<F>(x), y);
    }

    /// <summary>
    /// x = n·π/2 + r with |r| ≤ π/4. π/2 is subtracted in three pieces of full precision (Cody and Waite): the first
    /// fused difference is exact, because it is a multiple of the last bit of both its terms and less than 1.
    /// </summary>
    [MethodImpl(Inline)]
    private static void Reduce(V x, out V r, out V quadrant)
    {
        quadrant = V.Fma(x, V.Of(0.63661977236758134308), Rounder);
        var n = quadrant - Rounder;
        r = V.Fma(n, V.Of(Single ? -1.570796251296997 : -1.5707963267948966), x);
        r = V.Fma(n, V.Of(Single ? -7.549789415861596e-08 : -6.123233995736765e-17), r);
        r = V.Fma(n, V.Of(Single ? -5.390302529957765e-15 : -1.0828566739219139e-32), r);
    }

    [MethodImpl(Inline)]
    private static V Odd(V quadrant)
    {
        var top = Single ? 31 : 63;
        return V.ShiftRight(V.ShiftLeft(quadrant, top), top);
    }

    [MethodImpl(Inline)]
    private static V WithSign(V y, V quadrant) => y ^ (V.ShiftLeft(quadrant, Single ? 30 : 62) & SignBit);

    /// <summary>sin r = r + r·z·P(z), z = r².</summary>
    [MethodImpl(Inline)]
    private static V SinOf(V r, V z)
    {
        V p;
        if (Single)
        {
            p = V.Of(-0.00019516980682965368);
            p = V.Fma(p, z, V.Of(0.008332176133990288));
            p = V.Fma(p, z, V.Of(-0.16666655242443085));
        }
        else
        {
            p = V.Of(1.5896669097927016e-10);
            p = V.Fma(p, z, V.Of(-2.50507560066775e-08));
            p = V.Fma(p, z, V.Of(2.7557313678953372e-06));
            p = V.Fma(p, z, V.Of(-0.0001984126982977196));
            p = V.Fma(p, z, V.Of(0.008333333333322372));
            p = V.Fma(p, z, V.Of(-0.16666666666666632));
        }
        return V.Fma(p, r * z, r);
    }

    /// <summary>cos r = 1 − z/2 + z²·P(z), z = r².</summary>
    [MethodImpl(Inline)]
    private static V CosOf(V z)
    {
        V p;
        if (Single)
        {
            p = V.Of(2.443283301545307e-05);
            p = V.Fma(p, z, V.Of(-0.00138873141258955));
            p = V.Fma(p, z, V.Of(0.04166664555668831));
        }
        else
        {
            p = V.Of(-1.1359561545045134e-11);
            p = V.Fma(p, z, V.Of(2.08757216672601e-09));
            p = V.Fma(p, z, V.Of(-2.755731434098606e-07));
            p = V.Fma(p, z, V.Of(2.4801587289444637e-05));
            p = V.Fma(p, z, V.Of(-0.0013888888888874066));
            p = V.Fma(p, z, V.Of(0.0416666666666666));
        }
        return V.Fma(p, z * z, V.Fma(z, V.Of(-0.5), Unit));
    }

    /// <summary>Up to 1: x + x·P(x²). Beyond: 1 − e^−Q(x), where Q(x) = −ln(1 − erf x) is fitted.</summary>
    [MethodImpl(Inline)]
    public static V Erf(V x)
    {
        var a = V.Abs(x);
        var z = x * x;
        var b = V.AtMost(a, V.Of(Single ? 4 : 6));
        V p, q;
        if (Single)
        {
            p = V.Of(7.853844726923853e-05);
            p = V.Fma(p, z, V.Of(-0.0008010189048945904));
            p = V.Fma(p, z, V.Of(0.00518832728266716));
            p = V.Fma(p, z, V.Of(-0.026853810995817184));
            p = V.Fma(p, z, V.Of(0.1128358542919159));
            p = V.Fma(p, z, V.Of(-0.3761262595653534));
            p = V.Fma(p, z, V.Of(0.12837916612625122));
            q = V.Of(-0.0001863692159531638);
            q = V.Fma(q, b, V.Of(0.0029475591145455837));
            q = V.Fma(q, b, V.Of(-0.021837664768099785));
            q = V.Fma(q, b, V.Of(0.10310591757297516));
            q = V.Fma(q, b, V.Of(0.6381458044052124));
            q = V.Fma(q, b, V.Of(1.1270886659622192));
            q = V.Fma(q, b, V.Of(0.0003416618565097451));
        }
        else
        {
            p = V.Of(-7.77948235413878e-10);
            p = V.Fma(p, z, V.Of(1.371098797751712e-08));
            p = V.Fma(p, z, V.Of(-1.620631552871104e-07));
            p = V.Fma(p, z, V.Of(1.6447131801838553e-06));
            p = V.Fma(p, z, V.Of(-1.492471232035565e-05));
            p = V.Fma(p, z, V.Of(0.00012055293577820423));
            p = V.Fma(p, z, V.Of(-0.0008548325929343461));
            p = V.Fma(p, z, V.Of(0.0052239776061190285));
            p = V.Fma(p, z, V.Of(-0.026866170643111528));
            p = V.Fma(p, z, V.Of(0.11283791670944185));
            p = V.Fma(p, z, V.Of(-0.3761263890318352));
            p = V.Fma(p, z, V.Of(0.12837916709551256));
            q = V.Of(-1.0495996776401243e-12);
            q = V.Fma(q, b, V.Of(4.795940896283302e-11));
            q = V.Fma(q, b, V.Of(-1.0256805195616743e-09));
            q = V.Fma(q, b, V.Of(1.362643946257783e-08));
            q = V.Fma(q, b, V.Of(-1.257026062438834e-07));
            q = V.Fma(q, b, V.Of(8.50559383203947e-07));
            q = V.Fma(q, b, V.Of(-4.326973604869937e-06));
            q = V.Fma(q, b, V.Of(1.6513706321390545e-05));
            q = V.Fma(q, b, V.Of(-4.503678184700918e-05));
            q = V.Fma(q, b, V.Of(7.03654605897328e-05));
            q = V.Fma(q, b, V.Of(4.4824309253812726e-05));
            q = V.Fma(q, b, V.Of(-0.0006411750079376736));
            q = V.Fma(q, b, V.Of(0.001769002878456307));
            q = V.Fma(q, b, V.Of(-0.0002804901760045291));
            q = V.Fma(q, b, V.Of(-0.019078154976393733));
            q = V.Fma(q, b, V.Of(0.10274725224071397));
            q = V.Fma(q, b, V.Of(0.6366284888467008));
            q = V.Fma(q, b, V.Of(1.1283773292849086));
            q = V.Fma(q, b, V.Of(1.7961764567203424e-07));
        }
        var y = V.Select(V.Less(a, Unit), V.Fma(p, a, a), Unit - Exp(-q));
        return y | (x & SignBit);
    }

    /// <summary>
    /// 1 − erf x, also where it is tiny. For x ≥ 0 it is e^(−x²)·P(q)/(1 + 2x) with q = (x − k)/(x + k), and (1 + 2x)·e^(x²)·erfc x
    /// is so smooth in q that one polynomial fits it from 0 to where the result is 0 (M. M. Shepherd and J. G. Laframboise, Chebyshev
    /// approximation of (1 + 2x)exp(x²)erfc x in 0 ≤ x &lt; ∞, Mathematics of Computation 36, 1981). For x &lt; 0 it is 2 − erfc(−x).
    /// </summary>
    [MethodImpl(Inline)]
    public static V Erfc(V x)
    {
        var a = V.AtMost(V.Abs(x), V.Of(Single ? 10.1 : 27.3));
        var k = V.Of(Single ? 3 : 4);
        var q = (a - k) / (a + k);
        V p;
        if (Single)
        {
            p = V.Of(-0.0002773269222233205);
            p = V.Fma(p, q, V.Of(-0.0007983391415426612));
            p = V.Fma(p, q, V.Of(0.0019944745913543795));
            p = V.Fma(p, q, V.Of(0.002579434684940475));
            p = V.Fma(p, q, V.Of(-0.02379023418287967));
            p = V.Fma(p, q, V.Of(0.06829350976215444));
            p = V.Fma(p, q, V.Of(-0.11927265270268238));
            p = V.Fma(p, q, V.Of(0.12964657564436363));
            p = V.Fma(p, q, V.Of(-0.04756228053505264));
            p = V.Fma(p, q, V.Of(-0.13562114337320352));
            p = V.Fma(p, q, V.Of(1.2530080578307996));
        }
        else
        {
            p = V.Of(-1.907388627007971e-09);
            p = V.Fma(p, q, V.Of(-1.3952812123042382e-08));
            p = V.Fma(p, q, V.Of(-7.796210935750394e-09));
            p = V.Fma(p, q, V.Of(1.1597564919712835e-07));
            p = V.Fma(p, q, V.Of(6.326381936013846e-08));
            p = V.Fma(p, q, V.Of(-8.356886054802244e-07));
            p = V.Fma(p, q, V.Of(3.006053020270926e-07));
            p = V.Fma(p, q, V.Of(5.718067004785881e-06));
            p = V.Fma(p, q, V.Of(-1.1224293594679385e-05));
            p = V.Fma(p, q, V.Of(-2.4403160497192634e-05));
            p = V.Fma(p, q, V.Of(0.0001506220523230599));
            p = V.Fma(p, q, V.Of(-0.00019925553476007838));
            p = V.Fma(p, q, V.Of(-0.0007577732963739462));
            p = V.Fma(p, q, V.Of(0.005031969765051122));
            p = V.Fma(p, q, V.Of(-0.016197734065502876));
            p = V.Fma(p, q, V.Of(0.03716751556105671));
            p = V.Fma(p, q, V.Of(-0.0663303658110103));
            p = V.Fma(p, q, V.Of(0.09373283499690535));
            p = V.Fma(p, q, V.Of(-0.10103906603637362));
            p = V.Fma(p, q, V.Of(0.0680970542547336));
            p = V.Fma(p, q, V.Of(0.015379652102621091));
            p = V.Fma(p, q, V.Of(-0.13962111684056286));
            p = V.Fma(p, q, V.Of(1.2329951186255526));
        }

        // x² is rounded by up to half a unit, of which the exponential would make up to x² of them.
        var square = a * a;
        var lost = V.Fma(a, a, -square);
        var scaled = p / V.Fma(a, V.Of(2), Unit);
        var tail = Exp(-square) * V.Fma(-scaled, lost, scaled);
        return V.Select(V.Less(x, V.Of(0)), V.Of(2) - tail, tail);
    }
}

internal readonly struct SinFunction : IScalarFunction
{
    public static double Of(double x) => Math.Sin(x);
}

internal readonly struct CosFunction : IScalarFunction
{
    public static double Of(double x) => Math.Cos(x);
}

internal readonly struct TanFunction : IScalarFunction
{
    public static double Of(double x) => Math.Tan(x);
}
