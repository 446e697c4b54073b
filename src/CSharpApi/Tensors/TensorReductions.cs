// Products and reductions of tensors: over everything, over one axis, over several. Axes may be counted from the end (−1).
namespace Functional.CSharp;

/// <summary>Products of tensors, and reductions to fewer axes.</summary>
public static class TensorReductions
{
    /// <summary>The matrix product over the last two axes; leading axes broadcast.</summary>
    /// <param name="x">[…, n, k].</param>
    /// <param name="w">[…, k, m].</param>
    /// <returns>[…, n, m].</returns>
    /// <example><code>var y = x.MatMul(w) + b;</code></example>
    /// <exception cref="ArgumentException">The inner sizes differ, or the element types do.</exception>
    public static Tensor MatMul(this Tensor x, Tensor w)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(w);
        return Functions.matmul(w, x);
    }

    /// <summary>Σ a·b over everything, of equal shapes: the inner product.</summary>
    /// <example><code>var energy = 0.5 * v.Dot(v);</code></example>
    public static Tensor Dot(this Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Functions.inner(a, b);
    }

    /// <summary>√Σx² over everything, with derivative 0 at 0.</summary>
    /// <example><code>var distance = (x - y).Norm();</code></example>
    public static Tensor Norm(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.norm(x);
    }

    /// <summary>The sum of elements. Over everything.</summary>
    /// <example><code>var total = x.Sum();</code></example>
    public static Tensor Sum(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.sum(x);
    }

    /// <summary>The sum of elements. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Sum(Tensor)"/>
    public static Tensor Sum(this Tensor x, int axis, bool keepDims = false) => Sum(x, [axis], keepDims);

    /// <summary>The sum of elements. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Sum(Tensor)"/>
    public static Tensor Sum(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.sumKeep(axes, x) : Functions.sumOver(axes, x);
    }

    /// <summary>The mean of elements. Over everything.</summary>
    /// <example><code>var average = x.Mean(axis: 0);</code></example>
    public static Tensor Mean(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.mean(x);
    }

    /// <summary>The mean of elements. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Mean(Tensor)"/>
    public static Tensor Mean(this Tensor x, int axis, bool keepDims = false) => Mean(x, [axis], keepDims);

    /// <summary>The mean of elements. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Mean(Tensor)"/>
    public static Tensor Mean(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.meanKeep(axes, x) : Functions.meanOver(axes, x);
    }

    /// <summary>The product of elements; its derivative is right where elements are 0. Over everything.</summary>
    /// <example><code>var product = x.Prod();</code></example>
    public static Tensor Prod(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.prod(x);
    }

    /// <summary>The product of elements; its derivative is right where elements are 0. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Prod(Tensor)"/>
    public static Tensor Prod(this Tensor x, int axis, bool keepDims = false) => Prod(x, [axis], keepDims);

    /// <summary>The product of elements; its derivative is right where elements are 0. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Prod(Tensor)"/>
    public static Tensor Prod(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.prodKeep(axes, x) : Functions.prodOver(axes, x);
    }

    /// <summary>The largest element (of Bool: any); equals share the derivative. Over everything.</summary>
    /// <example><code>var largest = x.Max(axis: -1);</code></example>
    public static Tensor Max(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.amax(x);
    }

    /// <summary>The largest element (of Bool: any); equals share the derivative. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Max(Tensor)"/>
    public static Tensor Max(this Tensor x, int axis, bool keepDims = false) => Max(x, [axis], keepDims);

    /// <summary>The largest element (of Bool: any); equals share the derivative. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Max(Tensor)"/>
    public static Tensor Max(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.maxKeep(axes, x) : Functions.maxOver(axes, x);
    }

    /// <summary>The smallest element (of Bool: all); equals share the derivative. Over everything.</summary>
    /// <example><code>var smallest = x.Min();</code></example>
    public static Tensor Min(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.amin(x);
    }

    /// <summary>The smallest element (of Bool: all); equals share the derivative. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Min(Tensor)"/>
    public static Tensor Min(this Tensor x, int axis, bool keepDims = false) => Min(x, [axis], keepDims);

    /// <summary>The smallest element (of Bool: all); equals share the derivative. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Min(Tensor)"/>
    public static Tensor Min(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.minKeep(axes, x) : Functions.minOver(axes, x);
    }

    /// <summary>log Σ eˣ, without overflow. Over everything.</summary>
    /// <example><code>var normalizer = logits.LogSumExp(axis: -1, keepDims: true);</code></example>
    public static Tensor LogSumExp(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.logsumexp(x);
    }

    /// <summary>log Σ eˣ, without overflow. Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="LogSumExp(Tensor)"/>
    public static Tensor LogSumExp(this Tensor x, int axis, bool keepDims = false) => LogSumExp(x, [axis], keepDims);

    /// <summary>log Σ eˣ, without overflow. Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="LogSumExp(Tensor)"/>
    public static Tensor LogSumExp(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.logsumexpKeep(axes, x) : Functions.logsumexpOver(axes, x);
    }

    /// <summary>The mean squared distance from the mean (the population's variance). Over everything.</summary>
    /// <example><code>var spread = x.Variance(axis: 0);</code></example>
    public static Tensor Variance(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Functions.variance(x);
    }

    /// <summary>The mean squared distance from the mean (the population's variance). Along one axis, which disappears, or stays with size 1.</summary>
    /// <inheritdoc cref="Variance(Tensor)"/>
    public static Tensor Variance(this Tensor x, int axis, bool keepDims = false) => Variance(x, [axis], keepDims);

    /// <summary>The mean squared distance from the mean (the population's variance). Along several axes, which disappear, or stay with size 1.</summary>
    /// <inheritdoc cref="Variance(Tensor)"/>
    public static Tensor Variance(this Tensor x, int[] axes, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(axes);
        return keepDims ? Functions.varianceKeep(axes, x) : Functions.varianceOver(axes, x);
    }

    /// <summary>The place of the largest element along an axis, the first of equals, Int32.</summary>
    /// <example><code>var answers = probabilities.ArgMax();</code></example>
    public static Tensor ArgMax(this Tensor x, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return IndexFunctions.argmax(axis, x);
    }

    /// <summary>The place of the smallest element along an axis, the first of equals, Int32.</summary>
    /// <example><code>var nearest = distances.ArgMin();</code></example>
    public static Tensor ArgMin(this Tensor x, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return IndexFunctions.argmin(axis, x);
    }

    /// <summary>Running sums along an axis.</summary>
    /// <example><code>var walk = steps.CumSum(axis: 0);</code></example>
    public static Tensor CumSum(this Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        return IndexFunctions.cumsum(axis, x);
    }

    /// <summary>Running products along an axis.</summary>
    /// <example><code>var growth = factors.CumProd(axis: 0);</code></example>
    public static Tensor CumProd(this Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        return IndexFunctions.cumprod(axis, x);
    }
}
