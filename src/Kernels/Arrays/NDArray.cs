using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// An immutable n-dimensional array, row-major and contiguous. A struct, so that a tensor holds it inline.
/// A 0-d array lives in <see cref="Bits"/> and owns no storage at all.
/// </summary>
public readonly struct NDArray
{
    /// <summary>The sizes of the axes; empty for a single number.</summary>
    public readonly int[] Shape;

    /// <summary>The elements; null exactly when the value lives in <see cref="Bits"/>.</summary>
    public readonly Storage? Storage;

    /// <summary>A 0-d value: the bits of a double for both float types, the number itself for integers, 0 or 1 for Bool.</summary>
    public readonly long Bits;

    public readonly DType DType;

    public NDArray(int[] shape, Storage storage, DType type)
    {
        Shape = shape;
        Storage = storage;
        Bits = 0;
        DType = type;
    }

    private NDArray(long bits, DType type)
    {
        Shape = [];
        Storage = null;
        Bits = bits;
        DType = type;
    }

    private NDArray(int[] shape, Storage? storage, long bits, DType type)
    {
        Shape = shape;
        Storage = storage;
        Bits = bits;
        DType = type;
    }

    /// <summary>The parts of an array, put together again (a tensor keeps them as its fields).</summary>
    public static NDArray OfParts(int[] shape, Storage? storage, long bits, DType type) => new(shape, storage, bits, type);

    /// <summary>A 0-d float, rounded to the element type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static NDArray OfFloat(double value, DType type) =>
        new(BitConverter.DoubleToInt64Bits(type == DType.Float32 ? (float)value : value), type);

    /// <summary>A 0-d integer or truth value.</summary>
    public static NDArray OfInteger(long value, DType type) => new(type == DType.Int32 ? (int)value : value, type);

    /// <summary>An array with room for its elements, whose values are not set. Also 0-d arrays get storage here; see <see cref="Settle"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No array can have this shape, or it would take more than 2 GB.</exception>
    public static NDArray Allocate(int[] shape, DType type)
    {
        var bytes = ArraySize.Bytes(shape, type);
        if (bytes > ArraySize.Limit) throw ArraySize.TooLarge(null, shape, type);
        return new(shape, Storage.Allocate((int)bytes), type);
    }

    /// <summary>The same; the default where the array would take more than 2 GB, so that the caller can say what for.</summary>
    public static NDArray TryAllocate(int[] shape, DType type)
    {
        var bytes = ArraySize.Bytes(shape, type);
        return bytes > ArraySize.Limit ? default : new(shape, Storage.Allocate((int)bytes), type);
    }

    public int Rank => Shape.Length;

    /// <summary>The number of elements.</summary>
    public int Size => ArraySize.Count(Shape);

    /// <summary>The inline value of a 0-d float array.</summary>
    public double Float => BitConverter.Int64BitsToDouble(Bits);

    /// <summary>A 0-d result that a kernel wrote into storage, moved inline; any other array as it is.</summary>
    public NDArray Settle()
    {
        if (Storage is null || Shape.Length > 0) return this;
        return DType switch
        {
            DType.Float32 => OfFloat(Storage.Span<float>()[0], DType),
            DType.Float64 => OfFloat(Storage.Span<double>()[0], DType),
            DType.Int32 => OfInteger(Storage.Span<int>()[0], DType),
            DType.Int64 => OfInteger(Storage.Span<long>()[0], DType),
            _ => OfInteger(Storage.Span<byte>()[0], DType),
        };
    }

    /// <summary>The same elements under another shape of the same size.</summary>
    public NDArray Reshape(int[] shape) =>
        shape.Length == 0 ? new NDArray(shape, Storage, Bits, DType).Settle() : new(shape, InStorage().Storage!, DType);

    /// <summary>The array with its elements in storage: a 0-d value is moved there.</summary>
    public NDArray InStorage()
    {
        if (Storage is not null) return this;
        var array = Allocate(Shape, DType);
        switch (DType)
        {
            case DType.Float32: array.Storage!.Span<float>()[0] = (float)Float; break;
            case DType.Float64: array.Storage!.Span<double>()[0] = Float; break;
            case DType.Int32: array.Storage!.Span<int>()[0] = (int)Bits; break;
            case DType.Int64: array.Storage!.Span<long>()[0] = Bits; break;
            default: array.Storage!.Span<byte>()[0] = (byte)Bits; break;
        }
        return array;
    }

    /// <summary>The elements, in row-major order. The span stays good when the array is gone: its memory is never reused.</summary>
    /// <exception cref="InvalidCastException">T is not the .NET type of the elements.</exception>
    public ReadOnlySpan<T> AsSpan<T>()
        where T : unmanaged
    {
        if (DTypes.Of<T>() != DType)
            throw new InvalidCastException($"the elements are {DType}, not {typeof(T).Name}; cast the tensor first");
        var storage = InStorage().Storage!;
        storage.Expose();
        return storage.Span<T>();
    }

    /// <summary>A copy of the elements, in row-major order. Unlike a span it leaves the memory to be reused.</summary>
    /// <exception cref="InvalidCastException">T is not the .NET type of the elements.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (DTypes.Of<T>() != DType)
            throw new InvalidCastException($"the elements are {DType}, not {typeof(T).Name}; cast the tensor first");
        var storage = InStorage().Storage!;
        var copy = storage.Span<T>()[..Size].ToArray();
        GC.KeepAlive(storage);
        return copy;
    }

    /// <summary>A copy of elements under a shape.</summary>
    public static NDArray Of<T>(int[] shape, ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        var array = Allocate(shape, DTypes.Of<T>());
        if (array.Size != elements.Length)
            throw new ArgumentException($"an array of shape {ArraySize.Show(shape)} has {array.Size} elements, {elements.Length} were given");
        elements.CopyTo(array.Storage!.Span<T>());
        return array.Settle();
    }
}
