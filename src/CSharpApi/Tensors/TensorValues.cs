// Getting numbers out of tensors: arrays, a span without a copy, a single number.
namespace Functional.CSharp;

/// <summary>Reads the numbers of a tensor. A tensor that takes part in a gradient is read only after
/// <see cref="Detach"/>, since no derivative flows through a host number.</summary>
public static class TensorValues
{
    /// <summary>The elements without a copy, in row-major order; valid as long as the tensor is held.</summary>
    /// <typeparam name="T">The .NET type of the elements.</typeparam>
    /// <param name="tensor">A concrete tensor.</param>
    /// <example><code>ReadOnlySpan&lt;double&gt; numbers = x.AsSpan&lt;double&gt;();</code></example>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    /// <exception cref="InvalidOperationException">The tensor takes part in a transformation.</exception>
    public static ReadOnlySpan<T> AsSpan<T>(this Tensor tensor)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.span<T>(tensor);
    }

    /// <summary>A copy of the elements, in row-major order.</summary>
    /// <typeparam name="T">The .NET type of the elements.</typeparam>
    /// <param name="tensor">A concrete tensor.</param>
    /// <example><code>double[] numbers = x.ToArray&lt;double&gt;();</code></example>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    public static T[] ToArray<T>(this Tensor tensor)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.toArray<T>(tensor);
    }

    /// <summary>A copy of the elements as doubles, whatever their type, in row-major order.</summary>
    /// <param name="tensor">A concrete tensor.</param>
    /// <example><code>double[] numbers = x.ToDoubles();</code></example>
    public static double[] ToDoubles(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.toFloats(tensor);
    }

    /// <summary>A copy of a matrix as a two-dimensional array of doubles.</summary>
    /// <param name="tensor">A tensor of two axes.</param>
    /// <example><code>double[,] table = x.ToArray2D();</code></example>
    /// <exception cref="ArgumentException">The tensor has not two axes.</exception>
    public static double[,] ToArray2D(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.toArray2D(tensor);
    }

    /// <summary>A copy of a matrix as rows of doubles.</summary>
    /// <param name="tensor">A tensor of two axes.</param>
    /// <example><code>double[][] rows = x.ToRows();</code></example>
    /// <exception cref="ArgumentException">The tensor has not two axes.</exception>
    public static double[][] ToRows(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Rank != 2)
            throw new ArgumentException($"ToRows: needs two axes, got {tensor.Rank}; reshape the tensor first", nameof(tensor));
        return [.. TensorModule.toFloats(tensor).Chunk(Math.Max(1, tensor.Shape[1]))];
    }

    /// <summary>The one number of a tensor of size 1.</summary>
    /// <param name="tensor">A concrete tensor of size 1.</param>
    /// <example><code>double loss = (x * x).Sum().ToDouble();</code></example>
    /// <exception cref="ArgumentException">The tensor has not exactly one element.</exception>
    public static double ToDouble(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.toFloat(tensor);
    }

    /// <summary>The one truth value of a tensor of size 1; a number is true when it is not 0.</summary>
    /// <param name="tensor">A concrete tensor of size 1.</param>
    /// <example><code>while ((error &gt; 1e-9).ToBool()) error = error / 10;</code></example>
    /// <exception cref="ArgumentException">The tensor has not exactly one element.</exception>
    public static bool ToBool(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.toBool(tensor);
    }

    /// <summary>The tensor's value outside every transformation it takes part in: no derivative flows through it.
    /// This is how a program looks at numbers inside a function that is being differentiated.</summary>
    /// <param name="tensor">Any tensor; under vmap there is no one value, and it is an error.</param>
    /// <example><code>bool isLarge = error.Detach().ToDouble() &gt; 10;</code></example>
    public static Tensor Detach(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorModule.detach(tensor);
    }

    /// <summary>The tensor with another element type; itself where it has it already.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="dtype">The element type to have. Floats become integers by dropping the fraction.</param>
    /// <example><code>var single = x.Cast(DType.Float32);</code></example>
    public static Tensor Cast(this Tensor tensor, DType dtype)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Functions.cast(dtype, tensor);
    }
}
