// The mathematics of tensors, elementwise: `using static Functional.CSharp.TensorMath;` and formulas read as they are written.
namespace Functional.CSharp;

/// <summary>Elementwise functions of tensors, meant for <c>using static</c>. Shapes broadcast by NumPy's rule; derivatives
/// of any order flow through all of them.</summary>
/// <example><code>
/// using static Functional.CSharp.TensorMath;
/// Tensor Density(Tensor x) => Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
/// </code></example>
public static class TensorMath
{
    /// <summary>|x|; its derivative at 0 is 0.</summary>
    /// <example><code>var z = Abs(x - y);</code></example>
    public static Tensor Abs(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Abs(x);
    }

    /// <summary>−1, 0 or 1.</summary>
    /// <example><code>var y = Sign(x);</code></example>
    public static Tensor Sign(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.signum(x);
    }

    /// <summary>eˣ.</summary>
    /// <example><code>var y = Exp(-x * x / 2);</code></example>
    public static Tensor Exp(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Exp(x);
    }

    /// <summary>eˣ − 1, accurate near 0.</summary>
    /// <example><code>var y = Expm1(x);</code></example>
    public static Tensor Expm1(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.expm1(x);
    }

    /// <summary>The natural logarithm.</summary>
    /// <example><code>var y = Log(x + 1);</code></example>
    public static Tensor Log(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Log(x);
    }

    /// <summary>log(1 + x), accurate near 0.</summary>
    /// <example><code>var y = Log1p(Exp(x));</code></example>
    public static Tensor Log1p(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.log1p(x);
    }

    /// <summary>√x.</summary>
    /// <example><code>var y = Sqrt((x * x).Sum());</code></example>
    public static Tensor Sqrt(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Sqrt(x);
    }

    /// <summary>1/√x.</summary>
    /// <example><code>var y = Rsqrt(variance + 1e-5);</code></example>
    public static Tensor Rsqrt(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.rsqrt(x);
    }

    /// <summary>x².</summary>
    /// <example><code>var z = Square(x - y).Mean();</code></example>
    public static Tensor Square(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.square(x);
    }

    /// <summary>1/x.</summary>
    /// <example><code>var y = Reciprocal(x);</code></example>
    public static Tensor Reciprocal(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.reciprocal(x);
    }

    /// <summary>The sine; x in radians.</summary>
    /// <example><code>var y = Sin(2 * Math.PI * x);</code></example>
    public static Tensor Sin(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Sin(x);
    }

    /// <summary>The cosine; x in radians.</summary>
    /// <example><code>var y = Cos(x);</code></example>
    public static Tensor Cos(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Cos(x);
    }

    /// <summary>The tangent; x in radians.</summary>
    /// <example><code>var y = Tan(x);</code></example>
    public static Tensor Tan(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Tan(x);
    }

    /// <summary>The inverse sine, in radians.</summary>
    /// <example><code>var y = Asin(x);</code></example>
    public static Tensor Asin(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Asin(x);
    }

    /// <summary>The inverse cosine, in radians.</summary>
    /// <example><code>var y = Acos(x);</code></example>
    public static Tensor Acos(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Acos(x);
    }

    /// <summary>The inverse tangent, in radians.</summary>
    /// <example><code>var y = Atan(x);</code></example>
    public static Tensor Atan(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Atan(x);
    }

