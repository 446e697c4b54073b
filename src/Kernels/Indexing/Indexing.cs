using System.Buffers;
using System.Numerics;

namespace Functional.Kernels;

/// <summary>
/// Reading and adding at places named by an array of indices (Int32 or Int64). An index outside its axis is an error
/// that says where it stands; nothing is wrapped or clamped. Additions are done in the order of the indices, so equal
/// inputs give equal bits on any number of threads; many of Float32 to one place are made in double precision.
/// </summary>
public static unsafe class Indexing
{
    /// <summary>Takes whole slices of x along an axis: y has the shape x[..axis) ++ index ++ x(axis..].</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of the axis − 1.</exception>
    public static void Gather(NDArray x, NDArray index, int axis, NDArray y)
    {
        var places = Places("take", index, x.Shape, axis);
        Slices(x, places, Extent.Of(x.Shape, axis), y, scatter: false);
    }

    /// <summary>
    /// The transpose of <see cref="Gather"/>: adds slices of updates into y, zero at first, along an axis. Of Bool
    /// arrays the sum is "or".
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of y's axis − 1.</exception>
    public static void ScatterAdd(NDArray updates, NDArray index, int axis, NDArray y)
    {
        var places = Places("scatter", index, y.Shape, axis);
        Layout.Clear(y);
        Slices(updates, places, Extent.Of(y.Shape, axis), y, scatter: true);
    }

    /// <summary>Takes single elements of x along an axis: y[.., i, ..] = x[.., index[.., i, ..], ..], as take_along_axis of NumPy.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of the axis − 1.</exception>
    public static void GatherAlong(NDArray x, NDArray index, int axis, NDArray y)
    {
        var places = Places("gatherAlong", index, x.Shape, axis);
        Along(x, places, Extent.Of(x.Shape, axis), index.Shape[axis], y, scatter: false);
    }

    /// <summary>The transpose of <see cref="GatherAlong"/>: y[.., index[.., i, ..], ..] += updates[.., i, ..], y zero at first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of y's axis − 1.</exception>
    public static void ScatterAlong(NDArray updates, NDArray index, int axis, NDArray y)
    {
        var places = Places("scatter", index, y.Shape, axis);
        Layout.Clear(y);
        Along(updates, places, Extent.Of(y.Shape, axis), index.Shape[axis], y, scatter: true);
    }

    /// <summary>A shape seen from one of its axes.</summary>
    private readonly record struct Extent(int Outer, int Size, int Inner)
    {
        public static Extent Of(int[] shape, int axis)
        {
            var (outer, inner) = (1, 1);
            for (var i = 0; i < axis; i++) outer *= shape[i];
            for (var i = axis + 1; i < shape.Length; i++) inner *= shape[i];
            return new Extent(outer, shape[axis], inner);
        }
    }

    /// <summary>The indices as Int32, all known to be inside the axis.</summary>
    private static ReadOnlySpan<int> Places(string operation, NDArray index, int[] shape, int axis)
    {
        var size = shape[axis];
        if (index.DType == DType.Int32)
        {
            var places = index.AsSpan<int>();
            for (var i = 0; i < places.Length; i++)
            {
                if ((uint)places[i] >= (uint)size) throw Outside(operation, places[i], i, index, shape, axis);
            }

            return places;
        }

        var wide = index.AsSpan<long>();
        var narrow = new int[wide.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            if ((ulong)wide[i] >= (ulong)size) throw Outside(operation, wide[i], i, index, shape, axis);
            narrow[i] = (int)wide[i];
        }

        return narrow;
    }

