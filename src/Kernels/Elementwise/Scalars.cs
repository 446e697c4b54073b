using System.Runtime.CompilerServices;


namespace Functional.Kernels;

/// <summary>
/// Arithmetic on 0-d arrays, which live inline: no loops, no allocation. The functions are the ones of the vector kernels
/// in single lanes, so a value is the same whether it stands alone or in an array.
/// </summary>
public static unsafe class Scalars
{
    private static readonly nint[] unary32 = new nint[1 + (int)Functional.Unary.Not];
    private static readonly nint[] unary64 = new nint[1 + (int)Functional.Unary.Not];
    private static readonly nint[] binary32 = new nint[1 + (int)Functional.Binary.ReluScale];
    private static readonly nint[] binary64 = new nint[1 + (int)Functional.Binary.ReluScale];

    /// <summary>op(x).</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static NDArray Unary(Unary op, NDArray x) => NDArray.OfParts([], null, Unary(op, x.DType, x.Bits), x.DType);

    /// <summary>op(a, b).</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static NDArray Binary(Binary op, NDArray a, NDArray b) =>
        NDArray.OfParts([], null, Binary(op, a.DType, a.Bits, b.Bits), a.DType);

    /// <summary>op(x) of the <see cref="NDArray.Bits"/> of a 0-d array.</summary>
    public static long Unary(Unary op, DType type, long x)
    {
        if (type == DType.Float64)
        {
            ref var known = ref unary64[(int)op];
            if (known == 0) known = Make<UnaryFunction<double>>(op, type);
            return Bits(((delegate*<double, double>)known)(Float(x)));
        }
        if (type == DType.Float32)
        {
            ref var known = ref unary32[(int)op];
            if (known == 0) known = Make<UnaryFunction<float>>(op, type);
            return Bits(((delegate*<float, float>)known)((float)Float(x)));
        }
        return Wrap(Integer(op, x, type), type);
    }

    /// <summary>op(a, b) of the <see cref="NDArray.Bits"/> of two 0-d arrays of one type.</summary>
    public static long Binary(Binary op, DType type, long a, long b)
    {
        if (type == DType.Float64)
        {
            double p = Float(a), q = Float(b);
            switch (op)
            {
                case Functional.Binary.Add: return Bits(p + q);
                case Functional.Binary.Sub: return Bits(p - q);
                case Functional.Binary.Mul: return Bits(p * q);
                case Functional.Binary.Div: return Bits(p / q);
            }
            ref var known = ref binary64[(int)op];
            if (known == 0) known = Make<BinaryFunction<double>>(op, type);
            return Bits(((delegate*<double, double, double>)known)(p, q));
        }
        if (type == DType.Float32)
        {
            float p = (float)Float(a), q = (float)Float(b);
            switch (op)
            {
                case Functional.Binary.Add: return Bits(p + q);
                case Functional.Binary.Sub: return Bits(p - q);
                case Functional.Binary.Mul: return Bits(p * q);
                case Functional.Binary.Div: return Bits(p / q);
            }
            ref var known = ref binary32[(int)op];
            if (known == 0) known = Make<BinaryFunction<float>>(op, type);
            return Bits(((delegate*<float, float, float>)known)(p, q));
        }
        return Wrap(Integer(op, a, b, type), type);
    }

    /// <summary>The function of one float of a type, to be called as <c>delegate*&lt;double, double&gt;</c> or of floats.</summary>
    internal static nint Function(Unary op, DType type) =>
        type == DType.Float64 ? Make<UnaryFunction<double>>(op, type) : Make<UnaryFunction<float>>(op, type);

    /// <summary>The function of two floats of a type.</summary>
    internal static nint Function(Binary op, DType type) =>
        type == DType.Float64 ? Make<BinaryFunction<double>>(op, type) : Make<BinaryFunction<float>>(op, type);

    /// <summary>op(a, b) as Bool.</summary>
    public static NDArray Compare(Comparison op, NDArray a, NDArray b) =>
        NDArray.OfInteger(a.DType.IsFloat() ? Holds(op, a.Float, b.Float) : Holds(op, a.Bits, b.Bits), DType.Bool);

