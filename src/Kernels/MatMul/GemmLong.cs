// Products whose sums have very many terms, in pieces: the larger a sum in single precision, the less it takes up of the next
// term, and past 2²⁴ equal terms it takes up nothing.
using System.Buffers;
using System.Numerics;

namespace Functional.Kernels;

/// <summary>Products in single precision whose sums are too long to be made in one.</summary>
internal static unsafe class GemmLong
{
    /// <summary>The terms of a piece, as many as any product makes in one go, and what more terms than are made in pieces.</summary>
    private const int Piece = Gemm.DepthBlock, Long = 8192;

    /// <summary>Whether a product's sums are made in pieces.</summary>
    public static bool IsLong<T>(in Product<T> product)
        where T : unmanaged => typeof(T) == typeof(float) && product.K > Long;

    /// <summary>Computes the product on this thread: the pieces as products of their own, added up in double precision.</summary>
    public static void Run<T>(in Product<T> product)
        where T : unmanaged, INumber<T>
    {
        int m = product.M, n = product.N, count = checked(m * n);
        var pieces = ArrayPool<T>.Shared.Rent(count);
        var sums = ArrayPool<double>.Shared.Rent(count);
        Array.Clear(sums, 0, count);
        fixed (T* of = pieces)
        {
            for (var term = 0; term < product.K; term += Piece)
            {
                var part = product;
                part.K = Math.Min(Piece, product.K - term);
                part.A += term * product.ColumnA;
                part.B += term * product.RowB;
                part.C = of;
                part.RowC = n;
                part.Bias = part.Base = null;
                part.Accumulate = false;
                Gemm.RunHere(part);
                fixed (double* to = sums) WideSums.Add((float*)of, to, count);
            }
        }
        for (var i = 0; i < m; i++)
        {
            var c = product.C + (i * product.RowC);
            for (var j = 0; j < n; j++)
            {
                var start = product.Accumulate ? c[j] : product.Bias != null ? product.Bias[j] : T.Zero;
                var sum = double.CreateTruncating(start) + sums[(i * n) + j];
                if (product.Base != null)
                    sum = double.CreateTruncating(product.Base[(i * product.RowBase) + j]) + (double.CreateTruncating(product.Scale) * sum);
                c[j] = T.CreateTruncating(sum);
            }
        }
        ArrayPool<T>.Shared.Return(pieces);
        ArrayPool<double>.Shared.Return(sums);
    }
}
