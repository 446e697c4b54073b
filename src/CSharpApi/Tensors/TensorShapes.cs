// Rearranging tensors: other shapes, other orders, parts, repeats. Axes may be counted from the end (−1).
using FSharpTuple = System.Tuple<int, int>;

namespace Functional.CSharp;

/// <summary>Other shapes, orders and parts of a tensor. Nothing is changed in place; derivatives flow through all of it.</summary>
public static class TensorShapes
{
    /// <summary>The same elements in row-major order under another shape; one size may be −1 and is worked out.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="shape">The new sizes.</param>
    /// <example><code>var flat = images.Reshape(-1, 28 * 28);</code></example>
    /// <exception cref="ArgumentException">The new shape has another number of places.</exception>
    public static Tensor Reshape(this Tensor tensor, params int[] shape)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(shape);
        return Functions.reshape(shape, tensor);
    }

    /// <summary>All elements in one axis.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <example><code>var vector = matrix.Flatten();</code></example>
    public static Tensor Flatten(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Functions.flatten(tensor);
    }

    /// <summary>The tensor repeated to a shape, by NumPy's rule.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="shape">The shape to have.</param>
    /// <example><code>var rows = bias.BroadcastTo(100, 10);</code></example>
    public static Tensor BroadcastTo(this Tensor tensor, params int[] shape)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(shape);
        return Functions.broadcastTo(shape, tensor);
    }

    /// <summary>The last two axes exchanged.</summary>
    /// <param name="tensor">At least two axes.</param>
    /// <example><code>var gram = x.Transpose().MatMul(x);</code></example>
    public static Tensor Transpose(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Functions.transpose(tensor);
    }

    /// <summary>Axes in another order: axis i of the result is axis <paramref name="order"/>[i] of the tensor.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="order">Every axis once.</param>
    /// <example><code>var channelsLast = images.Permute(0, 2, 3, 1);</code></example>
    public static Tensor Permute(this Tensor tensor, params int[] order)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(order);
        return Functions.permute(order, tensor);
    }

    /// <summary>A new axis of size 1 before the given one.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="axis">Where the new axis stands in the result.</param>
    /// <example><code>var column = vector.ExpandDims(-1);   // n becomes n×1</code></example>
    public static Tensor ExpandDims(this Tensor tensor, int axis)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Functions.expandDims(axis, tensor);
    }

    /// <summary>The given axes, which must be of size 1, removed; with none given, all axes of size 1.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="axes">The axes to remove.</param>
    /// <example><code>var vector = column.Squeeze(-1);   // n×1 becomes n</code></example>
    public static Tensor Squeeze(this Tensor tensor, params int[] axes)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(axes);
        if (axes.Length == 0)
            axes = [.. Enumerable.Range(0, tensor.Rank).Where(axis => tensor.Shape[axis] == 1)];
        return Functions.squeeze(axes, tensor);
    }

    /// <summary>Part of a tensor: for each axis, from the first on, a range, a place (whose axis disappears), or a range
    /// with a step; axes not mentioned are taken whole. Places beyond the axis are an error, never clamped.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="parts">What to take of each axis.</param>
    /// <example><code>
    /// var rows = x.Slice(1..3);            // rows 1 and 2
    /// var column = x.Slice(.., ^1);        // the last column, one axis less
    /// var even = x.Slice((0.., 2), ..);    // every second row
    /// var mirror = x.Slice(.., (.., -1));  // columns from the last to the first
    /// </code></example>
    /// <exception cref="ArgumentException">More parts than axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A place or range beyond its axis.</exception>
    public static Tensor Slice(this Tensor tensor, params ReadOnlySpan<AxisPart> parts)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (parts.Length > tensor.Rank)
            throw new ArgumentException($"Slice: {parts.Length} parts for a tensor with {tensor.Rank} axes ({string.Join("×", tensor.Shape)})", nameof(parts));

        int rank = tensor.Rank;
        int[] starts = new int[rank], lengths = [.. tensor.Shape], steps = new int[rank];
        Array.Fill(steps, 1);
        var reversed = new List<int>();
        var gone = new List<int>();
        for (var axis = 0; axis < parts.Length; axis++)
        {
            var (start, length, step) = parts[axis].Resolve(axis, tensor.Shape[axis]);
            (starts[axis], lengths[axis], steps[axis]) = (start, length, Math.Abs(step));
            if (step < 0) reversed.Add(axis);
            if (parts[axis].IsPlace) gone.Add(axis);
        }

        var part = Functions.slice(starts, lengths, steps, tensor);
        if (reversed.Count > 0) part = Functions.reverse(reversed, part);
        return gone.Count > 0 ? Functions.squeeze(gone, part) : part;
    }

    /// <summary>The elements in reverse order along axes.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="axes">The axes to reverse.</param>
    /// <example><code>var mirrored = image.Reverse(1);</code></example>
    public static Tensor Reverse(this Tensor tensor, params int[] axes)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(axes);
        return Functions.reverse(axes, tensor);
    }

    /// <summary>Zeros added before and behind each axis.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="widths">For every axis, how many zeros before and how many behind.</param>
    /// <example><code>var framed = image.Pad((2, 2), (2, 2));</code></example>
    public static Tensor Pad(this Tensor tensor, params (int Before, int Behind)[] widths)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(widths);
        return Functions.pad(widths.Select(width => new FSharpTuple(width.Before, width.Behind)), tensor);
    }

    /// <summary>The tensor cut along an axis into pieces of the given sizes.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="sizes">The pieces' sizes; together the axis' size.</param>
    /// <param name="axis">The axis to cut.</param>
    /// <example><code>var parts = x.Split([3, 1]);</code></example>
    public static Tensor[] Split(this Tensor tensor, IReadOnlyList<int> sizes, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(sizes);
        return Functions.split(axis, sizes, tensor);
    }

    /// <summary>The tensors along an axis, which disappears.</summary>
    /// <param name="tensor">Any tensor with an axis.</param>
    /// <param name="axis">The axis to go along.</param>
    /// <example><code>foreach (var row in x.Unstack()) Console.WriteLine(row.Sum());</code></example>
    public static Tensor[] Unstack(this Tensor tensor, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Functions.unstack(axis, tensor);
    }

    /// <summary>The tensor repeated along its axes.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="repeats">For every axis, how often.</param>
    /// <example><code>var twice = row.Tile(2, 1);</code></example>
    public static Tensor Tile(this Tensor tensor, params int[] repeats)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(repeats);
        return Functions.tile(repeats, tensor);
    }

    /// <summary>The slices along an axis that an integer tensor names; the axis is replaced by the index' axes.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="index">Places, Int32 or Int64; negative ones count from the end, others beyond the axis are an error.</param>
    /// <param name="axis">The axis to take from.</param>
    /// <example><code>var batch = images.Take(Tensor.Of([3, 1, 4]));</code></example>
    public static Tensor Take(this Tensor tensor, Tensor index, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(index);
        return IndexFunctions.take(axis, index, tensor);
    }

    /// <summary>The elements in ascending order along an axis; NaN last.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="axis">The axis to sort along.</param>
    /// <example><code>var ranking = scores.Sort();</code></example>
    public static Tensor Sort(this Tensor tensor, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return IndexFunctions.sort(axis, tensor);
    }

    /// <summary>The k largest elements along an axis in descending order, and their places (Int32).</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="k">How many.</param>
    /// <param name="axis">The axis to search.</param>
    /// <example><code>var (best, classes) = probabilities.TopK(5);</code></example>
    public static (Tensor Values, Tensor Places) TopK(this Tensor tensor, int k, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var (values, places) = IndexFunctions.topK(axis, k, tensor);
        return (values, places);
    }

    /// <summary>Integer classes as rows of zeros with a one, in a new last axis.</summary>
    /// <param name="classes">Integers from 0 to <paramref name="count"/> − 1; others are an error.</param>
    /// <param name="count">The number of classes.</param>
    /// <param name="dtype">The element type of the rows.</param>
    /// <example><code>var targets = labels.OneHot(10);   // n becomes n×10</code></example>
    public static Tensor OneHot(this Tensor classes, int count, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(classes);
        return IndexFunctions.oneHot(dtype, count, classes);
    }
}