    /// <summary>x in another element type, as <see cref="Elementwise.Cast"/>.</summary>
    public static NDArray Cast(NDArray x, DType type)
    {
        if (x.DType == type) return x;
        if (x.DType.IsFloat())
        {
            return type switch
            {
                DType.Float32 or DType.Float64 => NDArray.OfFloat(x.Float, type),
                DType.Int32 => NDArray.OfInteger(ElementwiseCasts.Convert<double, int>(x.Float), type),
                DType.Int64 => NDArray.OfInteger(ElementwiseCasts.Convert<double, long>(x.Float), type),
                _ => NDArray.OfInteger(x.Float != 0 ? 1 : 0, type),
            };
        }
        return type switch
        {
            DType.Float32 => NDArray.OfFloat((float)x.Bits, type),
            DType.Float64 => NDArray.OfFloat(x.Bits, type),
            DType.Bool => NDArray.OfInteger(x.Bits != 0 ? 1 : 0, type),
            _ => NDArray.OfInteger(x.Bits, type),
        };
    }

    private static double Float(long bits) => BitConverter.Int64BitsToDouble(bits);

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    private static long Wrap(long value, DType type) => type == DType.Int32 ? (int)value : value;

    private static nint Make<TMaker>(Unary op, DType type)
        where TMaker : struct, IUnaryMaker
    {
        ElementwiseFunctions.Check(op, type);
        return ElementwiseFunctions.Make<TMaker>(op);
    }

    private static nint Make<TMaker>(Binary op, DType type)
        where TMaker : struct, IBinaryMaker
    {
        ElementwiseFunctions.Check(op, type);
        return ElementwiseFunctions.Make<TMaker>(op);
    }

    private static long Holds(Comparison op, double a, double b) => op switch
    {
        Comparison.Equal => a == b,
        Comparison.NotEqual => a != b,
        Comparison.Less => a < b,
        Comparison.LessEqual => a <= b,
        Comparison.Greater => a > b,
        _ => a >= b,
    } ? 1 : 0;

    private static long Holds(Comparison op, long a, long b) => op switch
    {
        Comparison.Equal => a == b,
        Comparison.NotEqual => a != b,
        Comparison.Less => a < b,
        Comparison.LessEqual => a <= b,
        Comparison.Greater => a > b,
        _ => a >= b,
    } ? 1 : 0;

    private static long Integer(Unary op, long x, DType type)
    {
        ElementwiseFunctions.Check(op, type);
        return op switch
        {
            Functional.Unary.Neg => -x,
            Functional.Unary.Abs => x < 0 ? -x : x,
            Functional.Unary.Sign => Math.Sign(x),
            Functional.Unary.Square => x * x,
            _ => type == DType.Bool ? x ^ 1 : ~x,
        };
    }

    private static long Integer(Binary op, long a, long b, DType type)
    {
        ElementwiseFunctions.Check(op, type);
        return op switch
        {
            Functional.Binary.Add => a + b,
            Functional.Binary.Sub => a - b,
            Functional.Binary.Mul => a * b,
            Functional.Binary.Div => IntegerLoops<long>.Divide(a, b),
            Functional.Binary.Rem => IntegerLoops<long>.Remainder(a, b),
            Functional.Binary.Pow => IntegerLoops<long>.Power(a, b),
            Functional.Binary.Max => Math.Max(a, b),
            Functional.Binary.Min => Math.Min(a, b),
            Functional.Binary.And => a & b,
            Functional.Binary.Or => a | b,
            _ => a ^ b,
        };
    }

    private readonly struct UnaryFunction<T> : IUnaryMaker
        where T : unmanaged
    {
        public static nint Make<TOp>()
            where TOp : struct, IUnary => (nint)(delegate*<T, T>)&Of<TOp>;

        public static nint MakeHeld<TOp>()
            where TOp : struct, IHeldUnary => Make<TOp>();

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static T Of<TOp>(T x)
            where TOp : struct, IUnary => TOp.Of<Simd128<T>, T>(Simd128<T>.One(x)).First;
    }

    private readonly struct BinaryFunction<T> : IBinaryMaker
        where T : unmanaged
    {
        public static nint Make<TOp>()
            where TOp : struct, IBinary => (nint)(delegate*<T, T, T>)&Of<TOp>;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static T Of<TOp>(T a, T b)
            where TOp : struct, IBinary => TOp.Of<Simd128<T>, T>(Simd128<T>.One(a), Simd128<T>.One(b)).First;
    }
}
