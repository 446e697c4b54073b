using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// The mathematical functions, written once for every width of lanes and both float types. Polynomials are minimax fits
/// (Remez) of the relative error; what they approximate stands beside each. Measured against exact values, errors stay below
/// 2.9 units in the last place in double and 2.5 in single precision (tan: 3.7), most below 1.5. This part: exponentials.
/// </summary>
internal static unsafe partial class VectorMath<V, T>
    where V : struct, ISimd<V, T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private const double Ln2 = 0.69314718055994530942;

    private const double Log2E = 1.44269504088896340736;

    private static bool Single
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(float);
    }

    /// <summary>Adding it leaves the nearest integer in the last bits, if that is not too large; subtracting it again, that integer.</summary>
    private static V Rounder
    {
        [MethodImpl(Inline)]
        get => V.Of(Single ? 12582912 : 6755399441055744);
    }

    private static V SignBit
    {
        [MethodImpl(Inline)]
        get => V.Of(-0.0);
    }

    private static V Unit
    {
        [MethodImpl(Inline)]
        get => V.Of(1);
    }

    /// <summary>The larger part of ln 2, with all the bits a number has, and the rest.</summary>
    private static V Ln2High
    {
        [MethodImpl(Inline)]
        get => V.Of(Single ? 0.693147182464599609375 : Ln2);
    }

    private static V Ln2Low
    {
        [MethodImpl(Inline)]
        get => V.Of(Single ? -1.904654299957768e-09 : 2.3190468138462996e-17);
    }

    /// <summary>
    /// A constant; held, one that stays in a register while a loop uses it. It is read back from memory, so that the
    /// compiler does not know it: what it knows it would make anew for every vector.
    /// </summary>
    [MethodImpl(Inline)]
    private static V Constant(double value, bool held)
    {
        if (!held) return V.Of(value);
        if (!Single) return V.All((T)(object)Volatile.Read(ref value));
        var single = (float)value;
        return V.All((T)(object)Volatile.Read(ref single));
    }

    /// <summary>The last bits where an exponent has its place. (Each shift has a width of its own, so that it is part of the instruction.)</summary>
    [MethodImpl(Inline)]
    private static V ToExponent(V x) => Single ? V.ShiftLeft(x, 23) : V.ShiftLeft(x, 52);

    [MethodImpl(Inline)]
    public static V Exp(V x) => Exp(x, ExpConstants(false));

    /// <summary>eˣ with the constants of <see cref="ExpConstants"/>.</summary>
    [MethodImpl(Inline)]
    public static V Exp(V x, Held<V> constants) => ExpScaled(x, 0, constants);

    /// <summary>The bounds of the argument, log₂ e, the first coefficient.</summary>
    [MethodImpl(Inline)]
    public static Held<V> ExpConstants(bool held) => new(
        Constant(Single ? -104 : -746, held),
        Constant(Single ? 90 : 711, held),
        Constant(Log2E, held),
        Constant(ExpFirst, held));

    /// <summary>eˣ·2ᵏ.</summary>
    [MethodImpl(Inline)]
    private static V ExpScaled(V x, int k, Held<V> constants)
    {
        SplitArgument(V.Clamp(x, constants.A, constants.B), constants.C, out var r, out var n);
        var e = V.Fma(V.Fma(ExpRest(r, constants.D), r, Unit), r, Unit);
        return V.Scale(e, k == 0 ? n : n + V.Of(k));
    }

    /// <summary>eˣ = 2ⁿ·(1 + q): x = n·ln 2 + r, and q = eʳ − 1.</summary>
    [MethodImpl(Inline)]
    private static void SplitExp(V x, out V q, out V n)
    {
        SplitArgument(x, V.Of(Log2E), out var r, out n);
        q = V.Fma(ExpRest(r, V.Of(ExpFirst)) * r, r, r);
    }

    /// <summary>x = n·ln 2 + r with |r| ≤ ln 2 / 2.</summary>
    [MethodImpl(Inline)]
    private static void SplitArgument(V x, V log2E, out V r, out V n)
    {
        n = V.Fma(x, log2E, Rounder) - Rounder;
        r = V.Fma(n, -Ln2Low, V.Fma(n, -Ln2High, x));
    }

    private static double ExpFirst
    {
        [MethodImpl(Inline)]
        get => Single ? 0.00139737396966666 : 2.505381666424331e-08;
    }

    /// <summary>(eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2: a polynomial, with its first coefficient.</summary>
    [MethodImpl(Inline)]
    private static V ExpRest(V r, V p)
    {
        if (Single)
        {
            p = V.Fma(p, r, V.Of(0.008368036709725857));
            p = V.Fma(p, r, V.Of(0.04166616499423981));
            p = V.Fma(p, r, V.Of(0.16666531562805176));
        }
        else
        {
            p = V.Fma(p, r, V.Of(2.762603708390659e-07));
            p = V.Fma(p, r, V.Of(2.7557407411896448e-06));
            p = V.Fma(p, r, V.Of(2.4801505275577067e-05));
            p = V.Fma(p, r, V.Of(0.00019841269719146786));
            p = V.Fma(p, r, V.Of(0.0013888888931563816));
            p = V.Fma(p, r, V.Of(0.008333333333389495));
            p = V.Fma(p, r, V.Of(0.04166666666657676));
            p = V.Fma(p, r, V.Of(0.16666666666666588));
        }
        return V.Fma(p, r, V.Of(0.5));
    }

    [MethodImpl(Inline)]
    public static V Expm1(V x)
    {
        var y = Expm1Core(V.Clamp(x, V.Of(Single ? -20 : -40), V.Of(Single ? 89 : 710)));
        return V.Select(V.Less(V.Abs(x), V.Of(Single ? 1e-12 : 1e-20)), x, y);
    }

    /// <summary>eˣ − 1 = 2·(2ⁿ⁻¹·q + (2ⁿ⁻¹ − ½)), for clamped x: exactly q where n = 0, and no overflow before its time.</summary>
    [MethodImpl(Inline)]
    private static V Expm1Core(V x)
    {
        SplitExp(x, out var q, out var n);
        var power = ToExponent(n + V.Of(Single ? 12582912 + 126 : 6755399441055744 + 1022));
        var y = V.Fma(power, q, power - V.Of(0.5));
        return y + y;
    }

    [MethodImpl(Inline)]
    public static V Tanh(V x) => Tanh(x, TanhConstants(false));

    /// <summary>
    /// With |x| = n·ln 2 / 2 + r and v = tanh r, by the addition theorem: ((2ⁿ + 1)·v + (2ⁿ − 1)) / ((2ⁿ − 1)·v + (2ⁿ + 1)).
    /// That is v itself where n = 0, so relatively accurate near 0, and 1 where 2ⁿ ± 1 are one number. The last bits of
    /// ln 2 / 2 are left out: n is small where they would count.
    /// </summary>
    [MethodImpl(Inline)]
    public static V Tanh(V x, Held<V> constants)
    {
        var a = V.AtMost(V.Abs(x), constants.A);
        var shifted = V.Fma(a, V.Of(2 * Log2E), constants.B);
        var power = ToExponent(shifted);
        var r = V.Fma(shifted - constants.B, V.Of(-0.5 * Ln2), a);
        var z = r * r;
        var v = V.Fma(r * z, TanhRest(z, constants.C, false), r);
        V less = power - Unit, more = power + Unit;
        return (V.Fma(more, v, less) / V.Fma(less, v, more)) | (x & SignBit);
    }

    /// <summary>
    /// The bound of the argument, the number whose sum with a small one has the nearest integer and an exponent's bias in
    /// its last bits, the first coefficient.
    /// </summary>
    [MethodImpl(Inline)]
    public static Held<V> TanhConstants(bool held) => new(
        Constant(Single ? 10 : 20, held),
        Constant(Single ? 12582912 + 127 : 6755399441055744 + 1023, held),
        Constant(TanhFirst, held),
        default);

    [MethodImpl(Inline)]
    public static V Sigmoid(V x) => Sigmoid(x, SigmoidConstants(false));

    /// <summary>
    /// With −x = n·ln 2 + r and w = tanh(−r/2), e⁻ˣ = 2ⁿ·(1 − w)/(1 + w), so 1 / (1 + e⁻ˣ) = (1 + w) / ((1 + w) + 2ⁿ·(1 − w)).
    /// All of it is made smaller by one power of two, <see cref="Small"/>, so that nothing overflows down to the least result.
    /// </summary>
    [MethodImpl(Inline)]
    public static V Sigmoid(V x, Held<V> constants)
    {
        var a = V.Clamp(x, constants.A, constants.B);
        var n = V.Fma(a, constants.C, Rounder) - Rounder;
        var r = V.Fma(n, Ln2Low, V.Fma(n, Ln2High, a));
        var z = r * r;
        var w = r * V.Fma(TanhRest(z, constants.D, true), z, V.Of(0.5 * Small));
        var one = V.Of(Small);
        var more = w + one;
        return more / (more - V.Scale(w - one, n));
    }

    /// <summary>The bounds of the argument, −log₂ e, the first coefficient.</summary>
    [MethodImpl(Inline)]
    public static Held<V> SigmoidConstants(bool held) => new(
        Constant(Single ? -104 : -746, held),
        Constant(Single ? 104 : 746, held),
        Constant(-Log2E, held),
        Constant(TanhFirst * Small * (Single ? 1.0 / 32 : 1.0 / 8192), held));

    private static double Small
    {
        [MethodImpl(Inline)]
        get => Single ? 1.0 / (1 << 24) : 1.0 / (1L << 53);
    }

    private static double TanhFirst
    {
        [MethodImpl(Inline)]
        get => Single ? 0.13110461831092834 : 0.003444755873864628;
    }

    /// <summary>
    /// (tanh(k·r) − k·r) / r³ as a function of z = r², for |k·r| ≤ ln 2 / 4; k is 1, or ½ and the whole times <see cref="Small"/>.
    /// A polynomial, with its first coefficient.
    /// </summary>
    [MethodImpl(Inline)]
    private static V TanhRest(V z, V p, bool half)
    {
        if (Single) return V.Fma(p, z, V.Of(-0.3333126902580261 * (half ? Small / 8 : 1)));
        p = V.Fma(p, z, V.Of(-0.008857302110237436 * (half ? Small / 2048 : 1)));
        p = V.Fma(p, z, V.Of(0.02186937051497777 * (half ? Small / 512 : 1)));
        p = V.Fma(p, z, V.Of(-0.05396825277932377 * (half ? Small / 128 : 1)));
        p = V.Fma(p, z, V.Of(0.13333333332782188 * (half ? Small / 32 : 1)));
        return V.Fma(p, z, V.Of(-0.3333333333333248 * (half ? Small / 8 : 1)));
    }

    /// <summary>ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|).</summary>
    [MethodImpl(Inline)]
    public static V Softplus(V x) => V.Select(V.Less(x, V.Of(0)), V.Of(0), x) + Log1pCore(Exp(-V.Abs(x)));

    /// <summary>With h = e^|x| / 2: h − 1/(4h), and near 0 (E + E/(E + 1)) / 2 with E = e^|x| − 1.</summary>
    [MethodImpl(Inline)]
    public static V Sinh(V x)
    {
        var a = V.Abs(x);
        var h = ExpScaled(a, -1, ExpConstants(false));
        var e = Expm1Core(V.AtMost(a, Unit));
        var y = V.Select(V.Less(a, Unit), V.Of(0.5) * (e + e / (e + Unit)), h - V.Of(0.25) / h);
        return y | (x & SignBit);
    }

    [MethodImpl(Inline)]
    public static V Cosh(V x)
    {
        var h = ExpScaled(V.Abs(x), -1, ExpConstants(false));
        return h + V.Of(0.25) / h;
    }

    [MethodImpl(Inline)]
    public static V Sign(V x)
    {
        var zero = V.Of(0);
        return V.Select(V.Less(zero, x), Unit, V.Select(V.Less(x, zero), V.Of(-1), x));
    }

    /// <summary>A function of the library on every lane, through double precision: for the rare functions and the rare arguments.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Each<F>(V x)
        where F : IScalarFunction
    {
        var lanes = (T*)&x;
        for (var i = 0; i < V.Count; i++) lanes[i] = Narrow(F.Of(Widen(lanes[i])));
        return x;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Each<F>(V a, V b)
        where F : IScalarFunction2
    {
        T* p = (T*)&a, q = (T*)&b;
        for (var i = 0; i < V.Count; i++) p[i] = Narrow(F.Of(Widen(p[i]), Widen(q[i])));
        return a;
    }

    [MethodImpl(Inline)]
    private static double Widen(T x) => Single ? (float)(object)x! : (double)(object)x!;

    [MethodImpl(Inline)]
    private static T Narrow(double x) => Single ? (T)(object)(float)x : (T)(object)x;
}

/// <summary>A function of one number that the lanes call one by one.</summary>
internal interface IScalarFunction
{
    static abstract double Of(double x);
}

/// <summary>A function of two numbers that the lanes call one by one.</summary>
internal interface IScalarFunction2
{
    static abstract double Of(double a, double b);
}
