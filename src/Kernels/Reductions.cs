namespace Functional.Kernels;

/// <summary>Reductions, running reductions and places of extremes.</summary>
public static class Reductions
{
    public static void Reduce(Reduction op, NDArray x, int[] axes, NDArray y)
    {
        var type = x.DType;
        if (type == DType.Bool && op is not (Reduction.Max or Reduction.Min) || !type.IsFloat() && op == Reduction.LogSumExp)
            throw ElementwiseFunctions.Undefined(op, type);
        x = x.InStorage();
        var to = Targets(x, axes);
        int m = y.Size, n = x.Size;
        if (type.IsFloat())
        {
            var s = new double[m];
            Array.Fill(s, op switch { Reduction.Sum => 0.0, Reduction.Prod => 1, Reduction.Min => double.PositiveInfinity, _ => double.NegativeInfinity });
            for (var i = 0; i < n; i++)
            {
                var v = GetFloat(x, i);
                ref var t = ref s[to[i]];
                t = op switch { Reduction.Sum => t + v, Reduction.Prod => t * v, Reduction.Min => Math.Min(t, v), _ => Math.Max(t, v) };
            }
            if (op == Reduction.LogSumExp)
            {
                var e = new double[m];
                for (var i = 0; i < n; i++) e[to[i]] += Math.Exp(GetFloat(x, i) - s[to[i]]);
                for (var j = 0; j < m; j++)
                    if (double.IsFinite(s[j])) s[j] += Math.Log(e[j]);
            }
            for (var j = 0; j < m; j++) Put(y, j, s[j]);
        }
        else
        {
            var (low, high) = type switch { DType.Int32 => (int.MinValue, int.MaxValue), DType.Int64 => (long.MinValue, long.MaxValue), _ => (0L, 1L) };
            var s = new long[m];
            Array.Fill(s, op switch { Reduction.Sum => 0, Reduction.Prod => 1, Reduction.Min => high, _ => low });
            for (var i = 0; i < n; i++)
            {
                var v = GetInteger(x, i);
                ref var t = ref s[to[i]];
                t = op switch { Reduction.Sum => t + v, Reduction.Prod => t * v, Reduction.Min => Math.Min(t, v), _ => Math.Max(t, v) };
            }
            for (var j = 0; j < m; j++) Put(y, j, s[j]);
        }
    }

    /// <summary>The sum over axes of a·b, which broadcast against each other.</summary>
    public static void SumProduct(NDArray a, NDArray b, int[] axes, NDArray y)
    {
        var rank = Math.Max(a.Rank, b.Rank);
        var shape = new int[rank];
        for (var axis = 0; axis < rank; axis++)
        {
            int p = axis - rank + a.Rank, q = axis - rank + b.Rank;
            var size = p < 0 ? 1 : a.Shape[p];
            shape[axis] = q >= 0 && size == 1 ? b.Shape[q] : size;
        }
        var product = NDArray.Allocate(shape, a.DType);
        Elementwise.Binary(Binary.Mul, a, b, product);
        Reduce(Reduction.Sum, product, axes, y);
    }