    /// <summary>
    /// The axis is counted from the end, where it has the same number under vmap, which puts one more in front. A scatter has
    /// one name with its counterpart "along", which is what vmap may make of it; taking has the names that are called, and of
    /// places that differ between the examples of a batch a take is a gatherAlong.
    /// </summary>
    private static ArgumentOutOfRangeException Outside(string operation, long value, int flat, NDArray index, int[] shape, int axis)
    {
        var position = new int[index.Rank];
        for (var i = index.Rank - 1; i >= 0; i--) (flat, position[i]) = Math.DivRem(flat, index.Shape[i]);
        return new ArgumentOutOfRangeException(
            null,
            $"{operation}: index {value} at position [{string.Join(", ", position)}] is outside axis {axis - shape.Length} of size {shape[axis]}");
    }

    private static void Slices(NDArray moved, ReadOnlySpan<int> places, Extent extent, NDArray y, bool scatter)
    {
        var (source, target) = (moved.InStorage().Storage!, y.Storage!);
        fixed (byte* from = source, to = target)
        fixed (int* at = places)
        {
            if (!scatter)
            {
                var work = new IndexingWork.Take(from, at, places.Length, extent.Outer, extent.Size, (nint)extent.Inner * moved.DType.Size(), to);
                Run(work.Chunks, ref work);
            }
            else
            {
                switch (moved.DType)
                {
                    case DType.Float32: Add<float>(from, at, places.Length, extent, to); break;
                    case DType.Float64: Add<double>(from, at, places.Length, extent, to); break;
                    case DType.Int32: Add<int>(from, at, places.Length, extent, to); break;
                    case DType.Int64: Add<long>(from, at, places.Length, extent, to); break;
                    default: Add<IndexingWork.Truth>(from, at, places.Length, extent, to); break;
                }
            }
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    private static void Along(NDArray moved, ReadOnlySpan<int> places, Extent extent, int count, NDArray y, bool scatter)
    {
        var (source, target) = (moved.InStorage().Storage!, y.Storage!);
        fixed (byte* from = source, to = target)
        fixed (int* at = places)
        {
            switch (moved.DType)
            {
                case DType.Float32: Along<float>(from, at, count, extent, to, scatter); break;
                case DType.Float64: Along<double>(from, at, count, extent, to, scatter); break;
                case DType.Int32: Along<int>(from, at, count, extent, to, scatter); break;
                case DType.Int64: Along<long>(from, at, count, extent, to, scatter); break;
                default: Along<IndexingWork.Truth>(from, at, count, extent, to, scatter); break;
            }
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    private static void Add<T>(byte* from, int* at, int count, Extent extent, byte* to)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        var wide = 0;
        var rows = typeof(T) == typeof(float) && count > IndexingWork.Many ? RowsOfBusyPlaces(at, count, extent.Size, out wide) : null;
        fixed (int* row = rows)
        {
            var work = new IndexingWork.Add<T>((T*)from, at, count, extent.Outer, extent.Size, extent.Inner, (T*)to, row, wide);
            Run(work.Chunks, ref work);
        }

        if (rows is not null) ArrayPool<int>.Shared.Return(rows);
    }

    /// <summary>The places that many indices name, numbered; the others are −1. Null if there are none.</summary>
    private static int[]? RowsOfBusyPlaces(int* at, int count, int size, out int busy)
    {
        var rows = ArrayPool<int>.Shared.Rent(size);
        Array.Clear(rows, 0, size);
        for (var i = 0; i < count; i++) rows[at[i]]++;
        busy = 0;
        for (var place = 0; place < size; place++) rows[place] = rows[place] > IndexingWork.Many ? busy++ : -1;
        if (busy > 0) return rows;
        ArrayPool<int>.Shared.Return(rows);
        return null;
    }

    private static void Along<T>(byte* from, int* at, int count, Extent extent, byte* to, bool scatter)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        var work = new IndexingWork.Along<T>((T*)from, at, count, extent.Outer, extent.Size, extent.Inner, (T*)to, scatter);
        Run(work.Chunks, ref work);
    }

    private static void Run<TBody>(int chunks, ref TBody work)
        where TBody : struct, IChunks
    {
        if (chunks == 1) work.Run(0);
        else Workers.Run(chunks, ref work);
    }
}
