namespace Functional.Kernels;

/// <summary>Sorting and selecting along an axis, stable: of equal elements the first stays first.</summary>
public static class Sorting
{
    /// <summary>
    /// The order of the elements along an axis, as Int32 indices; of every line as many as y has room for, the first
    /// ones. NaN comes last, whichever the direction.
    /// </summary>
    public static void ArgSort(NDArray x, int axis, bool descending, NDArray y)
    {
        switch (x.DType)
        {
            case DType.Float32: Sort(x.AsSpan<float>(), x.Shape, axis, y, new FloatKeys(), descending); break;
            case DType.Float64: Sort(x.AsSpan<double>(), x.Shape, axis, y, new DoubleKeys(), descending); break;
            case DType.Int32: Sort(x.AsSpan<int>(), x.Shape, axis, y, new IntKeys(), descending); break;
            case DType.Int64: Sort(x.AsSpan<long>(), x.Shape, axis, y, new LongKeys(), descending); break;
            default: Sort(x.AsSpan<byte>(), x.Shape, axis, y, new BoolKeys(), descending); break;
        }

        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>A monotone map from elements to unsigned integers: what is sorted.</summary>
    private interface IKeys<T>
    {
        ulong Of(T element, bool descending);
    }

    private readonly struct FloatKeys : IKeys<float>
    {
        public ulong Of(float element, bool descending) => new DoubleKeys().Of(element, descending);
    }

    private readonly struct DoubleKeys : IKeys<double>
    {
        public ulong Of(double element, bool descending)
        {
            if (double.IsNaN(element)) return ulong.MaxValue;
            // −0 + 0 is +0: the two zeros are equal and must stay in order.
            var bits = BitConverter.DoubleToInt64Bits(element + 0.0);
            var key = (ulong)(bits ^ ((bits >> 63) | long.MinValue));
            return descending ? ~key : key;
        }
    }

    private readonly struct IntKeys : IKeys<int>
    {
        public ulong Of(int element, bool descending) => new LongKeys().Of(element, descending);
    }

    private readonly struct LongKeys : IKeys<long>
    {
        public ulong Of(long element, bool descending)
        {
            var key = (ulong)(element ^ long.MinValue);
            return descending ? ~key : key;
        }
    }

    private readonly struct BoolKeys : IKeys<byte>
    {
        public ulong Of(byte element, bool descending) => descending ? 1UL - element : element;
    }

    private static void Sort<T, TKeys>(ReadOnlySpan<T> x, int[] shape, int axis, NDArray y, TKeys map, bool descending)
        where T : unmanaged
        where TKeys : struct, IKeys<T>
    {
        var (outer, inner, size, count) = (1, 1, shape[axis], y.Shape[axis]);
        for (var i = 0; i < axis; i++) outer *= shape[i];
        for (var i = axis + 1; i < shape.Length; i++) inner *= shape[i];
        var result = y.Storage!.Span<int>();
        var keys = new ulong[size];
        var order = new int[size];
        for (var line = 0; line < outer * inner; line++)
        {
            var (o, j) = Math.DivRem(line, inner);
            for (var i = 0; i < size; i++)
            {
                keys[i] = map.Of(x[(o * size + i) * inner + j], descending);
                order[i] = i;
            }

            keys.AsSpan().Sort(order.AsSpan());
            // The sort is not stable; equal keys stand together, and their indices are put in order.
            for (var first = 0; first < size;)
            {
                var end = first + 1;
                while (end < size && keys[end] == keys[first]) end++;
                if (end - first > 1) order.AsSpan(first, end - first).Sort();
                first = end;
            }

            for (var i = 0; i < count; i++) result[(o * count + i) * inner + j] = order[i];
        }
    }
}