    public static void ArgReduce(ArgReduction op, NDArray x, int axis, NDArray y)
    {
        if (x.DType == DType.Bool) throw ElementwiseFunctions.Undefined(op, x.DType);
        var (outer, size, inner) = Around(x, axis);
        if (size == 0 && y.Size > 0) throw new ArgumentException($"{op.ToString().ToLowerInvariant()}: axis {axis} of shape {string.Join("×", x.Shape)} is empty");
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < inner; i++)
            {
                var best = 0;
                for (var k = 1; k < size; k++)
                {
                    int p = (o * size + best) * inner + i, q = (o * size + k) * inner + i;
                    var sign = op == ArgReduction.ArgMax ? 1 : -1;
                    bool better;
                    if (x.DType.IsFloat())
                    {
                        double u = GetFloat(x, p), v = GetFloat(x, q);
                        better = sign * v > sign * u || double.IsNaN(v) && !double.IsNaN(u);
                    }
                    else better = GetInteger(x, q).CompareTo(GetInteger(x, p)) * sign > 0;
                    if (better) best = k;
                }
                Put(y, o * inner + i, (long)best);
            }
    }

    public static void Cumulate(Cumulation op, NDArray x, int axis, bool reverse, NDArray y)
    {
        if (x.DType == DType.Bool) throw ElementwiseFunctions.Undefined(op, x.DType);
        var (outer, size, inner) = Around(x, axis);
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < inner; i++)
            {
                var (f, n) = op == Cumulation.Sum ? (0.0, 0L) : (1.0, 1L);
                for (var k = 0; k < size; k++)
                {
                    var p = (o * size + (reverse ? size - 1 - k : k)) * inner + i;
                    if (x.DType.IsFloat())
                    {
                        var v = GetFloat(x, p);
                        f = op == Cumulation.Sum ? f + v : f * v;
                        Put(y, p, f);
                    }
                    else
                    {
                        var v = GetInteger(x, p);
                        n = op == Cumulation.Sum ? n + v : n * v;
                        Put(y, p, n);
                    }
                }
            }
    }

    /// <summary>exp(x − max) / Σ exp(x − max) along an axis.</summary>
    public static void Softmax(NDArray x, int axis, NDArray y)
    {
        var (outer, size, inner) = Around(x, axis);
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < inner; i++)
            {
                double max = double.NegativeInfinity, sum = 0;
                for (var k = 0; k < size; k++) max = Math.Max(max, GetFloat(x, (o * size + k) * inner + i));
                for (var k = 0; k < size; k++) sum += Math.Exp(GetFloat(x, (o * size + k) * inner + i) - max);
                for (var k = 0; k < size; k++)
                    Put(y, (o * size + k) * inner + i, Math.Exp(GetFloat(x, (o * size + k) * inner + i) - max) / sum);
            }
    }

    /// <summary>s·(t − Σ t·s) along an axis: the derivative of softmax, linear in t.</summary>
    public static void SoftmaxScale(NDArray t, NDArray s, int axis, NDArray y)
    {
        var (outer, size, inner) = Around(t, axis);
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < inner; i++)
            {
                double sum = 0;
                for (var k = 0; k < size; k++)
                    sum += GetFloat(t, (o * size + k) * inner + i) * GetFloat(s, (o * size + k) * inner + i);
                for (var k = 0; k < size; k++)
                {
                    var p = (o * size + k) * inner + i;
                    Put(y, p, GetFloat(s, p) * (GetFloat(t, p) - sum));
                }
            }
    }

    private static (int Outer, int Size, int Inner) Around(NDArray x, int axis)
    {
        int outer = 1, inner = 1;
        for (var i = 0; i < axis; i++) outer *= x.Shape[i];
        for (var i = axis + 1; i < x.Rank; i++) inner *= x.Shape[i];
        return (outer, x.Shape[axis], inner);
    }

    private static int[] Targets(NDArray x, int[] axes)
    {
        var rank = x.Rank;
        var strides = new int[rank];
        for (int axis = rank - 1, stride = 1; axis >= 0; axis--)
            if (!axes.Contains(axis))
            {
                strides[axis] = stride;
                stride *= x.Shape[axis];
            }
        var targets = new int[x.Size];
        for (var i = 0; i < targets.Length; i++)
            for (int axis = rank - 1, rest = i; axis >= 0; rest /= x.Shape[axis--])
                targets[i] += rest % x.Shape[axis] * strides[axis];
        return targets;
    }

    private static double GetFloat(NDArray x, int i) => x.DType == DType.Float32 ? x.Storage!.Span<float>()[i] : x.Storage!.Span<double>()[i];

    private static long GetInteger(NDArray x, int i) => x.DType switch
    {
        DType.Int32 => x.Storage!.Span<int>()[i],
        DType.Int64 => x.Storage!.Span<long>()[i],
        _ => x.Storage!.Span<byte>()[i],
    };

    private static void Put(NDArray y, int i, double value)
    {
        if (y.DType == DType.Float32) y.Storage!.Span<float>()[i] = (float)value;
        else y.Storage!.Span<double>()[i] = value;
    }

    private static void Put(NDArray y, int i, long value)
    {
        if (y.DType == DType.Int32) y.Storage!.Span<int>()[i] = (int)value;
        else if (y.DType == DType.Int64) y.Storage!.Span<long>()[i] = value;
        else y.Storage!.Span<byte>()[i] = (byte)value;
    }
}
