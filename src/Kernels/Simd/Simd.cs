using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>
/// A few numbers side by side that the processor handles in one instruction. Every kernel and every vector function is
/// written once over this interface and made for three widths. All widths do the same IEEE operations (a fused
/// multiply-add is one everywhere), so the value of an element depends neither on its place nor on the width.
/// Masks are lanes with all bits set or none. The bit operations see each lane as an integer of its size.
/// </summary>
/// <remarks>
/// T is a number, and here, in what implements this, and in what is written over it nothing says so: the ready-to-run compiler
/// finds the static members of a generic type or function over a primitive only where the parameter has no constraint.
/// Numbers may be pointed to all the same (which is warning CS8500 where it is not known that they are numbers).
/// </remarks>
internal unsafe interface ISimd<V, T>
    where V : struct, ISimd<V, T>
{
    static abstract int Count { get; }

    static abstract V Load(T* from);

    /// <summary>The first <paramref name="count"/> lanes from memory, zeros in the others; reads nothing beyond.</summary>
    static abstract V Load(T* from, int count);

    static abstract V All(T value);

    /// <summary>The first <paramref name="count"/> lanes from memory, the others from <paramref name="absent"/>.</summary>
    static abstract V Load(T* from, int count, V absent);

    /// <summary>A value in the first lane, zeros in the others.</summary>
    static abstract V One(T value);

    /// <summary>A constant, rounded to the element type.</summary>
    static abstract V Of(double constant);

    static abstract V OfBits(int bits);

    /// <summary>A mask: the lanes whose truth value (a byte each) is not 0.</summary>
    static abstract V LoadTruths(byte* from);

    void Store(T* to);

    void Store(T* to, int count);

    T First { get; }

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    static abstract V operator -(V a);

    static abstract V operator &(V a, V b);

    static abstract V operator |(V a, V b);

    static abstract V operator ^(V a, V b);

    static abstract V operator ~(V a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract V Fma(V a, V b, V c);

    static abstract V Abs(V a);

    static abstract V Sqrt(V a);

    static abstract V Floor(V a);

    static abstract V Ceiling(V a);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract V Round(V a);

    /// <summary>NaN if either is NaN.</summary>
    static abstract V Max(V a, V b);

    /// <summary>NaN if either is NaN.</summary>
    static abstract V Min(V a, V b);

    /// <summary>Values up to a bound; NaN stays NaN.</summary>
    static abstract V AtMost(V a, V high);

    /// <summary>Values between two bounds; NaN stays NaN.</summary>
    static abstract V Clamp(V a, V low, V high);

    static abstract V Equal(V a, V b);

    static abstract V Less(V a, V b);

    static abstract V LessOrEqual(V a, V b);

    static abstract V Select(V mask, V a, V b);

    /// <summary>One bit a lane.</summary>
    static abstract ulong MaskBits(V mask);

    /// <summary>All lanes combined into one number, halves first.</summary>
    static abstract T Fold<TOp>(V a)
        where TOp : struct, IBinary;

    /// <summary>x·2ⁿ for integral n, at most twice the largest exponent, rounded once: overflows to infinity, underflows through the denormals.</summary>
    static abstract V Scale(V x, V n);

    static abstract V AddBits(V a, V b);

    static abstract V SubtractBits(V a, V b);

    static abstract V ShiftLeft(V a, int bits);

    /// <summary>An arithmetic shift: the sign bit is copied.</summary>
    static abstract V ShiftRight(V a, int bits);
}

/// <summary>
/// The constants of a function that a loop keeps in registers, as many as the compiler keeps apart: those that would
/// otherwise be an instruction of their own for every vector. Each function says what its are.
/// </summary>
internal readonly struct Held<V>(V a, V b, V c, V d)
{
    public readonly V A = a, B = b, C = c, D = d;
}

/// <summary>What the widths share.</summary>
internal static unsafe class Simd
{
    /// <summary>Stores <paramref name="count"/> bits as truth values of one byte each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTruths(ulong bits, byte* to, int count)
    {
        for (; count >= 8; count -= 8, bits >>= 8, to += 8) Unsafe.WriteUnaligned(to, Spread(bits));
        if (count == 4) Unsafe.WriteUnaligned(to, (uint)Spread(bits));
        else for (; count > 0; count--, bits >>= 1) *to++ = (byte)(bits & 1);
    }

    /// <summary>Eight bits as eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Spread(ulong bits) => Bmi2.X64.IsSupported
        ? Bmi2.X64.ParallelBitDeposit(bits, 0x0101010101010101)
        : (((bits & 0x7F) * 0x0002040810204081) & 0x0101010101010101) | ((bits & 0x80) << 49);
}
