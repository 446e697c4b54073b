namespace Functional.Kernels;

/// <summary>The sizes of a pooling; always three axes of space, the first ones of size 1 where fewer were given.</summary>
internal sealed unsafe class PoolingShape
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
        // no window of one that is larger than the image lies in it altogether
        var inside = Array.TrueForAll(Space, axis => ((axis.Kernel - 1L) * axis.Dilation) < axis.Input);
        Places = inside ? new nint[(int)Window] : [];
        if (!inside) return;
        var count = 0;
        for (var a = 0; a < Space[0].Kernel; a++)
        {
            for (var b = 0; b < Space[1].Kernel; b++)
            {
                for (var c = 0; c < Space[2].Kernel; c++)
                    Places[count++] = Place(a * Space[0].Dilation, b * Space[1].Dilation, c * Space[2].Dilation);
            }
        }
    }

    public ConvolutionAxis[] Space { get; } = new ConvolutionAxis[ConvolutionShape.Axes];

    public int Examples { get; }

    public int Channels { get; }

    /// <summary>Whether the windows lie side by side and cover the image, every place once.</summary>
    public bool Tiles { get; }

    /// <summary>Places in the window, which may be larger than the image.</summary>
    public double Window => (double)Space[0].Kernel * Space[1].Kernel * Space[2].Kernel;

    /// <summary>The most places of a window that lie in the image.</summary>
    public int MostReached
    {
        get
        {
            var most = 1;
            foreach (var axis in Space) most *= Math.Min(axis.Kernel, axis.Input);
            return most;
        }
    }

    public nint Inputs => (nint)Space[0].Input * Space[1].Input * Space[2].Input * Channels;

    public nint Outputs => (nint)Space[0].Output * Space[1].Output * Space[2].Output * Channels;

    /// <summary>The places of a window, counted from its first one; none where no window lies in the image altogether.</summary>
    public nint[] Places { get; }

    /// <summary>How far a window begins from the one before along the last axis.</summary>
    public nint Step => (nint)Space[2].Stride * Channels;

    /// <summary>Where a window begins; in the padding that is no place of the image.</summary>
    public nint Begin(int i, int j, int k) => Place(At(Space[0], i, 0), At(Space[1], j, 0), At(Space[2], k, 0));

    /// <summary>The windows along an axis that do not reach into the padding.</summary>
    public (int From, int To) Inside(int axis)
    {
        ref readonly var a = ref Space[axis];
        int from = (a.Low + a.Stride - 1) / a.Stride, room = a.Input - 1 - At(a, 0, a.Kernel - 1);
        return (from, room < 0 ? 0 : Math.Min(a.Output, (room / a.Stride) + 1));
    }

    public bool IsInside(int axis, int output)
    {
        var (from, to) = Inside(axis);
        return from <= output && output < to;
    }

    /// <summary>The places of a window that lie in the image, counted from the image's begin; how many there are.</summary>
    public int Reached(int i, int j, int k, nint* places)
    {
        var (dFrom, dTo) = Reached(Space[0], i);
        var (hFrom, hTo) = Reached(Space[1], j);
        var (wFrom, wTo) = Reached(Space[2], k);
        var count = 0;
        for (var a = dFrom; a < dTo; a++)
        {
            for (var b = hFrom; b < hTo; b++)
            {
                for (var c = wFrom; c < wTo; c++)
                    places[count++] = Place(At(Space[0], i, a), At(Space[1], j, b), At(Space[2], k, c));
            }
        }
        return count;
    }

    // The taps of a window that lie in the image, along one axis.
    private static (int From, int To) Reached(in ConvolutionAxis axis, int output)
    {
        var first = At(axis, output, 0);
        var from = first >= 0 ? 0 : (axis.Dilation - 1 - first) / axis.Dilation;
        var to = axis.Input <= first ? 0 : (axis.Input - first + axis.Dilation - 1) / axis.Dilation;
        return (from, Math.Min(to, axis.Kernel));
    }

    private static int At(in ConvolutionAxis axis, int output, int tap) => (output * axis.Stride) - axis.Low + (tap * axis.Dilation);

    private nint Place(int d, int h, int w) => ((((nint)d * Space[1].Input) + h) * Space[2].Input + w) * Channels;
}
