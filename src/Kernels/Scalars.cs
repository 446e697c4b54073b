using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Arithmetic on 0-d arrays, which live inline: no loops, no allocation.</summary>
public static class Scalars
{
    public static NDArray Unary(Unary op, NDArray x) => x.DType switch
    {
        DType.Float32 or DType.Float64 => NDArray.OfFloat(Float(op, x.Float, x.DType), x.DType),
        _ => NDArray.OfInteger(Integer(op, x.Bits, x.DType), x.DType),
    };

    public static NDArray Binary(Binary op, NDArray a, NDArray b) => a.DType switch
    {
        DType.Float32 or DType.Float64 => NDArray.OfFloat(Float(op, a.Float, b.Float, a.DType), a.DType),
        _ => NDArray.OfInteger(Integer(op, a.Bits, b.Bits, a.DType), a.DType),
    };

    public static NDArray Compare(Comparison op, NDArray a, NDArray b) =>
        NDArray.OfInteger(a.DType.IsFloat() ? Holds(op, a.Float, b.Float) : Holds(op, a.Bits, b.Bits), DType.Bool);

    public static NDArray Cast(NDArray x, DType type)
    {
        if (x.DType == type) return x;
        if (type.IsFloat()) return NDArray.OfFloat(x.DType.IsFloat() ? x.Float : type == DType.Float32 ? (float)x.Bits : x.Bits, type);
        if (type == DType.Bool) return NDArray.OfInteger(x.DType.IsFloat() ? (x.Float != 0 ? 1 : 0) : x.Bits != 0 ? 1 : 0, type);
        return NDArray.OfInteger(!x.DType.IsFloat() ? x.Bits : type == DType.Int32 ? (int)x.Float : (long)x.Float, type);
    }

    internal static long Holds<T>(Comparison op, T a, T b)
        where T : System.Numerics.INumber<T> => op switch
    {
        Comparison.Equal => a == b,
        Comparison.NotEqual => a != b,
        Comparison.Less => a < b,
        Comparison.LessEqual => a <= b,
        Comparison.Greater => a > b,
        _ => a >= b,
    } ? 1 : 0;

    internal static double Float(Unary op, double x, DType type) => op switch
    {
        Functional.Unary.Neg => -x,
        Functional.Unary.Abs => Math.Abs(x),
        Functional.Unary.Sign => double.IsNaN(x) ? x : Math.Sign(x),
        Functional.Unary.Exp => Math.Exp(x),
        Functional.Unary.Expm1 => Expm1(x),
        Functional.Unary.Log => Math.Log(x),
        Functional.Unary.Log1p => Log1p(x),
        Functional.Unary.Sqrt => Math.Sqrt(x),
        Functional.Unary.Rsqrt => 1 / Math.Sqrt(x),
        Functional.Unary.Square => x * x,
        Functional.Unary.Reciprocal => 1 / x,
        Functional.Unary.Sin => Math.Sin(x),
        Functional.Unary.Cos => Math.Cos(x),
        Functional.Unary.Tan => Math.Tan(x),
        Functional.Unary.Asin => Math.Asin(x),
        Functional.Unary.Acos => Math.Acos(x),
        Functional.Unary.Atan => Math.Atan(x),
        Functional.Unary.Sinh => Math.Sinh(x),
        Functional.Unary.Cosh => Math.Cosh(x),
        Functional.Unary.Tanh => Math.Tanh(x),
        Functional.Unary.Asinh => Math.Asinh(x),
        Functional.Unary.Acosh => Math.Acosh(x),
        Functional.Unary.Atanh => Math.Atanh(x),
        Functional.Unary.Sigmoid => 1 / (1 + Math.Exp(-x)),
        Functional.Unary.Softplus => Math.Max(x, 0) + Log1p(Math.Exp(-Math.Abs(x))),
        Functional.Unary.Relu => Math.Max(x, 0),
        Functional.Unary.Erf => Erf(x),
        Functional.Unary.Floor => Math.Floor(x),
        Functional.Unary.Ceil => Math.Ceiling(x),
        Functional.Unary.Round => Math.Round(x),
        _ => throw Undefined(op, type),
    };

