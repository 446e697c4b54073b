namespace Functional;

/// <summary>Elementwise functions of one array.</summary>
public enum Unary : byte
{
    Neg, Abs, Sign, Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Square, Reciprocal,
    Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh,
    Sigmoid, Softplus, Relu, Erf, Erfc, Floor, Ceil, Round, Not,
}

/// <summary>Elementwise functions of two arrays that broadcast against each other.</summary>
public enum Binary : byte
{
    Add, Sub, Mul, Div, Pow, Atan2, Max, Min,

    /// <summary>The remainder with the sign of the dividend, as in C: a − b·trunc(a/b).</summary>
    Rem,

    And, Or, Xor,

    /// <summary>t·(1−y²): the derivative of tanh, linear in t.</summary>
    TanhScale,

    /// <summary>t·y·(1−y): the derivative of the sigmoid, linear in t.</summary>
    SigmoidScale,

    /// <summary>t where y &gt; 0, else 0: the derivative of relu, linear in t.</summary>
    ReluScale,
}

/// <summary>Elementwise comparisons; the result is Bool. Every comparison with NaN is false but NotEqual.</summary>
public enum Comparison : byte
{
    Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual,
}

/// <summary>Reductions over a set of axes. Of Bool arrays, Max is "any" and Min is "all".</summary>
public enum Reduction : byte
{
    Sum, Prod, Max, Min, LogSumExp,
}

/// <summary>The place of the extreme value along one axis; the first of equals; Int32.</summary>
public enum ArgReduction : byte
{
    ArgMax, ArgMin,
}

/// <summary>Running reductions along one axis.</summary>
public enum Cumulation : byte
{
    Sum, Prod,
}

/// <summary>What counter-based random numbers are turned into.</summary>
public enum Distribution : byte
{
    /// <summary>All 32 bits of an Int32, or all 64 of an Int64 (so: fresh keys).</summary>
    Bits,

    /// <summary>Uniform on [0, 1): the top 24 (Float32) or 53 (Float64) bits.</summary>
    Uniform,

    /// <summary>Standard normal.</summary>
    Normal,

    /// <summary>Standard normal, restricted to (−2, 2).</summary>
    TruncatedNormal,
}
