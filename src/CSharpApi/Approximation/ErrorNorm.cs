// How far an approximation is from what it approximates: thin shells around F#'s ErrorNorm.
namespace Functional.CSharp;

/// <summary>Errors of an approximation: in numbers at the same points, or with the weights of a quadrature.</summary>
/// <example><code>var error = ErrorNorm.RelativeL2(Tensor.Of([3.0, 5.0]), Tensor.Of([3.0, 4.0]));   // 0.2</code></example>
public static class ErrorNorm
{
    /// <summary>The largest error.</summary>
    /// <param name="approximation">Any shape.</param>
    /// <param name="exact">The same shape.</param>
    public static Tensor Sup(Tensor approximation, Tensor exact)
    {
        ArgumentNullException.ThrowIfNull(approximation);
        ArgumentNullException.ThrowIfNull(exact);
        return Functional.ErrorNormModule.sup(approximation, exact);
    }

    /// <summary>The root of the mean square of the errors.</summary>
    /// <param name="approximation">Any shape.</param>
    /// <param name="exact">The same shape.</param>
    public static Tensor Rms(Tensor approximation, Tensor exact)
    {
        ArgumentNullException.ThrowIfNull(approximation);
        ArgumentNullException.ThrowIfNull(exact);
        return Functional.ErrorNormModule.rms(approximation, exact);
    }

    /// <summary>√Σ(error²) / √Σ(exact²).</summary>
    /// <param name="approximation">Any shape.</param>
    /// <param name="exact">The same shape.</param>
    public static Tensor RelativeL2(Tensor approximation, Tensor exact)
    {
        ArgumentNullException.ThrowIfNull(approximation);
        ArgumentNullException.ThrowIfNull(exact);
        return Functional.ErrorNormModule.relativeL2(approximation, exact);
    }

    /// <summary>√∫error², given the weights of the points' quadrature.</summary>
    /// <param name="weights">One for each point.</param>
    /// <param name="approximation">At the points.</param>
    /// <param name="exact">At the points.</param>
    public static Tensor L2(Tensor weights, Tensor approximation, Tensor exact)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(approximation);
        ArgumentNullException.ThrowIfNull(exact);
        return Functional.ErrorNormModule.l2(weights, approximation, exact);
    }

    /// <summary>√∫|∇(f − g)|² of two functions that give a number for each row of points.</summary>
    /// <param name="weights">The weights [n] of the points' quadrature.</param>
    /// <param name="approximation">Takes points [n, d] to [n] or [n, 1].</param>
    /// <param name="exact">Likewise.</param>
    /// <param name="points">[n, d].</param>
    public static Tensor H1Seminorm(Tensor weights, Func<Tensor, Tensor> approximation, Func<Tensor, Tensor> exact, Tensor points)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(approximation);
        ArgumentNullException.ThrowIfNull(exact);
        ArgumentNullException.ThrowIfNull(points);
        return Functional.ErrorNormModule.h1Seminorm(weights, Bridge.Curry(approximation), Bridge.Curry(exact), points);
    }
}
