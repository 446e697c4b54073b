namespace Functional.Kernels;

/// <summary>Max-pooling with vectors of one width: channels go side by side through a vector.</summary>
internal unsafe struct Pooling<V, T> : IChunks
    where V : unmanaged, ISimd<V, T>
    where T : unmanaged
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
        ConvolutionPlan.Share(4L * shape.Examples * shape.Outputs * shape.Window, shape.Examples, ref body);
    }

    /// <summary>One image.</summary>
    public readonly void Run(int example)
    {
        nint inputs = example * shape.Inputs, outputs = example * shape.Outputs;
        T* image = x + inputs, given = t, to = result;
        switch (kind)
        {
            case PoolingKind.Max:
                to += outputs;
                break;
            case PoolingKind.Pick:
                given += inputs;
                to += outputs;
                break;
            default:
                given += outputs;
                to += inputs;
                if (!shape.Tiles) new Span<T>(to, (int)shape.Inputs).Clear();
                break;
        }
        var places = stackalloc nint[shape.Window];
        var channels = shape.Channels;
        ref readonly ConvolutionAxis d = ref shape.Space[0], h = ref shape.Space[1], w = ref shape.Space[2];
        nint output = 0;
        for (var i = 0; i < d.Output; i++)
        {
            for (var j = 0; j < h.Output; j++)
            {
                for (var k = 0; k < w.Output; k++, output += channels)
                {
                    var count = Places(i, j, k, places);
                    switch (kind)
                    {
                        case PoolingKind.Max: Max(image, places, count, channels, to + output); break;
                        case PoolingKind.Pick: Pick(image, given, places, count, channels, to + output); break;
                        default: Place(image, given + output, places, count, channels, to, shape.Tiles); break;
                    }
                }
            }
        }
    }

    // The places of a window that lie in the image.
    private readonly int Places(int i, int j, int k, nint* places)
    {
        var (dFrom, dTo) = Inside(shape.Space[0], i);
        var (hFrom, hTo) = Inside(shape.Space[1], j);
        var (wFrom, wTo) = Inside(shape.Space[2], k);
        nint channels = shape.Channels, step = shape.Space[2].Dilation * channels;
        var count = 0;
        for (var a = dFrom; a < dTo; a++)
        {
            for (var b = hFrom; b < hTo; b++)
            {
                var plane = (nint)At(shape.Space[0], i, a) * shape.Space[1].Input;
                var place = (((plane + At(shape.Space[1], j, b)) * shape.Space[2].Input) + At(shape.Space[2], k, wFrom)) * channels;
                for (var c = wFrom; c < wTo; c++, place += step) places[count++] = place;
            }
        }
        return count;
    }

    private static int At(in ConvolutionAxis axis, int output, int tap) => (output * axis.Stride) - axis.Low + (tap * axis.Dilation);

    private static (int From, int To) Inside(in ConvolutionAxis axis, int output)
    {
        var first = At(axis, output, 0);
        if (first >= 0 && At(axis, output, axis.Kernel - 1) < axis.Input) return (0, axis.Kernel);
        var from = first >= 0 ? 0 : (axis.Dilation - 1 - first) / axis.Dilation;
        var to = axis.Input <= first ? 0 : (axis.Input - first + axis.Dilation - 1) / axis.Dilation;
        return (from, Math.Min(to, axis.Kernel));
    }

    private static void Max(T* image, nint* places, int count, int channels, T* y)
    {
        var c = 0;
        for (; c + V.Count <= channels; c += V.Count)
        {
            var best = V.Of(double.NegativeInfinity);
            for (var p = 0; p < count; p++) best = V.Max(best, V.Load(image + places[p] + c));
            best.Store(y + c);
        }
        if (c == channels) return;
        var rest = channels - c;
        var last = V.Of(double.NegativeInfinity);
        for (var p = 0; p < count; p++) last = V.Max(last, V.Load(image + places[p] + c, rest));
        last.Store(y + c, rest);
    }

    // Lanes where a new value is to replace the best so far: where it is larger, or the first that is NaN.
    private static V Wins(V value, V best) => ~V.LessOrEqual(value, best) & V.Equal(best, best);

    private static void Pick(T* image, T* given, nint* places, int count, int channels, T* y)
    {
        for (var c = 0; c < channels; c += V.Count)
        {
            var rest = Math.Min(V.Count, channels - c);
            V best = V.Of(double.NegativeInfinity), picked = count == 0 ? V.Of(0) : Load(given + places[0] + c, rest);
            for (var p = 0; p < count; p++)
            {
                var value = Load(image + places[p] + c, rest);
                var wins = Wins(value, best);
                best = V.Select(wins, value, best);
                picked = V.Select(wins, Load(given + places[p] + c, rest), picked);
            }
            Store(picked, y + c, rest);
        }
    }

    // Where windows overlap, or leave places out, the sums of the places begin at zero; else each place is written once.
    private static void Place(T* image, T* given, nint* places, int count, int channels, T* z, bool once)
    {
        for (var c = 0; c < channels; c += V.Count)
        {
            var rest = Math.Min(V.Count, channels - c);
            V best = V.Of(double.NegativeInfinity), number = V.Of(0), winner = V.Of(0), one = V.Of(1);
            for (var p = 0; p < count; p++)
            {
                var value = Load(image + places[p] + c, rest);
                var wins = Wins(value, best);
                best = V.Select(wins, value, best);
                winner = V.Select(wins, number, winner);
                number += one;
            }
            var share = Load(given + c, rest);
            number = V.Of(0);
            for (var p = 0; p < count; p++)
            {
                var to = z + places[p] + c;
                var part = V.Equal(winner, number) & share;
                Store(once ? part : Load(to, rest) + part, to, rest);
                number += one;
            }
        }
    }

    private static V Load(T* from, int count) => count == V.Count ? V.Load(from) : V.Load(from, count);

    private static void Store(V value, T* to, int count)
    {
        if (count == V.Count) value.Store(to);
        else value.Store(to, count);
    }
}
