using System.Numerics;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// Reading and adding at places named by an array of indices (Int32 or Int64). An index outside its axis is an error
/// that says where it stands; nothing is wrapped or clamped. Additions are done in the order of the indices, so equal
/// inputs give equal bits on any number of threads.
/// </summary>
public static unsafe class Indexing
{
    /// <summary>Takes whole slices of x along an axis: y has the shape x[..axis) ++ index ++ x(axis..].</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of the axis − 1.</exception>
    public static void Gather(NDArray x, NDArray index, int axis, NDArray y)
    {
        var places = Places("gather", index, x.Shape, axis);
        Slices(x, places, Extent.Of(x.Shape, axis), y, scatter: false);
    }

    /// <summary>
    /// The transpose of <see cref="Gather"/>: adds slices of updates into y, zero at first, along an axis. Of Bool
    /// arrays the sum is "or".
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in 0 .. size of y's axis − 1.</exception>
    public static void ScatterAdd(NDArray updates, NDArray index, int axis, NDArray y)
    {
        var places = Places("scatterAdd", index, y.Shape, axis);
        y.Storage!.Span<byte>().Clear();
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
        var places = Places("scatterAlong", index, y.Shape, axis);
        y.Storage!.Span<byte>().Clear();
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

    private static ArgumentOutOfRangeException Outside(string operation, long value, int flat, NDArray index, int[] shape, int axis)
    {
        var position = new int[index.Rank];
        for (var i = index.Rank - 1; i >= 0; i--) (flat, position[i]) = Math.DivRem(flat, index.Shape[i]);
        return new ArgumentOutOfRangeException(
            nameof(index),
            $"{operation}: index {value} at position [{string.Join(", ", position)}] is outside axis {axis} of size {shape[axis]} (array {string.Join("×", shape)})");
    }

    private static void Slices(NDArray moved, ReadOnlySpan<int> places, Extent extent, NDArray y, bool scatter)
    {
        var (source, target) = (moved.InStorage().Storage!, y.Storage!);
        fixed (byte* from = source, to = target)
        fixed (int* at = places)
        {
            if (!scatter) GatherSlices(from, at, places.Length, extent, moved.DType.Size(), to);
            else
            {
                switch (moved.DType)
                {
                    case DType.Float32: AddSlices((float*)from, at, places.Length, extent, (float*)to); break;
                    case DType.Float64: AddSlices((double*)from, at, places.Length, extent, (double*)to); break;
                    case DType.Int32: AddSlices((int*)from, at, places.Length, extent, (int*)to); break;
                    case DType.Int64: AddSlices((long*)from, at, places.Length, extent, (long*)to); break;
                    default: AddSlices((Truth*)from, at, places.Length, extent, (Truth*)to); break;
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
                case DType.Float32: Along((float*)from, at, count, extent, (float*)to, scatter); break;
                case DType.Float64: Along((double*)from, at, count, extent, (double*)to, scatter); break;
                case DType.Int32: Along((int*)from, at, count, extent, (int*)to, scatter); break;
                case DType.Int64: Along((long*)from, at, count, extent, (long*)to, scatter); break;
                default: Along((Truth*)from, at, count, extent, (Truth*)to, scatter); break;
            }
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    private static void GatherSlices(byte* from, int* at, int count, Extent extent, int elementSize, byte* to)
    {
        var run = (long)extent.Inner * elementSize;
        for (var outer = 0; outer < extent.Outer; outer++, from += extent.Size * run)
        {
            for (var i = 0; i < count; i++, to += run) Buffer.MemoryCopy(from + at[i] * run, to, run, run);
        }
    }

    private static void AddSlices<T>(T* from, int* at, int count, Extent extent, T* to)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        for (var outer = 0; outer < extent.Outer; outer++, to += (nint)extent.Size * extent.Inner)
        {
            for (var i = 0; i < count; i++, from += extent.Inner)
            {
                var sum = to + (nint)at[i] * extent.Inner;
                for (var j = 0; j < extent.Inner; j++) sum[j] += from[j];
            }
        }
    }

    private static void Along<T>(T* from, int* at, int count, Extent extent, T* to, bool scatter)
        where T : unmanaged, IAdditionOperators<T, T, T>
    {
        var inner = (nint)extent.Inner;
        for (var outer = 0; outer < extent.Outer; outer++)
        {
            for (var i = 0; i < count; i++, at += inner)
            {
                if (scatter)
                {
                    for (nint j = 0; j < inner; j++) to[at[j] * inner + j] += from[j];
                    from += inner;
                }
                else
                {
                    for (nint j = 0; j < inner; j++) to[j] = from[at[j] * inner + j];
                    to += inner;
                }
            }

            if (scatter) to += extent.Size * inner;
            else from += extent.Size * inner;
        }
    }

    /// <summary>A Bool element, whose sum is "or".</summary>
    private readonly struct Truth(byte value) : IAdditionOperators<Truth, Truth, Truth>
    {
        private readonly byte value = value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Truth operator +(Truth a, Truth b) => new((byte)(a.value | b.value));
    }
}
