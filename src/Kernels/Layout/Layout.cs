using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// Functions that move elements and compute nothing: every one is a strided copy (<see cref="LayoutCopy"/>) from the
/// input to a preallocated, contiguous output of the right shape. Elements are told apart by their size only.
/// </summary>
[SkipLocalsInit]
public static unsafe class Layout
{
    /// <summary>Axis i of y is axis <paramref name="perm"/>[i] of x.</summary>
    public static void Transpose(NDArray x, int[] perm, NDArray y)
    {
        Span<nint> strides = stackalloc nint[x.Rank];
        Strides(x.Shape, strides);
        Span<CopyAxis> axes = stackalloc CopyAxis[y.Rank];
        Dense(y.Shape, axes);
        for (var i = 0; i < axes.Length; i++) axes[i].From = strides[perm[i]];
        Copy(x, 0, y, 0, axes);
    }

    /// <summary>Repeats x along new leading axes and along its axes of size 1 (NumPy's rule: shapes align at the end).</summary>
    public static void Broadcast(NDArray x, NDArray y)
    {
        Span<nint> strides = stackalloc nint[x.Rank];
        Strides(x.Shape, strides);
        Span<CopyAxis> axes = stackalloc CopyAxis[y.Rank];
        Dense(y.Shape, axes);
        var added = y.Rank - x.Rank;
        for (var i = 0; i < axes.Length; i++) axes[i].From = i < added || x.Shape[i - added] == 1 ? 0 : strides[i - added];
        Copy(x, 0, y, 0, axes);
    }

    /// <summary>Every <paramref name="steps"/>[i]-th element of axis i, from <paramref name="starts"/>[i]; as many as y has.</summary>
    public static void Slice(NDArray x, int[] starts, int[] steps, NDArray y)
    {
        Span<nint> strides = stackalloc nint[x.Rank];
        Strides(x.Shape, strides);
        Span<CopyAxis> axes = stackalloc CopyAxis[y.Rank];
        Dense(y.Shape, axes);
        nint offset = 0;
        for (var i = 0; i < axes.Length; i++)
        {
            offset += starts[i] * strides[i];
            axes[i].From = steps[i] * strides[i];
        }

        Copy(x, offset, y, 0, axes);
    }

    /// <summary>
    /// x between zeros: element i of an axis comes to low + i·(interior + 1). The transpose of <see cref="Slice"/> with
    /// starts = low and steps = interior + 1.
    /// </summary>
    public static void Pad(NDArray x, int[] low, int[] interior, NDArray y)
    {
        if (y.Size > x.Size) Clear(y);
        Span<nint> strides = stackalloc nint[y.Rank];
        Strides(y.Shape, strides);
        Span<CopyAxis> axes = stackalloc CopyAxis[x.Rank];
        Dense(x.Shape, axes);
        nint offset = 0;
        for (var i = 0; i < axes.Length; i++)
        {
            offset += low[i] * strides[i];
            axes[i].From = axes[i].To;
            axes[i].To = (interior[i] + 1) * strides[i];
        }

        Copy(x, 0, y, offset, axes);
    }

    /// <summary>x with the order of elements turned round along some axes.</summary>
    public static void Reverse(NDArray x, int[] axes, NDArray y)
    {
        Span<CopyAxis> copied = stackalloc CopyAxis[y.Rank];
        Dense(y.Shape, copied);
        nint offset = 0;
        for (var i = 0; i < copied.Length; i++) copied[i].From = copied[i].To;
        foreach (var axis in axes)
        {
            offset += (y.Shape[axis] - 1) * copied[axis].To;
            copied[axis].From = -copied[axis].To;
        }

        Copy(x, offset, y, 0, copied);
    }

    /// <summary>The arrays one after another along an axis; y's size there is the sum of theirs.</summary>
    public static void Concat(NDArray[] xs, int axis, NDArray y)
    {
        nint offset = 0;
        foreach (var x in xs)
        {
            Beside(x, y, 0, offset, x.Shape, x.Shape, y.Shape);
            offset += Inner(x.Shape, axis);
        }
    }

    /// <summary>The parts of x along an axis, one after another; the sizes there add up to x's. The transpose of <see cref="Concat"/>.</summary>
    public static void Split(NDArray x, int axis, NDArray[] ys)
    {
        nint offset = 0;
        foreach (var y in ys)
        {
            Beside(x, y, offset, 0, y.Shape, x.Shape, y.Shape);
            offset += Inner(y.Shape, axis);
        }
    }

    /// <summary>Sets all elements to zero.</summary>
    internal static void Clear(NDArray y)
    {
        var target = y.Storage!;
        fixed (byte* t = target) LayoutCopy.Clear(t, target.ByteLength);
        GC.KeepAlive(target);
    }

    /// <summary>Copies a box between two arrays of which at least one is larger than the box.</summary>
    private static void Beside(NDArray x, NDArray y, nint from, nint to, int[] box, int[] source, int[] target)
    {
        Span<nint> sourceStrides = stackalloc nint[box.Length];
        Span<nint> targetStrides = stackalloc nint[box.Length];
        Strides(source, sourceStrides);
        Strides(target, targetStrides);
        Span<CopyAxis> axes = stackalloc CopyAxis[box.Length];
        for (var i = 0; i < axes.Length; i++) axes[i] = new CopyAxis(box[i], sourceStrides[i], targetStrides[i]);
        Copy(x, from, y, to, axes);
    }

    private static void Copy(NDArray x, nint from, NDArray y, nint to, Span<CopyAxis> axes)
    {
        var (source, target) = (x.InStorage().Storage!, y.Storage!);
        var size = x.DType.Size();
        fixed (byte* s = source, t = target) LayoutCopy.Run(s + from * size, t + to * size, size, axes);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>The row-major strides of a shape, in elements.</summary>
    private static void Strides(int[] shape, Span<nint> strides)
    {
        nint stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
    }

    /// <summary>Axes that write a contiguous array of a shape; where they read is still open.</summary>
    private static void Dense(int[] shape, Span<CopyAxis> axes)
    {
        nint stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            axes[i] = new CopyAxis(shape[i], 0, stride);
            stride *= shape[i];
        }
    }

    private static nint Inner(int[] shape, int axis)
    {
        nint inner = 1;
        for (var i = axis; i < shape.Length; i++) inner *= shape[i];
        return inner;
    }
}
