using Functional.Kernels.Functions;

namespace Functional.Kernels;

/// <summary>An elementwise function of one array, over lanes.</summary>
internal interface IUnary
{
    static abstract V Of<V, T>(V x)
        where V : struct, ISimd<V, T>;
}

/// <summary>An elementwise function of one array that is faster in a loop when its constants are made before it.</summary>
internal interface IHeldUnary : IUnary
{
    static abstract Held<V> Hold<V, T>()
        where V : struct, ISimd<V, T>;

    static abstract V Of<V, T>(V x, Held<V> constants)
        where V : struct, ISimd<V, T>;
}

/// <summary>An elementwise function of two arrays, over lanes; comparisons give masks.</summary>
internal interface IBinary
{
    static abstract V Of<V, T>(V a, V b)
        where V : struct, ISimd<V, T>;
}

/// <summary>Makes something of a function of one array that is known by its type.</summary>
internal interface IUnaryMaker
{
    static abstract nint Make<TOp>()
        where TOp : struct, IUnary;

    static abstract nint MakeHeld<TOp>()
        where TOp : struct, IHeldUnary;
}

/// <summary>Makes something of a function of two arrays that is known by its type.</summary>
internal interface IBinaryMaker
{
    static abstract nint Make<TOp>()
        where TOp : struct, IBinary;
}

/// <summary>The elementwise functions as types, so that loops are compiled for each: here the enums meet the lanes.</summary>
internal static class ElementwiseFunctions
{
    public static nint Make<TMaker>(Unary op)
        where TMaker : struct, IUnaryMaker => op switch
        {
            Unary.Neg => TMaker.Make<Neg>(),
            Unary.Abs => TMaker.Make<Abs>(),
            Unary.Sign => TMaker.Make<Sign>(),
            Unary.Exp => TMaker.MakeHeld<Exp>(),
            Unary.Expm1 => TMaker.Make<Expm1>(),
            Unary.Log => TMaker.Make<Log>(),
            Unary.Log1p => TMaker.Make<Log1p>(),
            Unary.Sqrt => TMaker.Make<Sqrt>(),
            Unary.Rsqrt => TMaker.Make<Rsqrt>(),
            Unary.Square => TMaker.Make<Square>(),
            Unary.Reciprocal => TMaker.Make<Reciprocal>(),
            Unary.Sin => TMaker.Make<Sin>(),
            Unary.Cos => TMaker.Make<Cos>(),
            Unary.Tan => TMaker.Make<Tan>(),
            Unary.Asin => TMaker.Make<Asin>(),
            Unary.Acos => TMaker.Make<Acos>(),
            Unary.Atan => TMaker.Make<Atan>(),
            Unary.Sinh => TMaker.Make<Sinh>(),
            Unary.Cosh => TMaker.Make<Cosh>(),
            Unary.Tanh => TMaker.MakeHeld<Tanh>(),
            Unary.Asinh => TMaker.Make<Asinh>(),
            Unary.Acosh => TMaker.Make<Acosh>(),
            Unary.Atanh => TMaker.Make<Atanh>(),
            Unary.Sigmoid => TMaker.MakeHeld<Sigmoid>(),
            Unary.Softplus => TMaker.Make<Softplus>(),
            Unary.Relu => TMaker.Make<Relu>(),
            Unary.Erf => TMaker.Make<Erf>(),
            Unary.Erfc => TMaker.Make<Erfc>(),
            Unary.Floor => TMaker.Make<Floor>(),
            Unary.Ceil => TMaker.Make<Ceil>(),
            Unary.Round => TMaker.Make<Round>(),
            Unary.Not => TMaker.Make<Not>(),
            _ => throw new ArgumentOutOfRangeException(nameof(op), $"{op} is no unary function"),
        };

    public static nint Make<TMaker>(Binary op)
        where TMaker : struct, IBinaryMaker => op switch
        {
            Binary.Add => TMaker.Make<Add>(),
            Binary.Sub => TMaker.Make<Sub>(),
            Binary.Mul => TMaker.Make<Mul>(),
            Binary.Div => TMaker.Make<Div>(),
            Binary.Pow => TMaker.Make<Pow>(),
            Binary.Atan2 => TMaker.Make<Atan2>(),
            Binary.Max => TMaker.Make<Max>(),
            Binary.Min => TMaker.Make<Min>(),
            Binary.Rem => TMaker.Make<Rem>(),
            Binary.And => TMaker.Make<And>(),
            Binary.Or => TMaker.Make<Or>(),
            Binary.Xor => TMaker.Make<Xor>(),
            Binary.TanhScale => TMaker.Make<TanhScale>(),
            Binary.SigmoidScale => TMaker.Make<SigmoidScale>(),
            Binary.ReluScale => TMaker.Make<ReluScale>(),
            _ => throw new ArgumentOutOfRangeException(nameof(op), $"{op} is no binary function"),
        };

    public static nint Make<TMaker>(Comparison op)
        where TMaker : struct, IBinaryMaker => op switch
        {
            Comparison.Equal => TMaker.Make<Equal>(),
            Comparison.NotEqual => TMaker.Make<NotEqual>(),
            Comparison.Less => TMaker.Make<Less>(),
            Comparison.LessEqual => TMaker.Make<LessEqual>(),
            Comparison.Greater => TMaker.Make<Greater>(),
            Comparison.GreaterEqual => TMaker.Make<GreaterEqual>(),
            _ => throw new ArgumentOutOfRangeException(nameof(op), $"{op} is no comparison"),
        };

    /// <summary>Throws unless the function is defined for the element type.</summary>
    public static void Check(Unary op, DType type)
    {
        var defined = type switch
        {
            DType.Float32 or DType.Float64 => op != Unary.Not,
            DType.Bool => op == Unary.Not,
            _ => op is Unary.Neg or Unary.Abs or Unary.Sign or Unary.Square or Unary.Not,
        };
        if (!defined) throw Undefined(op, type);
    }

    /// <summary>Throws unless the function is defined for the element type.</summary>
    public static void Check(Binary op, DType type)
    {
        var bitwise = op is Binary.And or Binary.Or or Binary.Xor;
        var defined = type switch
        {
            DType.Float32 or DType.Float64 => !bitwise,
            DType.Bool => bitwise || op is Binary.Max or Binary.Min,
            _ => op is not (Binary.Atan2 or Binary.TanhScale or Binary.SigmoidScale or Binary.ReluScale),
        };
        if (!defined) throw Undefined(op, type);
    }

    public static NotSupportedException Undefined<TOp>(TOp op, DType type)
        where TOp : struct, Enum
    {
        var advice = type.IsFloat() ? "cast to an integer type or Bool" : type == DType.Bool ? "cast to a number type" : "cast to a float type";
        return new NotSupportedException($"{op.ToString().ToLowerInvariant()}: not defined for {type}; {advice}");
    }
}