    internal static long Integer(Unary op, long x, DType type) => op switch
    {
        Functional.Unary.Not => type == DType.Bool ? x ^ 1 : ~x,
        _ when type == DType.Bool => throw Undefined(op, type),
        Functional.Unary.Neg => -x,
        Functional.Unary.Abs => x < 0 ? -x : x,
        Functional.Unary.Sign => Math.Sign(x),
        Functional.Unary.Square => x * x,
        _ => throw Undefined(op, type),
    };

    internal static double Float(Binary op, double a, double b, DType type) => op switch
    {
        Functional.Binary.Add => a + b,
        Functional.Binary.Sub => a - b,
        Functional.Binary.Mul => a * b,
        Functional.Binary.Div => a / b,
        Functional.Binary.Pow => Math.Pow(a, b),
        Functional.Binary.Atan2 => Math.Atan2(a, b),
        Functional.Binary.Max => Math.Max(a, b),
        Functional.Binary.Min => Math.Min(a, b),
        Functional.Binary.Rem => a % b,
        Functional.Binary.TanhScale => a * (1 - b * b),
        Functional.Binary.SigmoidScale => a * (b * (1 - b)),
        Functional.Binary.ReluScale => b > 0 ? a : 0,
        _ => throw Undefined(op, type),
    };

    internal static long Integer(Binary op, long a, long b, DType type)
    {
        switch (op)
        {
            case Functional.Binary.And: return a & b;
            case Functional.Binary.Or: return a | b;
            case Functional.Binary.Xor: return a ^ b;
            case Functional.Binary.Max: return Math.Max(a, b);
            case Functional.Binary.Min: return Math.Min(a, b);
        }
        if (type == DType.Bool) throw Undefined(op, type);
        switch (op)
        {
            case Functional.Binary.Add: return a + b;
            case Functional.Binary.Sub: return a - b;
            case Functional.Binary.Mul: return a * b;
            case Functional.Binary.Div or Functional.Binary.Rem:
                if (b == 0) throw new DivideByZeroException($"{op.ToString().ToLowerInvariant()}: an {type} was divided by zero");
                return b == -1 ? (op == Functional.Binary.Div ? -a : 0) : op == Functional.Binary.Div ? a / b : a % b;
            case Functional.Binary.Pow:
                if (b < 0) throw new ArgumentException($"pow: the exponent of an {type} is {b}; cast to a float type for negative exponents");
                var power = 1L;
                for (; b > 0; b >>= 1, a *= a)
                    if ((b & 1) != 0) power *= a;
                return power;
            default: throw Undefined(op, type);
        }
    }

    internal static double Expm1(double x) => Math.Abs(x) > 0.5 ? Math.Exp(x) - 1 : x == 0 ? x : 2 * Math.Sinh(x / 2) * Math.Exp(x / 2);

    internal static double Log1p(double x)
    {
        var u = 1 + x;
        return u == 1 || double.IsInfinity(u) ? x : Math.Log(u) * (x / (u - 1));
    }

    internal static double Erf(double x)
    {
        var z = Math.Abs(x);
        if (!(z < 6)) return double.IsNaN(x) ? x : Math.Sign(x);
        double term = z, sum = z;
        for (var n = 1; n < 200; n++)
        {
            term *= 2 * z * z / (2 * n + 1);
            sum += term;
        }
        return Math.CopySign(2 / Math.Sqrt(Math.PI) * sum * Math.Exp(-z * z), x);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static NotSupportedException Undefined<TOp>(TOp op, DType type)
        where TOp : struct, Enum =>
        new($"{op.ToString().ToLowerInvariant()}: not defined for {type}{(type.IsFloat() ? "; cast to an integer type or Bool" : "; cast to a float type")}");
}
