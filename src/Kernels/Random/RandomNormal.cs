using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>
/// Normal numbers from random bits, one for one, by the inverse of the normal distribution function: the rational
/// approximations PPND7 (Float32) and PPND16 (Float64) of Wichura, "Algorithm AS 241: the percentage points of the
/// normal distribution", Applied Statistics 37 (1988), with a logarithm of our own. Only operations that IEEE 754
/// defines to the last bit are used, so all machines draw the same numbers.
/// </summary>
internal static class NormalQuantile
{
    /// <summary>Φ(−2), where the truncated normal distribution begins.</summary>
    private const double Cut = 0.022750131948179207;

    /// <summary>A normal number from every lane of random bits; a truncated one is inside (−2, 2).</summary>
    /// <remarks>The lowest bit is the sign, the other 31 the probability of the tail beyond the number: small ones keep all their digits.</remarks>
    public static Vector256<float> Of(Vector256<uint> bits, bool truncated)
    {
        var sign = bits << 31;
        var tail = (Vector256.ConvertToSingle((bits >>> 1).AsInt32()) + Vector256.Create(0.5f)) * (1f / (1L << 32));
        if (truncated) tail = Vector256.FusedMultiplyAdd(tail, Vector256.Create((float)(1 - 2 * Cut)), Vector256.Create((float)Cut));
        var q = Vector256.Create(0.5f) - tail;
        var central = Vector256.LessThanOrEqual(q, Vector256.Create(0.425f));
        var s = Vector256.Create(0.180625f) - q * q;
        var result = q * Polynomial(s, 59.109374720f, 159.29113202f, 50.434271938f, 3.3871327179f)
            / Polynomial(s, 67.187563600f, 78.757757664f, 17.895169469f, 1f);
        if (central != Vector256<float>.AllBitsSet)
        {
            // Of 31 bits the tail is at least 2⁻³³, where r < 5: the third branch of the algorithm is not reached.
            var r = Vector256.Sqrt(-Log(tail)) - Vector256.Create(1.6f);
            var far = Polynomial(r, 0.17023821103f, 1.3067284816f, 2.7568153900f, 1.4234372777f)
                / Polynomial(r, 0.12021132975f, 0.73700164250f, 1f);
            result = Vector256.ConditionalSelect(central, result, far);
        }

        if (truncated) result = Vector256.Min(result, Vector256.Create(MathF.BitDecrement(2f)));
        return (result.AsUInt32() | sign).AsSingle();
    }

    /// <inheritdoc cref="Of(Vector256{uint}, bool)"/>
    /// <remarks>The lowest bit is the sign, the highest 52 the probability of the tail beyond the number.</remarks>
    public static Vector256<double> Of(Vector256<ulong> bits, bool truncated)
    {
        var sign = bits << 63;
        // 1.m − 1 is m·2⁻⁵², exactly; halved, and half a step added, it is in (0, ½).
        var tail = ((bits >>> 12) | Vector256.Create(1.0).AsUInt64()).AsDouble() - Vector256.Create(1.0);
        tail = tail * 0.5 + Vector256.Create(1.0 / (1L << 54));
        if (truncated) tail = Vector256.FusedMultiplyAdd(tail, Vector256.Create(1 - 2 * Cut), Vector256.Create(Cut));
        var q = Vector256.Create(0.5) - tail;
        var central = Vector256.LessThanOrEqual(q, Vector256.Create(0.425));
        var s = Vector256.Create(0.180625) - q * q;
        var result = q
            * Polynomial(s, 2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080)
            / Polynomial(s, 5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
                5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1);
        if (central != Vector256<double>.AllBitsSet)
        {
            var root = Vector256.Sqrt(-Log(tail));
            var r = root - Vector256.Create(1.6);
            var far = Polynomial(r, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
                    3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734)
                / Polynomial(r, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
                    6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1);
            result = Vector256.ConditionalSelect(central, result, far);
            var extreme = Vector256.GreaterThan(root, Vector256.Create(5.0));
            if (extreme != Vector256<double>.Zero)
            {
                r = root - Vector256.Create(5.0);
                far = Polynomial(r, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
                        2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720)
                    / Polynomial(r, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
                        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1);
                result = Vector256.ConditionalSelect(extreme, far, result);
            }
        }

        if (truncated) result = Vector256.Min(result, Vector256.Create(Math.BitDecrement(2.0)));
        return (result.AsUInt64() | sign).AsDouble();
    }

