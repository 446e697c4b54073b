using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Lanes of 512 bits: AVX-512.</summary>
internal readonly unsafe struct Simd512<T>(Vector512<T> value) : ISimd<Simd512<T>, T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector512<T> value = value;

    public static int Count => Vector512<T>.Count;

    public T First => value.ToScalar();

    [MethodImpl(Inline)]
    public static Simd512<T> Load(T* from) => new(Vector512.Load(from));

    [MethodImpl(Inline)]
    public static Simd512<T> Load(T* from, int count) => Load(from, count, default);

    [MethodImpl(Inline)]
    public static Simd512<T> Load(T* from, int count, Simd512<T> absent)
    {
        if (Avx512F.IsSupported && sizeof(T) == 4)
        {
            var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count));
            return new(Avx512F.MaskLoad((int*)from, mask, absent.value.AsInt32()).As<int, T>());
        }
        if (Avx512F.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count));
            return new(Avx512F.MaskLoad((long*)from, mask, absent.value.AsInt64()).As<long, T>());
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
        if (Avx512F.IsSupported && sizeof(T) == 4)
        {
            var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count));
            Avx512F.MaskStore((int*)to, mask, value.AsInt32());
            return;
        }
        if (Avx512F.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count));
            Avx512F.MaskStore((long*)to, mask, value.AsInt64());
            return;
        }
        var whole = value;
        Unsafe.CopyBlockUnaligned(to, &whole, (uint)(count * sizeof(T)));
    }

    [MethodImpl(Inline)]
    public static Simd512<T> LoadTruths(byte* from)
    {
        if (sizeof(T) == 1) return new(~Vector512.Equals(Vector512.Load(from), Vector512<byte>.Zero).As<byte, T>());
        return new(sizeof(T) == 4
            ? ~Vector512.Equals(Avx512F.ConvertToVector512Int32(Vector128.Load(from)), Vector512<int>.Zero).As<int, T>()
            : ~Vector512.Equals(Avx512F.ConvertToVector512Int64(Vector128.CreateScalar(*(ulong*)from).AsByte()), Vector512<long>.Zero).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd512<T> All(T value) => new(Vector512.Create(value));

    [MethodImpl(Inline)]
    public static Simd512<T> One(T value) => new(Vector512.CreateScalar(value));

    [MethodImpl(Inline)]
    public static Simd512<T> Of(double constant) => new(
        typeof(T) == typeof(float) ? Vector512.Create((float)constant).As<float, T>()
        : typeof(T) == typeof(int) ? Vector512.Create((int)constant).As<int, T>()
        : typeof(T) == typeof(long) ? Vector512.Create((long)constant).As<long, T>()
        : Vector512.Create(constant).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> OfBits(int bits) => new(
        sizeof(T) == 4 ? Vector512.Create(bits).As<int, T>() : Vector512.Create((long)bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> operator +(Simd512<T> a, Simd512<T> b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator -(Simd512<T> a, Simd512<T> b) => new(a.value - b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator *(Simd512<T> a, Simd512<T> b) => new(a.value * b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator /(Simd512<T> a, Simd512<T> b) => new(a.value / b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator -(Simd512<T> a) => new(-a.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator &(Simd512<T> a, Simd512<T> b) => new(a.value & b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator |(Simd512<T> a, Simd512<T> b) => new(a.value | b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator ^(Simd512<T> a, Simd512<T> b) => new(a.value ^ b.value);

    [MethodImpl(Inline)]
    public static Simd512<T> operator ~(Simd512<T> a) => new(~a.value);

    [MethodImpl(Inline)]
    public static Simd512<T> Fma(Simd512<T> a, Simd512<T> b, Simd512<T> c) => new(typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Abs(Simd512<T> a) => new(Vector512.Abs(a.value));

    [MethodImpl(Inline)]
    public static Simd512<T> Sqrt(Simd512<T> a) => new(Vector512.Sqrt(a.value));

    [MethodImpl(Inline)]
    public static Simd512<T> Floor(Simd512<T> a) => new(typeof(T) == typeof(float)
        ? Vector512.Floor(a.value.AsSingle()).As<float, T>()
        : Vector512.Floor(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Ceiling(Simd512<T> a) => new(typeof(T) == typeof(float)
        ? Vector512.Ceiling(a.value.AsSingle()).As<float, T>()
        : Vector512.Ceiling(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Round(Simd512<T> a) => new(typeof(T) == typeof(float)
        ? Vector512.Round(a.value.AsSingle()).As<float, T>()
        : Vector512.Round(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Max(Simd512<T> a, Simd512<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector512.Max(a.value, b.value));
        return Select(Equal(a, a), new(Vector512.MaxNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Min(Simd512<T> a, Simd512<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector512.Min(a.value, b.value));
        return Select(Equal(a, a), new(Vector512.MinNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd512<T> AtMost(Simd512<T> a, Simd512<T> high)
    {
        // The processor's own minimum answers with its second operand when either is NaN: keep the value there.
        return new(Vector512.MinNative(high.value, a.value));
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Clamp(Simd512<T> a, Simd512<T> low, Simd512<T> high) =>
        AtMost(new(Vector512.MaxNative(low.value, a.value)), high);

    [MethodImpl(Inline)]
    public static Simd512<T> Equal(Simd512<T> a, Simd512<T> b) => new(Vector512.Equals(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd512<T> Less(Simd512<T> a, Simd512<T> b) => new(Vector512.LessThan(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd512<T> LessOrEqual(Simd512<T> a, Simd512<T> b) => new(Vector512.LessThanOrEqual(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd512<T> Select(Simd512<T> mask, Simd512<T> a, Simd512<T> b) =>
        new(Vector512.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(Inline)]
    public static ulong MaskBits(Simd512<T> mask) => mask.value.ExtractMostSignificantBits();

    [MethodImpl(Inline)]
    public static T Fold<TOp>(Simd512<T> a)
        where TOp : struct, IBinary =>
        Simd256<T>.Fold<TOp>(TOp.Of<Simd256<T>, T>(new(a.value.GetLower()), new(a.value.GetUpper())));

    [MethodImpl(Inline)]
    public static Simd512<T> Scale(Simd512<T> x, Simd512<T> n)
    {
        if (Avx512F.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx512F.Scale(x.value.AsSingle(), n.value.AsSingle()).As<float, T>()
                : Avx512F.Scale(x.value.AsDouble(), n.value.AsDouble()).As<double, T>());
        }
        // In two steps of half the size: each power is a normal number, and only the last product rounds.
        var half = Floor(n * Of(0.5));
        return x * Power2(half) * Power2(n - half);
    }

    /// <summary>2ⁿ by writing n into the exponent: the sum's last bits are n plus the bias.</summary>
    [MethodImpl(Inline)]
    private static Simd512<T> Power2(Simd512<T> n) => typeof(T) == typeof(float)
        ? ShiftLeft(n + Of(12582912 + 127), 23)
        : ShiftLeft(n + Of(6755399441055744 + 1023), 52);

    [MethodImpl(Inline)]
    public static Simd512<T> AddBits(Simd512<T> a, Simd512<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() + b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() + b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> SubtractBits(Simd512<T> a, Simd512<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() - b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() - b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> ShiftLeft(Simd512<T> a, int bits) => new(sizeof(T) == 4
        ? Vector512.ShiftLeft(a.value.AsInt32(), bits).As<int, T>()
        : Vector512.ShiftLeft(a.value.AsInt64(), bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> ShiftRight(Simd512<T> a, int bits) => new(sizeof(T) == 4
        ? Vector512.ShiftRightArithmetic(a.value.AsInt32(), bits).As<int, T>()
        : Vector512.ShiftRightArithmetic(a.value.AsInt64(), bits).As<long, T>());
}
