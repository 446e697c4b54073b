using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>Conversions between element types.</summary>
internal static unsafe class ElementwiseCasts
{
    private const int Grain = 16384;

    public static void Run(DType from, byte* x, DType to, byte* y, int count)
    {
        if (from == to) Unsafe.CopyBlockUnaligned(y, x, (uint)(count * from.Size()));
        else
        {
            switch (from)
            {
                case DType.Float32: From<float>(x, to, y, count); break;
                case DType.Float64: From<double>(x, to, y, count); break;
                case DType.Int32: From<int>(x, to, y, count); break;
                case DType.Int64: From<long>(x, to, y, count); break;
                default: From<byte>(x, to, y, count); break;
            }
        }
    }

    private static void From<T>(byte* x, DType to, byte* y, int count)
        where T : unmanaged, INumber<T>
    {
        switch (to)
        {
            case DType.Float32: Pieces<T, float>(x, y, count); break;
            case DType.Float64: Pieces<T, double>(x, y, count); break;
            case DType.Int32: Pieces<T, int>(x, y, count); break;
            case DType.Int64: Pieces<T, long>(x, y, count); break;
            default: Pieces<T, byte>(x, y, count); break;
        }
    }

    private static void Pieces<T, U>(byte* x, byte* y, int count)
        where T : unmanaged, INumber<T>
        where U : unmanaged, INumber<U>
    {
        if (count < 4 * Grain)
        {
            Convert((T*)x, (U*)y, count);
            return;
        }
        var pieces = new CastPieces<T, U> { From = (T*)x, To = (U*)y, Count = count };
        Workers.Run((count - 1) / Grain + 1, ref pieces);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Convert<T, U>(T* x, U* y, nint count)
        where T : unmanaged, INumber<T>
        where U : unmanaged, INumber<U>
    {
        nint i = 0;
        if (typeof(T) == typeof(float) && typeof(U) == typeof(double))
        {
            for (; i <= count - 8; i += 8)
            {
                var (low, high) = Vector256.Widen(Vector256.Load((float*)x + i));
                low.Store((double*)y + i);
                high.Store((double*)y + i + 4);
            }
        }
        else if (typeof(T) == typeof(double) && typeof(U) == typeof(float))
        {
            for (; i <= count - 8; i += 8)
                Vector256.Narrow(Vector256.Load((double*)x + i), Vector256.Load((double*)x + i + 4)).Store((float*)y + i);
        }
        else if (typeof(T) == typeof(int) && typeof(U) == typeof(float))
        {
            for (; i <= count - 8; i += 8) Vector256.ConvertToSingle(Vector256.Load((int*)x + i)).Store((float*)y + i);
        }
        else if (typeof(T) == typeof(byte) && typeof(U) == typeof(float))
        {
            for (; i <= count - 8; i += 8)
            {
                var wide = Vector256.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)((byte*)x + i)).AsByte()).ToVector256());
                Vector256.ConvertToSingle(Vector256.Min(wide, Vector256.Create(1u)).AsInt32()).Store((float*)y + i);
            }
        }
        for (; i < count; i++) y[i] = Convert<T, U>(x[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Convert<T, U>(T x)
        where T : unmanaged, INumber<T>
        where U : unmanaged, INumber<U>
    {
        // A byte is a truth value here. Floats saturate: U.CreateSaturating keeps to the nearest end of the range and maps NaN to 0.
        if (typeof(U) == typeof(byte)) return x != T.Zero ? U.One : U.Zero;
        if (typeof(T) == typeof(long) && typeof(U) == typeof(int)) return U.CreateTruncating(x);
        return U.CreateSaturating(x);
    }

    private struct CastPieces<T, U> : IChunks
        where T : unmanaged, INumber<T>
        where U : unmanaged, INumber<U>
    {
        public T* From;
        public U* To;
        public int Count;

        public readonly void Run(int chunk)
        {
            var start = chunk * Grain;
            Convert(From + start, To + start, Math.Min(Grain, Count - start));
        }
    }
}
