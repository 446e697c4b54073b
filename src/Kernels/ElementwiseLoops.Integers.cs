using System.Numerics;

namespace Functional.Kernels;

/// <summary>The integer functions that processors have no lanes for, or that can fail: division, remainder and power.</summary>
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

    /// <summary>The quotient, rounded towards zero; the smallest integer over −1 wraps around to itself.</summary>
    public static T Divide(T a, T b) =>
        b == T.Zero ? throw new DivideByZeroException($"div: the integer {a} was divided by zero; cast to a float type for infinities")
        : b == -T.One ? -a
        : a / b;

    /// <summary>The remainder with the sign of the dividend.</summary>
    public static T Remainder(T a, T b) =>
        b == T.Zero ? throw new DivideByZeroException($"rem: the remainder of the integer {a} over zero was asked for")
        : b == -T.One ? T.Zero
        : a % b;

    /// <summary>The power, wrapping around on overflow.</summary>
    public static T Power(T a, T b)
    {
        if (b < T.Zero) throw new ArgumentException($"pow: the integer {a} to the power {b}; cast to a float type for negative exponents");
        var power = T.One;
        for (; b != T.Zero; b >>= 1, a *= a)
            if (T.IsOddInteger(b)) power *= a;
        return power;
    }
}
