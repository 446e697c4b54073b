namespace Functional.Kernels;

/// <summary>
/// The sizes of a convolution of x [n, space.., channels] with w [window.., channels / groups, features] to
/// y [n, space.., features]; there are always three axes of space, the first ones of size 1 where fewer were given.
/// </summary>
internal sealed class ConvolutionShape
{
    public const int Axes = 3;

    public ConvolutionShape(int[] strides, int[] dilations, int[] low, int groups, int[] x, int[] w, int[] y)
    {
        var missing = Axes - strides.Length;
        for (var i = 0; i < Axes; i++)
        {
            var own = i - missing;
            Space[i] = own < 0
                ? new(1, 1, 1, 1, 1, 0)
                : new(x[own + 1], y[own + 1], w[own], strides[own], dilations[own], low[own]);
        }
        Examples = x[0];
        Groups = groups;
        Channels = x[^1];
        Features = y[^1];
    }

    public ConvolutionAxis[] Space { get; } = new ConvolutionAxis[Axes];

    public int Examples { get; }

    public int Groups { get; }

    public int Channels { get; }

    public int Features { get; }

    /// <summary>Whether every feature sees one channel of its own, so that channels go side by side through a vector.</summary>
    public bool IsDepthwise => Groups > 1 && Groups == Channels && Groups == Features;

    /// <summary>Places in the window.</summary>
    public int Window => Space[0].Kernel * Space[1].Kernel * Space[2].Kernel;

    /// <summary>Multiply-adds.</summary>
    public long Work =>
        (long)Examples * Space[0].Output * Space[1].Output * Space[2].Output * Window * (Channels / Math.Max(1, Groups)) * Features;
}
