using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>
/// Max-pooling of images that lie channels last, [n, space.., channels], with one to three axes of space: the plan of given
/// sizes. A window that lies in the padding altogether gives −∞; NaN wins; of equal values the first counts.
/// </summary>
public sealed unsafe class PoolingPlan
{
    private readonly PoolingShape shape;

    /// <summary>A plan for the shapes of the images x and of the result y.</summary>
    /// <param name="size">The window's size along every axis of space.</param>
    /// <param name="strides">How far the window moves, at least 1.</param>
    /// <param name="dilations">How far the window's places lie apart, at least 1.</param>
    /// <param name="low">How far the first window reaches out of the image.</param>
    /// <param name="x">The shape of the images.</param>
    /// <param name="y">The shape of the result.</param>
    public PoolingPlan(int[] size, int[] strides, int[] dilations, int[] low, int[] x, int[] y)
    {
        shape = new(size, strides, dilations, low, x, y);
    }

    /// <summary>y = the maximum of every window.</summary>
    public void Max(NDArray x, NDArray y) => Run(PoolingKind.Max, x, null, y);

    /// <summary>y = the element of t where x has the maximum of the window.</summary>
    public void Pick(NDArray t, NDArray x, NDArray y) => Run(PoolingKind.Pick, x, t.Storage, y);

    /// <summary>z, of the shape of x, = the sum of the elements of t whose window has its maximum there: the transpose of Pick.</summary>
    public void Place(NDArray t, NDArray x, NDArray z) => Run(PoolingKind.Place, x, t.Storage, z);

    private void Run(PoolingKind kind, NDArray x, Storage? t, NDArray result)
    {
        if (result.Size == 0) return;
        fixed (byte* px = x.Storage, pt = t, presult = result.Storage)
        {
            if (x.DType == DType.Float32) Run(kind, (float*)px, (float*)pt, (float*)presult);
            else if (x.DType == DType.Float64) Run(kind, (double*)px, (double*)pt, (double*)presult);
            else throw new NotSupportedException($"maxPool: not defined for {x.DType}; cast to a float type");
        }
        Storage.KeepAlive(x.Storage, t, result.Storage);
    }

    private void Run<T>(PoolingKind kind, T* x, T* t, T* result)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated) Pooling<Simd512<T>, T>.Run(kind, shape, x, t, result);
        else if (Vector256.IsHardwareAccelerated) Pooling<Simd256<T>, T>.Run(kind, shape, x, t, result);
        else Pooling<Simd128<T>, T>.Run(kind, shape, x, t, result);
    }
}

internal enum PoolingKind : byte
{
    Max,
    Pick,
    Place,
}

/// <summary>The sizes of a pooling; always three axes of space, the first ones of size 1 where fewer were given.</summary>
internal sealed class PoolingShape
{
    public PoolingShape(int[] size, int[] strides, int[] dilations, int[] low, int[] x, int[] y)
    {
        var missing = ConvolutionShape.Axes - size.Length;
        for (var i = 0; i < ConvolutionShape.Axes; i++)
        {
            var own = i - missing;
            Space[i] = own < 0
                ? new(1, 1, 1, 1, 1, 0)
                : new(x[own + 1], y[own + 1], size[own], strides[own], dilations[own], low[own]);
        }
        Tiles = Array.TrueForAll(Space, axis => axis.Low == 0 && axis.Dilation == 1 && axis.Stride == axis.Kernel && axis.Output * axis.Kernel == axis.Input);
        Examples = x[0];
        Channels = x[^1];
    }

    public ConvolutionAxis[] Space { get; } = new ConvolutionAxis[ConvolutionShape.Axes];

    public int Examples { get; }

    public int Channels { get; }

    /// <summary>Whether the windows lie side by side and cover the image, every place once.</summary>
    public bool Tiles { get; }

    public int Window => Space[0].Kernel * Space[1].Kernel * Space[2].Kernel;

    public nint Inputs => (nint)Space[0].Input * Space[1].Input * Space[2].Input * Channels;

    public nint Outputs => (nint)Space[0].Output * Space[1].Output * Space[2].Output * Channels;
}
