using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Lanes of 256 bits: AVX2.</summary>
internal readonly unsafe struct Simd256<T>(Vector256<T> value) : ISimd<Simd256<T>, T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector256<T> value = value;

    public static int Count => Vector256<T>.Count;

    public T First => value.ToScalar();

    [MethodImpl(Inline)]
    public static Simd256<T> Load(T* from) => new(Vector256.Load(from));

    [MethodImpl(Inline)]
    public static Simd256<T> Load(T* from, int count) => Load(from, count, default);

    [MethodImpl(Inline)]
    public static Simd256<T> Load(T* from, int count, Simd256<T> absent)
    {
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            var mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count));
            return new(Vector256.ConditionalSelect(mask, Avx2.MaskLoad((int*)from, mask), absent.value.AsInt32()).As<int, T>());
        }
        if (Avx2.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count));
            return new(Vector256.ConditionalSelect(mask, Avx2.MaskLoad((long*)from, mask), absent.value.AsInt64()).As<long, T>());
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
            var mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count));
            Avx2.MaskStore((int*)to, mask, value.AsInt32());
            return;
        }
        if (Avx2.IsSupported && sizeof(T) == 8)
        {
            var mask = Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count));
            Avx2.MaskStore((long*)to, mask, value.AsInt64());
            return;
        }
        var whole = value;
        Unsafe.CopyBlockUnaligned(to, &whole, (uint)(count * sizeof(T)));
    }

    [MethodImpl(Inline)]
    public static Simd256<T> LoadTruths(byte* from)
    {
        if (sizeof(T) == 1) return new(~Vector256.Equals(Vector256.Load(from), Vector256<byte>.Zero).As<byte, T>());
        return new(sizeof(T) == 4
            ? ~Vector256.Equals(Avx2.ConvertToVector256Int32(Vector128.CreateScalar(*(ulong*)from).AsByte()), Vector256<int>.Zero).As<int, T>()
            : ~Vector256.Equals(Avx2.ConvertToVector256Int64(Vector128.CreateScalar(*(uint*)from).AsByte()), Vector256<long>.Zero).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd256<T> All(T value) => new(Vector256.Create(value));

    [MethodImpl(Inline)]
    public static Simd256<T> One(T value) => new(Vector256.CreateScalar(value));

    [MethodImpl(Inline)]
    public static Simd256<T> Of(double constant) => new(
        typeof(T) == typeof(float) ? Vector256.Create((float)constant).As<float, T>()
        : typeof(T) == typeof(int) ? Vector256.Create((int)constant).As<int, T>()
        : typeof(T) == typeof(long) ? Vector256.Create((long)constant).As<long, T>()
        : Vector256.Create(constant).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> OfBits(int bits) => new(
        sizeof(T) == 4 ? Vector256.Create(bits).As<int, T>() : Vector256.Create((long)bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> operator +(Simd256<T> a, Simd256<T> b) => new(a.value + b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator -(Simd256<T> a, Simd256<T> b) => new(a.value - b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator *(Simd256<T> a, Simd256<T> b) => new(a.value * b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator /(Simd256<T> a, Simd256<T> b) => new(a.value / b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator -(Simd256<T> a) => new(-a.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator &(Simd256<T> a, Simd256<T> b) => new(a.value & b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator |(Simd256<T> a, Simd256<T> b) => new(a.value | b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator ^(Simd256<T> a, Simd256<T> b) => new(a.value ^ b.value);

    [MethodImpl(Inline)]
    public static Simd256<T> operator ~(Simd256<T> a) => new(~a.value);

    [MethodImpl(Inline)]
    public static Simd256<T> Fma(Simd256<T> a, Simd256<T> b, Simd256<T> c) => new(typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a.value.AsDouble(), b.value.AsDouble(), c.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Abs(Simd256<T> a) => new(Vector256.Abs(a.value));

    [MethodImpl(Inline)]
    public static Simd256<T> Sqrt(Simd256<T> a) => new(Vector256.Sqrt(a.value));

    [MethodImpl(Inline)]
    public static Simd256<T> Floor(Simd256<T> a) => new(typeof(T) == typeof(float)
        ? Vector256.Floor(a.value.AsSingle()).As<float, T>()
        : Vector256.Floor(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Ceiling(Simd256<T> a) => new(typeof(T) == typeof(float)
        ? Vector256.Ceiling(a.value.AsSingle()).As<float, T>()
        : Vector256.Ceiling(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Round(Simd256<T> a) => new(typeof(T) == typeof(float)
        ? Vector256.Round(a.value.AsSingle()).As<float, T>()
        : Vector256.Round(a.value.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> Max(Simd256<T> a, Simd256<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector256.Max(a.value, b.value));
        return Select(Equal(a, a), new(Vector256.MaxNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Min(Simd256<T> a, Simd256<T> b)
    {
        // Of floats, the processor's own answers with the second operand when either is NaN.
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double)) return new(Vector256.Min(a.value, b.value));
        return Select(Equal(a, a), new(Vector256.MinNative(a.value, b.value)), a);
    }

    [MethodImpl(Inline)]
    public static Simd256<T> AtMost(Simd256<T> a, Simd256<T> high)
    {
        // The processor's own minimum answers with its second operand when either is NaN: keep the value there.
        return new(Vector256.MinNative(high.value, a.value));
    }

    [MethodImpl(Inline)]
    public static Simd256<T> Clamp(Simd256<T> a, Simd256<T> low, Simd256<T> high) =>
        AtMost(new(Vector256.MaxNative(low.value, a.value)), high);

    [MethodImpl(Inline)]
    public static Simd256<T> Equal(Simd256<T> a, Simd256<T> b) => new(Vector256.Equals(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd256<T> Less(Simd256<T> a, Simd256<T> b) => new(Vector256.LessThan(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd256<T> LessOrEqual(Simd256<T> a, Simd256<T> b) => new(Vector256.LessThanOrEqual(a.value, b.value));

    [MethodImpl(Inline)]
    public static Simd256<T> Select(Simd256<T> mask, Simd256<T> a, Simd256<T> b) =>
        new(Vector256.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(Inline)]
    public static ulong MaskBits(Simd256<T> mask) => mask.value.ExtractMostSignificantBits();

    [MethodImpl(Inline)]
    public static T Fold<TOp>(Simd256<T> a)
        where TOp : struct, IBinary =>
        Simd128<T>.Fold<TOp>(TOp.Of<Simd128<T>, T>(new(a.value.GetLower()), new(a.value.GetUpper())));

    [MethodImpl(Inline)]
    public static Simd256<T> Scale(Simd256<T> x, Simd256<T> n)
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
    private static Simd256<T> Power2(Simd256<T> n) => typeof(T) == typeof(float)
        ? ShiftLeft(n + Of(12582912 + 127), 23)
        : ShiftLeft(n + Of(6755399441055744 + 1023), 52);

    [MethodImpl(Inline)]
    public static Simd256<T> AddBits(Simd256<T> a, Simd256<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() + b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() + b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> SubtractBits(Simd256<T> a, Simd256<T> b) => new(sizeof(T) == 4
        ? (a.value.AsInt32() - b.value.AsInt32()).As<int, T>()
        : (a.value.AsInt64() - b.value.AsInt64()).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> ShiftLeft(Simd256<T> a, int bits) => new(sizeof(T) == 4
        ? Vector256.ShiftLeft(a.value.AsInt32(), bits).As<int, T>()
        : Vector256.ShiftLeft(a.value.AsInt64(), bits).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd256<T> ShiftRight(Simd256<T> a, int bits) => new(sizeof(T) == 4
        ? Vector256.ShiftRightArithmetic(a.value.AsInt32(), bits).As<int, T>()
        : Vector256.ShiftRightArithmetic(a.value.AsInt64(), bits).As<long, T>());
}
