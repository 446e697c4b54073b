using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Lanes of 128 bits: every processor; also single numbers, in the first lane.</summary>
internal readonly unsafe struct Simd128<T>(Vector128<T> value) : ISimd<Simd128<T>, T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector128<T> value = value;

    public static int Count => Vector128<T>.Count;

    public T First => value.ToScalar();

    [MethodImpl(Inline)]
    public static Simd128<T> Load(T* from) => new(Vector128.Load(from));

    [MethodImpl(Inline)]
    public static Simd128<T> Load(T* from, int count) => Load(from, count, default);

    [MethodImpl(Inline)]
    public static Simd128<T> Load(T* from, int count, Simd128<T> absent)
    {
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            var mask = Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count));
            return new(Vector128.ConditionalSelect(mask, Avx2.MaskLoad((int*)from, mask), absent.value.AsInt32()).As<int, T>());
        }
        if (Avx2.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count));
            return new(Vector128.ConditionalSelect(mask, Avx2.MaskLoad((long*)from, mask), absent.value.AsInt64()).As<long, T>());
        }
        var whole = absent.value;
        Unsafe.CopyBlockUnaligned(&whole, from, (uint)(count * sizeof(T)));
        return new(whole);
    }

    [MethodImpl(Inline)]
    public void Store(T* to) => value.Store(to);

    [MethodImpl(Inline)]
    public void Store(T* to, int count)
    {
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            var mask = Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count));
            Avx2.MaskStore((int*)to, mask, value.AsInt32());
            return;
        }
        if (Avx2.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count));
            Avx2.MaskStore((long*)to, mask, value.AsInt64());
            return;
        }
        var whole = value;
        Unsafe.CopyBlockUnaligned(to, &whole, (uint)(count * sizeof(T)));
    }

    [MethodImpl(Inline)]
    public static Simd128<T> LoadTruths(byte* from)
    {
        if (sizeof(T) == 1) return new(~Vector128.Equals(Vector128.Load(from), Vector128<byte>.Zero).As<byte, T>());
        return new(sizeof(T) == 4
            ? ~Vector128.Equals(Vector128.Create((int)from[0], from[1], from[2], from[3]), Vector128<int>.Zero).As<int, T>()
            : ~Vector128.Equals(Vector128.Create((long)from[0], from[1]), Vector128<long>.Zero).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd128<T> All(T value) => new(Vector128.Create(value));

    [MethodImpl(Inline)]
    public static Simd128<T> One(T value) => new(Vector128.CreateScalar(value));

    [MethodImpl(Inline)]
    public static Simd128<T> Of(double constant) => new(
        typeof(T) == typeof(float) ? Vector128.Create((float)constant).As<float, T>()
        : typeof(T) == typeof(int) ? Vector128.Create((int)constant).As<int, T>()
        : typeof(T) == typeof(long) ? Vector128.Create((long)constant).As<long, T>()
        : Vector128.Create(constant).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> OfBits(int bits) => new(
        sizeof(T) == 4 ? Vector128.Create(bits).As<int, T>() : Vector128.Create((long)bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> operator +(Simd128<T> a, Simd128<T> b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator -(Simd128<T> a, Simd128<T> b) => new(a.value - b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator *(Simd128<T> a, Simd128<T> b) => new(a.value * b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator /(Simd128<T> a, Simd128<T> b) => new(a.value / b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator -(Simd128<T> a) => new(-a.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator &(Simd128<T> a, Simd128<T> b) => new(a.value & b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator |(Simd128<T> a, Simd128<T> b) => new(a.value | b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator ^(Simd128<T> a, Simd128<T> b) => new(a.value ^ b.value);

    [MethodImpl(Inline)]
    public static Simd128<T> operator ~(Simd128<T> a) => new(~a.value);

    [MethodImpl(Inline)]
    public static Simd128<T> Fma(Simd128<T> a, Simd128<T> b, Simd128<T> c) => new(typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Abs(Simd128<T> a) => new(Vector128.Abs(a.value));

    [MethodImpl(Inline)]
    public static Simd128<T> Sqrt(Simd128<T> a) => new(Vector128.Sqrt(a.value));

    [MethodImpl(Inline)]
    public static Simd128<T> Floor(Simd128<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Floor(a.value.AsSingle()).As<float, T>()
        : Vector128.Floor(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Ceiling(Simd128<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Ceiling(a.value.AsSingle()).As<float, T>()
        : Vector128.Ceiling(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Round(Simd128<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Round(a.value.AsSingle()).As<float, T>()
        : Vector128.Round(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Max(Simd128<T> a, Simd128<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector128.Max(a.value, b.value));
        return Select(Equal(a, a), new(Vector128.MaxNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Min(Simd128<T> a, Simd128<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector128.Min(a.value, b.value));
        return Select(Equal(a, a), new(Vector128.MinNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd128<T> AtMost(Simd128<T> a, Simd128<T> high)
    {
        // The processor's own minimum answers with its second operand when either is NaN: keep the value there.
        return new(Vector128.MinNative(high.value, a.value));
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Clamp(Simd128<T> a, Simd128<T> low, Simd128<T> high) =>
        AtMost(new(Vector128.MaxNative(low.value, a.value)), high);

    [MethodImpl(Inline)]
    public static Simd128<T> Equal(Simd128<T> a, Simd128<T> b) => new(Vector128.Equals(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd128<T> Less(Simd128<T> a, Simd128<T> b) => new(Vector128.LessThan(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd128<T> LessOrEqual(Simd128<T> a, Simd128<T> b) => new(Vector128.LessThanOrEqual(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd128<T> Select(Simd128<T> mask, Simd128<T> a, Simd128<T> b) =>
        new(Vector128.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(Inline)]
    public static ulong MaskBits(Simd128<T> mask) => mask.value.ExtractMostSignificantBits();

    [MethodImpl(Inline)]
    public static T Fold<TOp>(Simd128<T> a)
        where TOp : struct, IBinary
    {
        a = TOp.Of<Simd128<T>, T>(a, new(Vector128.Shuffle(a.value.AsInt64(), Vector128.Create(1L, 0)).As<long, T>()));
        if (sizeof(T) == 8) return a.First;
        a = TOp.Of<Simd128<T>, T>(a, new(Vector128.Shuffle(a.value.AsInt32(), Vector128.Create(1, 0, 3, 2)).As<int, T>()));
        if (sizeof(T) == 4) return a.First;
        a = TOp.Of<Simd128<T>, T>(a, new(Vector128.ShiftRightLogical(a.value.AsInt32(), 16).As<int, T>()));
        return TOp.Of<Simd128<T>, T>(a, new(Vector128.ShiftRightLogical(a.value.AsInt32(), 8).As<int, T>())).First;
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Scale(Simd128<T> x, Simd128<T> n)
    {
        if (Avx512F.VL.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx512F.VL.Scale(x.value.AsSingle(), n.value.AsSingle()).As<float, T>()
                : Avx512F.VL.Scale(x.value.AsDouble(), n.value.AsDouble()).As<double, T>());
        }
        // In two steps of half the size: each power is a normal number, and only the last product rounds.
        var half = Floor(n * Of(0.5));
        return x * Power2(half) * Power2(n - half);
    }

    /// <summary>2ⁿ by writing n into the exponent: the sum's last bits are n plus the bias.</summary>
    [MethodImpl(Inline)]
    private static Simd128<T> Power2(Simd128<T> n) => typeof(T) == typeof(float)
        ? ShiftLeft(n + Of(12582912 + 127), 23)
        : ShiftLeft(n + Of(6755399441055744 + 1023), 52);

    [MethodImpl(Inline)]
    public static Simd128<T> AddBits(Simd128<T> a, Simd128<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() + b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() + b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> SubtractBits(Simd128<T> a, Simd128<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() - b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() - b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> ShiftLeft(Simd128<T> a, int bits) => new(sizeof(T) == 4
        ? Vector128.ShiftLeft(a.value.AsInt32(), bits).As<int, T>()
        : Vector128.ShiftLeft(a.value.AsInt64(), bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> ShiftRight(Simd128<T> a, int bits) => new(sizeof(T) == 4
        ? Vector128.ShiftRightArithmetic(a.value.AsInt32(), bits).As<int, T>()
        : Vector128.ShiftRightArithmetic(a.value.AsInt64(), bits).As<long, T>());
}
