// Sums of numbers in single precision that are kept in double: as many as one likes, of any sizes.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Functional.Kernels;

/// <summary>Sums in double precision of numbers in single precision.</summary>
internal static unsafe class WideSums
{
    /// <summary>sums[i] += x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, double* sums, nint count)
    {
        nint i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(x + i));
            (Vector256.Load(sums + i) + low).Store(sums + i);
            (Vector256.Load(sums + i + Vector256<double>.Count) + high).Store(sums + i + Vector256<double>.Count);
        }
        for (; i < count; i++) sums[i] += x[i];
    }
}
