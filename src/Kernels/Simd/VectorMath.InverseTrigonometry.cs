using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>The inverse trigonometric functions.</summary>
internal static unsafe partial class VectorMath<V, T>
{
    /// <summary>π/2, and what its rounding left out.</summary>
    private static V HalfPi
    {
        [MethodImpl(Inline)]
        get => V.Of(1.57079632679489661923);
    }

    private static V HalfPiLow
    {
        [MethodImpl(Inline)]
        get => V.Of(Single ? -4.371139000186243e-08 : 6.123233995736766e-17);
    }

    [MethodImpl(Inline)]
    public static V Atan(V x) => AtanOf(V.Abs(x)) | (x & SignBit);

    /// <summary>
    /// The angle of a point from the x-axis: the arc tangent of the smaller over the larger coordinate, then reflected at
    /// the diagonal, at the y-axis and at the x-axis.
    /// </summary>
    [MethodImpl(Inline)]
    public static V Atan2(V y, V x)
    {
        V a = V.Abs(y), b = V.Abs(x), infinity = V.Of(double.PositiveInfinity);
        var steep = V.Less(b, a);
        V small = V.Select(steep, b, a), large = V.Select(steep, a, b);
        var ratio = small / large;
        ratio = V.Select(V.Equal(large, V.Of(0)), V.Of(0), ratio);
        ratio = V.Select(V.Equal(small, infinity), Unit, ratio);
        var angle = AtanOf(ratio);
        angle = V.Select(steep, HalfPi - (angle - HalfPiLow), angle);
        var left = V.ShiftRight(x, Single ? 31 : 63);
        angle = V.Select(left, (HalfPi + HalfPi) - (angle - (HalfPiLow + HalfPiLow)), angle);
        return V.Select(V.Equal(a, a) & V.Equal(b, b), angle, a + b) | (y & SignBit);
    }

    /// <summary>Of a ≥ 0: beyond tan π/8, π/4 + atan((a − 1)/(a + 1)); beyond tan 3π/8, π/2 − atan(1/a). There t + t·z·P(z), z = t².</summary>
    [MethodImpl(Inline)]
    private static V AtanOf(V a)
    {
        V middle = V.Less(V.Of(0.41421356237309504880), a), large = V.Less(V.Of(2.41421356237309504880), a);
        var above = V.Select(large, V.Of(-1), V.Select(middle, a - Unit, a));
        var below = V.Select(large, a, V.Select(middle, a + Unit, Unit));
        var t = above / below;
        var z = t * t;
        V p;
        if (Single)
        {
            p = V.Of(-0.060736604034900665);
            p = V.Fma(p, z, V.Of(0.10592097043991089));
            p = V.Fma(p, z, V.Of(-0.14243313670158386));
            p = V.Fma(p, z, V.Of(0.199984610080719));
            p = V.Fma(p, z, V.Of(-0.33333316445350647));
        }
        else
        {
            p = V.Of(-0.017875133080931346);
            p = V.Fma(p, z, V.Of(0.03803532741303085));
            p = V.Fma(p, z, V.Of(-0.05038155979583719));
            p = V.Fma(p, z, V.Of(0.05847634669848448));
            p = V.Fma(p, z, V.Of(-0.06663069075349938));
            p = V.Fma(p, z, V.Of(0.07692057137882934));
            p = V.Fma(p, z, V.Of(-0.09090897584628482));
            p = V.Fma(p, z, V.Of(0.11111110777434917));
            p = V.Fma(p, z, V.Of(-0.14285714280076));
            p = V.Fma(p, z, V.Of(0.19999999999952392));
            p = V.Fma(p, z, V.Of(-0.3333333333333319));
        }
        var part = V.Select(large, Unit, middle & V.Of(0.5));
        return V.Fma(part, HalfPi, t + V.Fma(p, t * z, part * HalfPiLow));
    }

    [MethodImpl(Inline)]
    public static V Asin(V x)
    {
        var a = V.Abs(x);
        var p = AsinOf(a, out var large);
        return V.Select(large, HalfPi - (p + p - HalfPiLow), p) | (x & SignBit);
    }

    [MethodImpl(Inline)]
    public static V Acos(V x)
    {
        var a = V.Abs(x);
        var p = AsinOf(a, out var large);
        var negative = V.Less(x, V.Of(0));
        var twice = p + p;
        return V.Select(
            large,
            V.Select(negative, HalfPi + HalfPi - (twice - (HalfPiLow + HalfPiLow)), twice),
            HalfPi - ((p ^ (x & SignBit)) - HalfPiLow));
    }

    /// <summary>Of a ≥ 0: asin a, or beyond ½ asin √((1 − a)/2) = (π/2 − asin a)/2; s + s·z·P(z), z = s².</summary>
    [MethodImpl(Inline)]
    private static V AsinOf(V a, out V large)
    {
        large = V.Less(V.Of(0.5), a);
        var z = V.Select(large, (Unit - a) * V.Of(0.5), a * a);
        var s = V.Select(large, V.Sqrt(z), a);
        V p;
        if (Single)
        {
            p = V.Of(0.04220125824213028);
            p = V.Fma(p, z, V.Of(0.024160299450159073));
            p = V.Fma(p, z, V.Of(0.04547397419810295));
            p = V.Fma(p, z, V.Of(0.07495271414518356));
            p = V.Fma(p, z, V.Of(0.16666753590106964));
        }
        else
        {
            p = V.Of(0.03270416546972259);
            p = V.Fma(p, z, V.Of(-0.021116891944360994));
            p = V.Fma(p, z, V.Of(0.021788564679600345));
            p = V.Fma(p, z, V.Of(0.0036739741074946603));
            p = V.Fma(p, z, V.Of(0.01078859300758216));
            p = V.Fma(p, z, V.Of(0.011397469732613567));
            p = V.Fma(p, z, V.Of(0.01398099105862622));
            p = V.Fma(p, z, V.Of(0.01735159829608612));
            p = V.Fma(p, z, V.Of(0.022372215721554557));
            p = V.Fma(p, z, V.Of(0.03038194268285752));
            p = V.Fma(p, z, V.Of(0.044642857175106444));
            p = V.Fma(p, z, V.Of(0.0749999999997031));
            p = V.Fma(p, z, V.Of(0.16666666666666763));
        }
        return V.Fma(p, s * z, s);
    }
}
