using System.Numerics;

namespace Functional.Kernels;

/// <summary>
/// The integer functions that processors have no lanes for: division, remainder and power. All three are defined for every
/// pair, since where, and a branch under vmap, compute what nobody looks at: a/0 is 0, as on ARM, and what the definitions
/// a = (a/b)·b + a%b and a⁻ⁿ = 1/aⁿ then ask for.
/// </summary>
internal static unsafe class IntegerLoops<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    /// <summary>The loop of one of these functions, 0 for the others.</summary>
    public static nint Of(Binary op) => op switch
    {
        Binary.Div => (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Divide,
        Binary.Rem => (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Remainder,
        Binary.Pow => (nint)(delegate*<T*, nint, T*, nint, T*, nint, void>)&Power,
        _ => 0,
    };

    private static void Divide(T* a, nint aStride, T* b, nint bStride, T* y, nint count)
    {
        for (nint i = 0; i < count; i++, a += aStride, b += bStride) y[i] = Divide(*a, *b);
    }

    private static void Remainder(T* a, nint aStride, T* b, nint bStride, T* y, nint count)
    {
        for (nint i = 0; i < count; i++, a += aStride, b += bStride) y[i] = Remainder(*a, *b);
    }

    private static void Power(T* a, nint aStride, T* b, nint bStride, T* y, nint count)
    {
        for (nint i = 0; i < count; i++, a += aStride, b += bStride) y[i] = Power(*a, *b);
    }

    /// <summary>The quotient, rounded towards zero; 0 over zero; the smallest integer over −1 wraps around to itself.</summary>
    public static T Divide(T a, T b) => b == T.Zero ? T.Zero : b == -T.One ? -a : a / b;

    /// <summary>The remainder with the sign of the dividend; the dividend itself over zero.</summary>
    public static T Remainder(T a, T b) => b == T.Zero ? a : b == -T.One ? T.Zero : a % b;

    /// <summary>The power, wrapping around on overflow; 1/aⁿ, rounded towards zero, for an exponent −n.</summary>
    public static T Power(T a, T b)
    {
        if (b < T.Zero) return a != T.One && a != -T.One ? T.Zero : T.IsOddInteger(b) ? a : T.One;
        var power = T.One;
        for (; b != T.Zero; b >>= 1, a *= a)
            if (T.IsOddInteger(b)) power *= a;
        return power;
    }
}