    /// <summary>The logarithm of normal numbers below 1, by the atanh series of fdlibm: ln m = 2 atanh((m − 1) / (m + 1)).</summary>
    private static Vector256<float> Log(Vector256<float> x)
    {
        // The mantissa is brought into [√½, √2).
        var shifted = x.AsInt32() - Vector256.Create(0x3F3504F3);
        var exponent = Vector256.ConvertToSingle(shifted >> 23);
        var f = ((shifted & Vector256.Create(0x007FFFFF)) + Vector256.Create(0x3F3504F3)).AsSingle() - Vector256.Create(1f);
        var s = f / (f + Vector256.Create(2f));
        var z = s * s;
        var series = z * Polynomial(z, 0.24279078841f, 0.28498786688f, 0.40000972152f, 0.66666662693f);
        var half = f * f * 0.5f;
        return exponent * 6.9313812256e-1f - (half - Vector256.FusedMultiplyAdd(s, half + series, exponent * 9.0580006145e-6f) - f);
    }

    private static Vector256<double> Log(Vector256<double> x)
    {
        var shifted = x.AsInt64() - Vector256.Create(0x3FE6A09E667F3BCDL);
        // Exponents fit 32 bits; a sum with 1.5·2⁵² turns an integer into a double by its bits.
        var magic = Vector256.Create(6755399441055744.0);
        var exponent = (Vector256.ShiftRightArithmetic(shifted, 52) + magic.AsInt64()).AsDouble() - magic;
        var f = ((shifted & Vector256.Create(0x000FFFFFFFFFFFFFL)) + Vector256.Create(0x3FE6A09E667F3BCDL)).AsDouble() - Vector256.Create(1.0);
        var s = f / (f + Vector256.Create(2.0));
        var z = s * s;
        var series = z * Polynomial(z, 1.479819860511658591e-1, 1.531383769920937332e-1, 1.818357216161805012e-1, 2.222219843214978396e-1,
            2.857142874366239149e-1, 3.999999999940941908e-1, 6.666666666666735130e-1);
        var half = f * f * 0.5;
        return exponent * 6.93147180369123816490e-1
            - (half - Vector256.FusedMultiplyAdd(s, half + series, exponent * 1.90821492927058770002e-10) - f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Polynomial(Vector256<float> x, float c3, float c2, float c1, float c0) =>
        Vector256.FusedMultiplyAdd(Polynomial(x, c3, c2, c1), x, Vector256.Create(c0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Polynomial(Vector256<float> x, float c2, float c1, float c0) =>
        Vector256.FusedMultiplyAdd(Vector256.FusedMultiplyAdd(Vector256.Create(c2), x, Vector256.Create(c1)), x, Vector256.Create(c0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Polynomial(
        Vector256<double> x, double c7, double c6, double c5, double c4, double c3, double c2, double c1, double c0) =>
        Vector256.FusedMultiplyAdd(Polynomial(x, c7, c6, c5, c4, c3, c2, c1), x, Vector256.Create(c0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Polynomial(Vector256<double> x, double c6, double c5, double c4, double c3, double c2, double c1, double c0)
    {
        var sum = Vector256.FusedMultiplyAdd(Vector256.Create(c6), x, Vector256.Create(c5));
        sum = Vector256.FusedMultiplyAdd(sum, x, Vector256.Create(c4));
        sum = Vector256.FusedMultiplyAdd(sum, x, Vector256.Create(c3));
        sum = Vector256.FusedMultiplyAdd(sum, x, Vector256.Create(c2));
        sum = Vector256.FusedMultiplyAdd(sum, x, Vector256.Create(c1));
        return Vector256.FusedMultiplyAdd(sum, x, Vector256.Create(c0));
    }
}
