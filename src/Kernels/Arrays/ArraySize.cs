// How large arrays may be. Every shape that a caller asks for is checked here, once, when it is made; behind that kernels
// count in 32 bits, and no product of some of a shape's sizes can leave them.
using System.Globalization;
using System.Numerics;

namespace Functional.Kernels;

/// <summary>The number of elements and bytes of shapes, counted without a wrap, and what is said of those that cannot be.</summary>
public static class ArraySize
{
    /// <summary>The most bytes, and so the most elements, that one array holds: 2 GB, less what the runtime keeps.</summary>
    public const int Limit = int.MaxValue - 64;

    /// <summary>Whether an array can have a shape: sizes of 0 or more whose product, not counting zeros, is within the limit.</summary>
    /// <remarks>Zeros do not count, so that strides and products over a part of the axes are within it, too.</remarks>
    public static bool IsPossible(int[] shape)
    {
        long count = 1;
        foreach (var size in shape)
        {
            if (size < 0) return false;
            if (size != 0) count *= size;
            if (count > Limit) return false;
        }
        return true;
    }

    /// <summary>The number of elements of a shape.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No array can have this shape.</exception>
    public static int Count(int[] shape)
    {
        long count = 1;
        var isEmpty = false;
        foreach (var size in shape)
        {
            if (size == 0) isEmpty = true;
            else count *= size;
            if (size < 0 || count > Limit) throw Impossible(null, shape);
        }
        return isEmpty ? 0 : (int)count;
    }

    /// <summary>The bytes of a shape that is possible; they may be more than one array holds.</summary>
    public static long Bytes(int[] shape, DType type) => (long)Count(shape) * type.Size();

    /// <summary>What is wrong with a shape that no array can have, said by an operation.</summary>
    public static ArgumentOutOfRangeException Impossible(string? operation, int[] shape) =>
        Impossible(operation, Array.ConvertAll(shape, size => (long)size));

    /// <summary>The same of sizes that were worked out, and may be too large for a shape.</summary>
    public static ArgumentOutOfRangeException Impossible(string? operation, long[] sizes)
    {
        var negative = Array.FindIndex(sizes, size => size < 0);
        if (negative >= 0) return new(null, $"{Start(operation)}{sizes[negative]} in the shape {Show(sizes)} is no size; a size is 0 or more");
        var product = sizes.Where(size => size != 0).Aggregate(BigInteger.One, (a, b) => a * b);
        var but = sizes.Contains(0) ? " along the axes that are not empty" : "";
        return new(null, $"{Start(operation)}an array of shape {Show(sizes)} would have {Number(product)} elements{but}; one array holds at most 2 GB");
    }

    /// <summary>What is said of a possible shape whose elements take more bytes than one array holds.</summary>
    public static ArgumentOutOfRangeException TooLarge(string? operation, int[] shape, DType type) =>
        new(null, $"{Start(operation)}an array of shape {Show(shape)} ({type}) would take {Number((BigInteger)Bytes(shape, type))} bytes; one array holds at most 2 GB");

    /// <summary>A shape for people: <c>2×3</c>, <c>[3]</c> with one axis, <c>scalar</c> with none.</summary>
    public static string Show(int[] shape) => Show(Array.ConvertAll(shape, size => (long)size));

    /// <summary>The same of sizes in words.</summary>
    public static string Show(string[] sizes) => sizes.Length switch
    {
        0 => "scalar",
        1 => $"[{sizes[0]}]",
        _ => string.Join("×", sizes),
    };

    private static string Show(long[] sizes) => Show(Array.ConvertAll(sizes, Plain));

    private static string Plain(long size) => size.ToString(CultureInfo.InvariantCulture);

    private static string Number(BigInteger n) => n.ToString("N0", CultureInfo.InvariantCulture);

    private static string Start(string? operation) => operation is null ? "" : operation + ": ";
}
