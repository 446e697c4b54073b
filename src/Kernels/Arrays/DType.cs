namespace Functional;

/// <summary>What the elements of an array are.</summary>
public enum DType : byte
{
    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>IEEE 754 double precision.</summary>
    Float64,

    /// <summary>32-bit signed integer; also the type of every index the library makes.</summary>
    Int32,

    /// <summary>64-bit signed integer; also the type of a random key.</summary>
    Int64,

    /// <summary>Truth value, one byte: 0 or 1.</summary>
    Bool,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes an element takes.</summary>
    public static int Size(this DType type) => type switch
    {
        DType.Float32 or DType.Int32 => 4,
        DType.Float64 or DType.Int64 => 8,
        _ => 1,
    };

    /// <summary>Whether derivatives flow through values of this type.</summary>
    public static bool IsFloat(this DType type) => type <= DType.Float64;

    /// <summary>The element type that stands for a .NET type.</summary>
    /// <exception cref="NotSupportedException">The .NET type has no counterpart.</exception>
    public static DType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(bool) || typeof(T) == typeof(byte)) return DType.Bool;
        throw new NotSupportedException($"tensors hold float32, float, int, int64 or bool; {typeof(T).Name} is none of these");
    }
}
