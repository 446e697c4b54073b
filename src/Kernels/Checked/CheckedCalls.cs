// What the framework's functions on pointers become in checked kernels: a function named TYPE_NAME, with the same parameters,
// takes the call, checks what the original will touch, and calls it with bare addresses. tools/CheckKernels finds these by
// name; a function on pointers that has none here ends the build.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

#pragma warning disable CA1707 // the names are those of the originals
internal static unsafe class CheckedCalls
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static Vector128<T> Vector128_Load<T>(T* from) => Vector128.Load((T*)Checked.At(from, 16));

    [MethodImpl(Inline)]
    public static Vector256<T> Vector256_Load<T>(T* from) => Vector256.Load((T*)Checked.At(from, 32));

    [MethodImpl(Inline)]
    public static Vector512<T> Vector512_Load<T>(T* from) => Vector512.Load((T*)Checked.At(from, 64));

    [MethodImpl(Inline)]
    public static void Vector128_Store<T>(Vector128<T> value, T* to) => value.Store((T*)Checked.At(to, 16));

    [MethodImpl(Inline)]
    public static void Vector256_Store<T>(Vector256<T> value, T* to) => value.Store((T*)Checked.At(to, 32));

    [MethodImpl(Inline)]
    public static void Vector512_Store<T>(Vector512<T> value, T* to) => value.Store((T*)Checked.At(to, 64));

    [MethodImpl(Inline)]
    public static Vector512<int> Avx512F_MaskLoad(int* from, Vector512<int> mask, Vector512<int> merge) =>
        Avx512F.MaskLoad((int*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(int)), mask, merge);

    [MethodImpl(Inline)]
    public static Vector512<long> Avx512F_MaskLoad(long* from, Vector512<long> mask, Vector512<long> merge) =>
        Avx512F.MaskLoad((long*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(long)), mask, merge);

    [MethodImpl(Inline)]
    public static void Avx512F_MaskStore(int* to, Vector512<int> mask, Vector512<int> value) =>
        Avx512F.MaskStore((int*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(int)), mask, value);

    [MethodImpl(Inline)]
    public static void Avx512F_MaskStore(long* to, Vector512<long> mask, Vector512<long> value) =>
        Avx512F.MaskStore((long*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(long)), mask, value);

    [MethodImpl(Inline)]
    public static Vector128<int> Avx2_MaskLoad(int* from, Vector128<int> mask) =>
        Avx2.MaskLoad((int*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(int)), mask);

    [MethodImpl(Inline)]
    public static void Avx2_MaskStore(int* to, Vector128<int> mask, Vector128<int> value) =>
        Avx2.MaskStore((int*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(int)), mask, value);

    [MethodImpl(Inline)]
    public static Vector128<long> Avx2_MaskLoad(long* from, Vector128<long> mask) =>
        Avx2.MaskLoad((long*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(long)), mask);

    [MethodImpl(Inline)]
    public static void Avx2_MaskStore(long* to, Vector128<long> mask, Vector128<long> value) =>
        Avx2.MaskStore((long*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(long)), mask, value);

    [MethodImpl(Inline)]
    public static Vector256<int> Avx2_MaskLoad(int* from, Vector256<int> mask) =>
        Avx2.MaskLoad((int*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(int)), mask);

    [MethodImpl(Inline)]
    public static void Avx2_MaskStore(int* to, Vector256<int> mask, Vector256<int> value) =>
        Avx2.MaskStore((int*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(int)), mask, value);

    [MethodImpl(Inline)]
    public static Vector256<long> Avx2_MaskLoad(long* from, Vector256<long> mask) =>
        Avx2.MaskLoad((long*)Lanes(from, mask.ExtractMostSignificantBits(), sizeof(long)), mask);

    [MethodImpl(Inline)]
    public static void Avx2_MaskStore(long* to, Vector256<long> mask, Vector256<long> value) =>
        Avx2.MaskStore((long*)Lanes(to, mask.ExtractMostSignificantBits(), sizeof(long)), mask, value);

    // A hint reads nothing that anybody sees, and may ask for any place.
    [MethodImpl(Inline)]
    public static void Sse_Prefetch0(void* at) => Sse.Prefetch0(Checked.Bare(at));

    [MethodImpl(Inline)]
    public static void Unsafe_CopyBlockUnaligned(void* to, void* from, uint bytes) =>
        Unsafe.CopyBlockUnaligned(Checked.Bytes(to, bytes), Checked.Bytes(from, bytes), bytes);

    [MethodImpl(Inline)]
    public static void Unsafe_WriteUnaligned<T>(void* to, T value) => Unsafe.WriteUnaligned(Checked.At(to, (uint)sizeof(T)), value);

    [MethodImpl(Inline)]
    public static T Unsafe_ReadUnaligned<T>(void* from) => Unsafe.ReadUnaligned<T>(Checked.At(from, (uint)sizeof(T)));

    [MethodImpl(Inline)]
    public static ref T Unsafe_AsRef<T>(void* at) => ref Unsafe.AsRef<T>(Checked.At(at, (uint)sizeof(T)));

    // Of the reference that was handed out last.
    [MethodImpl(Inline)]
    public static ref TTo Unsafe_As<TFrom, TTo>(ref TFrom from) => ref Unsafe.As<TFrom, TTo>(ref Checked.Noted(ref from, sizeof(TTo)));

    public static void Buffer_MemoryCopy(void* from, void* to, long room, long bytes) =>
        Buffer.MemoryCopy(Checked.Bytes(from, bytes), Checked.Bytes(to, bytes), room, bytes);

    public static Span<T> Span_ctor<T>(void* at, int length) => new(Checked.Bytes(at, length * (long)sizeof(T)), length);

    public static void Span_init<T>(ref Span<T> span, void* at, int length) => span = Span_ctor<T>(at, length);

    public static ref T Span_GetPinnableReference<T>(ref Span<T> span)
    {
        Checked.Note(span.Length * (long)sizeof(T));
        return ref span.GetPinnableReference();
    }

    public static ref readonly T ReadOnlySpan_GetPinnableReference<T>(ref ReadOnlySpan<T> span)
    {
        Checked.Note(span.Length * (long)sizeof(T));
        return ref span.GetPinnableReference();
    }

    // The lanes that are touched, from the first to the last.
    [MethodImpl(Inline)]
    private static void* Lanes(void* at, ulong mask, int size)
    {
        if (mask == 0) return Checked.Bare(at);
        var first = BitOperations.TrailingZeroCount(mask);
        Checked.At((byte*)at + (first * size), (uint)((BitOperations.Log2(mask) + 1 - first) * size));
        return Checked.Bare(at);
    }
}
