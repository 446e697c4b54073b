namespace Functional.Kernels;

/// <summary>Elementwise kernels. Operands broadcast to the shape of the result; the result is preallocated storage.</summary>
public static class Elementwise
{
    public static void Unary(Unary op, NDArray x, NDArray y)
    {
        x = x.InStorage();
        for (int i = 0, n = y.Size; i < n; i++)
            if (x.DType.IsFloat()) Put(y, i, Scalars.Float(op, GetFloat(x, i), x.DType));
            else Put(y, i, Scalars.Integer(op, GetInteger(x, i), x.DType));
    }

    public static void Binary(Binary op, NDArray a, NDArray b, NDArray y)
    {
        int[] ia = Indices(a, y), ib = Indices(b, y);
        (a, b) = (a.InStorage(), b.InStorage());
        for (int i = 0, n = y.Size; i < n; i++)
            if (a.DType.IsFloat()) Put(y, i, Scalars.Float(op, GetFloat(a, ia[i]), GetFloat(b, ib[i]), a.DType));
            else Put(y, i, Scalars.Integer(op, GetInteger(a, ia[i]), GetInteger(b, ib[i]), a.DType));
    }

    public static void Compare(Comparison op, NDArray a, NDArray b, NDArray y)
    {
        int[] ia = Indices(a, y), ib = Indices(b, y);
        (a, b) = (a.InStorage(), b.InStorage());
        for (int i = 0, n = y.Size; i < n; i++)
            Put(y, i, a.DType.IsFloat() ? Scalars.Holds(op, GetFloat(a, ia[i]), GetFloat(b, ib[i])) : Scalars.Holds(op, GetInteger(a, ia[i]), GetInteger(b, ib[i])));
    }

    public static void Select(NDArray mask, NDArray a, NDArray b, NDArray y)
    {
        int[] im = Indices(mask, y), ia = Indices(a, y), ib = Indices(b, y);
        (mask, a, b) = (mask.InStorage(), a.InStorage(), b.InStorage());
        for (int i = 0, n = y.Size; i < n; i++)
        {
            var (x, j) = GetInteger(mask, im[i]) != 0 ? (a, ia[i]) : (b, ib[i]);
            if (x.DType.IsFloat()) Put(y, i, GetFloat(x, j)); else Put(y, i, GetInteger(x, j));
        }
    }

    public static void Cast(NDArray x, NDArray y)
    {
        x = x.InStorage();
        for (int i = 0, n = y.Size; i < n; i++)
        {
            var scalar = x.DType.IsFloat() ? NDArray.OfFloat(GetFloat(x, i), x.DType) : NDArray.OfInteger(GetInteger(x, i), x.DType);
            scalar = Scalars.Cast(scalar, y.DType);
            if (y.DType.IsFloat()) Put(y, i, scalar.Float); else Put(y, i, scalar.Bits);
        }
    }

    /// <summary>y = a + s·b, all of one shape.</summary>
    public static void AddScaled(double s, NDArray a, NDArray b, NDArray y)
    {
        (a, b) = (a.InStorage(), b.InStorage());
        for (int i = 0, n = y.Size; i < n; i++) Put(y, i, GetFloat(a, i) + s * GetFloat(b, i));
    }

    public static void Fill(NDArray y, NDArray scalar)
    {
        for (int i = 0, n = y.Size; i < n; i++)
            if (y.DType.IsFloat()) Put(y, i, scalar.Float); else Put(y, i, scalar.Bits);
    }

    internal static double GetFloat(NDArray x, int i) => x.DType == DType.Float32 ? x.Storage!.Span<float>()[i] : x.Storage!.Span<double>()[i];

    internal static long GetInteger(NDArray x, int i) => x.DType switch
    {
        DType.Int32 => x.Storage!.Span<int>()[i],
        DType.Int64 => x.Storage!.Span<long>()[i],
        _ => x.Storage!.Span<byte>()[i],
    };

    internal static void Put(NDArray y, int i, double value)
    {
        if (y.DType == DType.Float32) y.Storage!.Span<float>()[i] = (float)value;
        else y.Storage!.Span<double>()[i] = value;
    }

    internal static void Put(NDArray y, int i, long value)
    {
        if (y.DType == DType.Int32) y.Storage!.Span<int>()[i] = (int)value;
        else if (y.DType == DType.Int64) y.Storage!.Span<long>()[i] = value;
        else y.Storage!.Span<byte>()[i] = (byte)value;
    }

    internal static int[] Indices(NDArray x, NDArray y)
    {
        var rank = y.Rank;
        var strides = new int[rank];
        for (int axis = x.Rank - 1, stride = 1; axis >= 0; stride *= x.Shape[axis--])
            strides[axis + rank - x.Rank] = x.Shape[axis] == 1 ? 0 : stride;
        var indices = new int[y.Size];
        for (var i = 0; i < indices.Length; i++)
            for (int axis = rank - 1, rest = i; axis >= 0; rest /= y.Shape[axis--])
                indices[i] += rest % y.Shape[axis] * strides[axis];
        return indices;
    }
}