    /// <summary>The hyperbolic sine.</summary>
    /// <example><code>var y = Sinh(x);</code></example>
    public static Tensor Sinh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Sinh(x);
    }

    /// <summary>The hyperbolic cosine.</summary>
    /// <example><code>var y = Cosh(x);</code></example>
    public static Tensor Cosh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Cosh(x);
    }

    /// <summary>The hyperbolic tangent.</summary>
    /// <example><code>var y = Tanh(x.MatMul(w) + b);</code></example>
    public static Tensor Tanh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Tanh(x);
    }

    /// <summary>The inverse hyperbolic sine.</summary>
    /// <example><code>var y = Asinh(x);</code></example>
    public static Tensor Asinh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.asinh(x);
    }

    /// <summary>The inverse hyperbolic cosine; x ≥ 1.</summary>
    /// <example><code>var y = Acosh(x);</code></example>
    public static Tensor Acosh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.acosh(x);
    }

    /// <summary>The inverse hyperbolic tangent; |x| &lt; 1.</summary>
    /// <example><code>var y = Atanh(x);</code></example>
    public static Tensor Atanh(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.atanh(x);
    }

    /// <summary>1/(1 + e⁻ˣ).</summary>
    /// <example><code>var y = Sigmoid(x.MatMul(w) + b);</code></example>
    public static Tensor Sigmoid(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.sigmoid(x);
    }

    /// <summary>log(1 + eˣ), without overflow.</summary>
    /// <example><code>var y = Softplus(x);</code></example>
    public static Tensor Softplus(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.softplus(x);
    }

    /// <summary>max(0, x); its derivative at 0 is 0.</summary>
    /// <example><code>var y = Relu(x.MatMul(w) + b);</code></example>
    public static Tensor Relu(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.relu(x);
    }

    /// <summary>The error function 2/√π ∫₀ˣ exp(−t²) dt.</summary>
    /// <example><code>var y = 0.5 * (1 + Erf(x / Math.Sqrt(2)));</code></example>
    public static Tensor Erf(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.erf(x);
    }

    /// <summary>The complementary error function 1 − erf x, to full precision also where it is tiny.</summary>
    /// <example><code>var tail = 0.5 * Erfc(x / Math.Sqrt(2));</code></example>
    public static Tensor Erfc(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.erfc(x);
    }

    /// <summary>The largest whole number not above x; no derivative flows through it.</summary>
    /// <example><code>var y = Floor(x);</code></example>
    public static Tensor Floor(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Floor(x);
    }

    /// <summary>The smallest whole number not below x; no derivative flows through it.</summary>
    /// <example><code>var y = Ceiling(x);</code></example>
    public static Tensor Ceiling(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Ceiling(x);
    }

    /// <summary>The nearest whole number, halves to even; no derivative flows through it.</summary>
    /// <example><code>var y = Round(x);</code></example>
    public static Tensor Round(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Tensor.Round(x);
    }

    /// <summary>√x, with value and derivative 0 at 0.</summary>
    /// <example><code>var y = SafeSqrt(x);</code></example>
    public static Tensor SafeSqrt(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.safeSqrt(x);
    }

    /// <summary>log x, with value and derivative 0 where x ≤ 0.</summary>
    /// <example><code>var y = p * SafeLog(p);</code></example>
    public static Tensor SafeLog(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.safeLog(x);
    }

    /// <summary>x as a constant: no derivative flows through the result.</summary>
    /// <example><code>var y = x * StopGradient(x);</code></example>
    public static Tensor StopGradient(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.stopGradient(x);
    }

    /// <summary>True where x is NaN.</summary>
    /// <example><code>var y = IsNaN(x);</code></example>
    public static Tensor IsNaN(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.isNaN(x);
    }

    /// <summary>True where x is neither NaN nor infinite.</summary>
    /// <example><code>var y = IsFinite(x);</code></example>
    public static Tensor IsFinite(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.isFinite(x);
    }

    /// <summary>aᵇ.</summary>
    /// <example><code>var z = Pow(x, y);</code></example>
    public static Tensor Pow(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Tensor.Pow(a, b);
    }

    /// <summary>The angle of the point (b, a), in radians.</summary>
    /// <example><code>var z = Atan2(y, x);</code></example>
    public static Tensor Atan2(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Tensor.Atan2(a, b);
    }

    /// <summary>The larger of two; at a tie each gets half of the derivative.</summary>
    /// <example><code>var z = Maximum(x, y);</code></example>
    public static Tensor Maximum(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.maximum(a, b);
    }

    /// <summary>The smaller of two; at a tie each gets half of the derivative.</summary>
    /// <example><code>var z = Minimum(x, y);</code></example>
    public static Tensor Minimum(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.minimum(a, b);
    }

    /// <summary>a/b, with value and derivatives 0 where b is 0.</summary>
    /// <example><code>var z = SafeDivide(x, y);</code></example>
    public static Tensor SafeDivide(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.safeDivide(a, b);
    }

    /// <summary>True where a and b are equal.</summary>
    /// <example><code>var z = Equal(labels, answers);</code></example>
    public static Tensor Equal(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.equal(a, b);
    }

    /// <summary>True where a and b differ.</summary>
    /// <example><code>var z = NotEqual(labels, answers);</code></example>
    public static Tensor NotEqual(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.notEqual(a, b);
    }

    /// <summary>aᵇ for a host number b.</summary>
    /// <example><code>var cube = Pow(x, 3);</code></example>
    public static Tensor Pow(Tensor a, double b)
    {
        ArgumentNullException.ThrowIfNull(a);
        return Tensor.Pow(a, b);
    }

    /// <summary>x within [low, high]; no derivative flows where x is outside.</summary>
    /// <example><code>var p = Clamp(x, 1e-7, 1 - 1e-7);</code></example>
    public static Tensor Clamp(Tensor x, double low, double high)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.clamp(low, high, x);
    }

    /// <summary>a where the mask is true, else b. Both are computed: a NaN in the branch not taken stays out of the value
    /// but comes back through its derivative, so guard the argument as well, as <see cref="SafeLog"/> does.</summary>
    /// <example><code>var leaky = Where(x &gt; 0, x, 0.1 * x);</code></example>
    public static Tensor Where(Tensor mask, Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.where(mask, a, b);
    }

    /// <summary>eˣ/Σ eˣ along an axis.</summary>
    /// <example><code>var probabilities = Softmax(logits);</code></example>
    public static Tensor Softmax(Tensor x, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.softmaxOver(axis, x);
    }

    /// <summary>x − log Σ eˣ along an axis: the logarithm of the softmax, without overflow.</summary>
    /// <example><code>var logProbabilities = LogSoftmax(logits);</code></example>
    public static Tensor LogSoftmax(Tensor x, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.logSoftmaxOver(axis, x);
    }
}
