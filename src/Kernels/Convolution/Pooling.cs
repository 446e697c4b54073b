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

/// <summary>Max-pooling with vectors of one width, image by image.</summary>
internal unsafe struct Pooling<V, T> : IChunks
    where V : struct, ISimd<V, T>
{
    private readonly PoolingKind kind;
    private readonly PoolingShape shape;
    private readonly T* x, t, result;

    private Pooling(PoolingKind kind, PoolingShape shape, T* x, T* t, T* result)
    {
        this.kind = kind;
        this.shape = shape;
        this.x = x;
        this.t = t;
        this.result = result;
    }

    public static void Run(PoolingKind kind, PoolingShape shape, T* x, T* t, T* result)
    {
        var body = new Pooling<V, T>(kind, shape, x, t, result);
        ConvolutionPlan.Share((long)(4.0 * shape.Examples * shape.Outputs * shape.MostReached), shape.Examples, ref body);
    }

    /// <summary>One image. Windows that lie in it altogether are taken a row at a time, those that reach out one by one.</summary>
    public readonly void Run(int example)
    {
        nint inputs = example * shape.Inputs, output = example * shape.Outputs;
        if (kind == PoolingKind.Place && !shape.Tiles) new Span<T>(result + inputs, (int)shape.Inputs).Clear();
        var few = stackalloc nint[shape.MostReached <= Scratch.Few ? shape.MostReached : 0];
        var reached = shape.MostReached <= Scratch.Few ? few : Scratch.List(shape.MostReached);
        fixed (nint* places = shape.Places)
        {
            var row = new PoolingWindows { Places = places, Count = shape.Places.Length, Step = shape.Step, Channels = shape.Channels };
            var one = new PoolingWindows { Places = reached, Windows = 1, Channels = shape.Channels };
            var (from, to) = shape.Inside(2);
            row.Windows = to - from;
            for (var i = 0; i < shape.Space[0].Output; i++)
            {
                for (var j = 0; j < shape.Space[1].Output; j++)
                {
                    var inside = row.Windows > 0 && shape.IsInside(0, i) && shape.IsInside(1, j);
                    for (var k = 0; k < shape.Space[2].Output;)
                    {
                        if (inside && k == from)
                        {
                            Run(row, inputs + shape.Begin(i, j, k), output);
                            k = to;
                            output += (nint)row.Windows * shape.Channels;
                        }
                        else
                        {
                            one.Count = shape.Reached(i, j, k, reached);
                            Run(one, inputs, output);
                            k++;
                            output += shape.Channels;
                        }
                    }
                }
            }
        }
    }

    private readonly void Run(in PoolingWindows windows, nint input, nint output)
    {
        switch (kind)
        {
            case PoolingKind.Max: PoolingWindows<V, T>.Max(windows, x + input, result + output); break;
            case PoolingKind.Pick: PoolingWindows<V, T>.Pick(windows, x + input, t + input, result + output); break;
            default: PoolingWindows<V, T>.Place(windows, x + input, t + output, result + input, !shape.Tiles); break;
        }
    }
}
