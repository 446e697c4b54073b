// Derivatives with respect to inputs: thin shells around F#'s Derivatives.
namespace Functional.CSharp;

/// <summary>Derivatives with respect to inputs: of a solution with respect to space and time, say.
/// Points are rows: x [n] is one point of n coordinates, x […, n] many of them at once, where each result must depend on its
/// own row alone. They nest with everything else.</summary>
/// <example><code>
/// var points = Points.Sobol(16, 2);
/// var residual = Derivatives.Laplacian(p => Sin(p).Sum(1), points) + Sin(points).Sum(1);
/// </code></example>
public static class Derivatives
{
    /// <summary>The function and its derivatives up to an order along a direction: f, Df·v, D²f·v·v, …</summary>
    /// <param name="order">The highest order, from 0 on.</param>
    /// <param name="function">Takes a tensor or a tree of them to another.</param>
    /// <param name="at">Where to take them.</param>
    /// <param name="direction">Built like the point.</param>
    /// <example><code>var jet = Derivatives.Along(2, x => x * x * x, Tensor.Scalar(2), Tensor.Scalar(1));</code></example>
    public static IReadOnlyList<TResult> Along<TParameters, TResult>(
        int order, Func<TParameters, TResult> function, TParameters at, TParameters direction)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(at);
        ArgumentNullException.ThrowIfNull(direction);
        return Functional.DerivativesModule.along(order, Bridge.Curry(function), at, direction);
    }

    /// <summary>The derivative by one coordinate, of the shape of the function's result.</summary>
    /// <param name="coordinate">Which one, from 0 on.</param>
    /// <param name="function">Takes points to a tensor.</param>
    /// <param name="at">Points […, n].</param>
    /// <example><code>var slope = Derivatives.Partial(0, x => x * x, Tensor.Of([1.0, 2.0]));   // 2, 0</code></example>
    public static Tensor Partial(int coordinate, Func<Tensor, Tensor> function, Tensor at)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(at);
        return Functional.DerivativesModule.partial(coordinate, Bridge.Curry(function), at);
    }

    /// <summary>The sum of the second derivatives by all coordinates, of the shape of the function's result.</summary>
    /// <param name="function">Takes points to a tensor.</param>
    /// <param name="at">Points […, n], or a tree of tensors that each have coordinates along their last axis.</param>
    /// <example><code>var six = Derivatives.Laplacian(x => (x * x).Sum(), Tensor.Of([1.0, 2.0, 3.0]));</code></example>
    public static Tensor Laplacian<TParameters>(Func<TParameters, Tensor> function, TParameters at)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(at);
        return Functional.DerivativesModule.laplacian(Bridge.Curry(function), at);
    }

    /// <summary>The sum of the derivatives of each component of a vector field by its own coordinate.</summary>
    /// <param name="field">Takes points […, n] to vectors […, n].</param>
    /// <param name="at">Points […, n].</param>
    /// <example><code>var six = Derivatives.Divergence(x => x * x, Tensor.Of([1.0, 2.0]));</code></example>
    public static Tensor Divergence(Func<Tensor, Tensor> field, Tensor at)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(at);
        return Functional.DerivativesModule.divergence(Bridge.Curry(field), at);
    }
}
