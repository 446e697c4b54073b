// Matrix products of arrays: finds the matrices among the leading axes and hands them to the pointer level.
using System.Numerics;

namespace Functional.Kernels;

/// <summary>Products of the matrices in the last two axes; leading axes broadcast against each other.</summary>
public static unsafe class MatMul
{
    /// <summary>y = op(a)·op(b), where op transposes the last two axes or does nothing.</summary>
    /// <param name="transA">Whether a is given transposed: [..., k, m] instead of [..., m, k].</param>
    /// <param name="transB">Whether b is given transposed: [..., n, k] instead of [..., k, n].</param>
    /// <param name="a">The left factors; at least two axes.</param>
    /// <param name="b">The right factors; at least two axes; leading axes broadcast against those of a.</param>
    /// <param name="y">The products [..., m, n]; allocated, overwritten.</param>
    /// <param name="packed">A copy of b made for products with it, or null.</param>
    public static void Run(bool transA, bool transB, NDArray a, NDArray b, NDArray y, PackedMatrix? packed = null)
    {
        a = a.InStorage();
        b = b.InStorage();
        switch (y.DType)
        {
            case DType.Float32: Run<float>(transA, transB, a, b, y, null, default, 1, packed); break;
            case DType.Float64: Run<double>(transA, transB, a, b, y, null, default, 1, packed); break;
            case DType.Int32: Run<int>(transA, transB, a, b, y, null, default, 1, packed); break;
            case DType.Int64: Run<long>(transA, transB, a, b, y, null, default, 1, packed); break;
            default: throw new NotSupportedException($"matmul: no product of {y.DType} matrices; cast them first");
        }
    }

    /// <summary>y = a·b + bias: a dense layer in one pass.</summary>
    /// <param name="a">The inputs [..., m, k].</param>
    /// <param name="b">The weights [k, n].</param>
    /// <param name="bias">One number for each column of the result [n].</param>
    /// <param name="y">The result [..., m, n]; allocated, overwritten.</param>
    /// <param name="packed">A copy of b made for products with it, or null.</param>
    public static void RunAdd(NDArray a, NDArray b, NDArray bias, NDArray y, PackedMatrix? packed = null)
    {
        a = a.InStorage();
        b = b.InStorage();
        bias = bias.InStorage();
        switch (y.DType)
        {
            case DType.Float32: Run<float>(false, false, a, b, y, bias.Storage, default, 1, packed); break;
            case DType.Float64: Run<double>(false, false, a, b, y, bias.Storage, default, 1, packed); break;
            case DType.Int32: Run<int>(false, false, a, b, y, bias.Storage, default, 1, packed); break;
            case DType.Int64: Run<long>(false, false, a, b, y, bias.Storage, default, 1, packed); break;
            default: throw new NotSupportedException($"matmul: no product of {y.DType} matrices; cast them first");
        }
    }

    /// <summary>
    /// y = onto + scale·(op(a)·op(b)) for matrices of floats: the same bits as the product, and the scaled addition after it.
    /// </summary>
    /// <param name="transA">Whether a is given transposed.</param>
    /// <param name="transB">Whether b is given transposed.</param>
    /// <param name="a">The left factors; at least two axes.</param>
    /// <param name="b">The right factors; at least two axes; leading axes broadcast against those of a.</param>
    /// <param name="onto">
    /// Of the result's shape, or one row [n] for all; may be y's own memory if <see cref="Gemm.MayOverwriteBase"/> says so.
    /// </param>
    /// <param name="scale">The factor of the products.</param>
    /// <param name="y">The result [..., m, n]; allocated, overwritten.</param>
    /// <param name="packed">A copy of b made for products with it, or null.</param>
    public static void RunOnto(
        bool transA, bool transB, NDArray a, NDArray b, NDArray onto, double scale, NDArray y, PackedMatrix? packed = null)
    {
        a = a.InStorage();
        b = b.InStorage();
        onto = onto.InStorage();
        switch (y.DType)
        {
            case DType.Float32: Run<float>(transA, transB, a, b, y, null, onto, (float)scale, packed); break;
            case DType.Float64: Run<double>(transA, transB, a, b, y, null, onto, scale, packed); break;
            default: throw new NotSupportedException($"matmul: nothing is added to products of {y.DType} matrices on the way");
        }
    }

    private static void Run<T>(
        bool transA, bool transB, in NDArray a, in NDArray b, in NDArray y, Storage? bias, in NDArray onto, T scale, PackedMatrix? packed)
        where T : unmanaged, INumber<T>
    {
        int rankA = a.Rank, rankB = b.Rank, rank = y.Rank;
        int m = y.Shape[rank - 2], n = y.Shape[rank - 1], k = a.Shape[transA ? rankA - 2 : rankA - 1];
        if (y.Size == 0) return;
        // Rows of several matrices times one matrix: one product with more rows.
        if (!transA && rankB == 2) m = y.Size / n;
        var products = y.Size / (m * n);
        fixed (byte* pa = a.Storage, pb = b.Storage, py = y.Storage, pbias = bias, ponto = onto.Storage, ppacked = packed?.Place)
        {
            var first = new Product<T>
            {
                M = m,
                N = n,
                K = k,
                A = (T*)pa,
                RowA = transA ? 1 : k,
                ColumnA = transA ? m : 1,
                B = (T*)pb,
                RowB = transB ? 1 : n,
                ColumnB = transB ? k : 1,
                C = (T*)py,
                RowC = n,
                Bias = (T*)pbias,
                Base = (T*)ponto,
                RowBase = onto.Storage is null || onto.Size < y.Size ? 0 : n,
                Scale = scale,
            };
            packed?.Use(ref first, (T*)ppacked);
            if (products == 1)
            {
                Gemm.Run(first);
            }
            else
            {
                var all = new Products<T>(first, products, a.Shape, b.Shape, y.Shape);
                Workers.Run(all.Chunks, ref all);
            }
        }
        Storage.KeepAlive(a.Storage, b.Storage, y.Storage, bias);
        GC.KeepAlive(onto.Storage);
        GC.KeepAlive(packed);
    }

    // Products of the matrices at the same places among the leading axes.
    private readonly struct Products<T> : IChunks
        where T : unmanaged, INumber<T>
    {
        private readonly SharedProduct<T> shared;
        private readonly Product<T> first;
        private readonly int products, together;
        private readonly int[] shapeA, shapeB, shapeY;

        public Products(in Product<T> first, int products, int[] shapeA, int[] shapeB, int[] shapeY)
        {
            this.first = first;
            this.products = products;
            (this.shapeA, this.shapeB, this.shapeY) = (shapeA, shapeB, shapeY);
            shared = new SharedProduct<T>(first, products);
            // Small products are done several at a time, all at once where it is not worth sharing them.
            var work = Math.Max(1L, (long)first.M * first.N * first.K);
            together = shared.Blocks > 1 ? 1 : (int)Math.Min(products, Math.Max(1, SharedProduct<T>.WorthSharing / 2 / work));
            Chunks = shared.Blocks * ((products + together - 1) / together);
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var begin = chunk / shared.Blocks * together;
            for (var i = begin; i < Math.Min(products, begin + together); i++)
            {
                var product = first;
                product.A += MatrixAt(shapeA, shapeY, i) * (nint)first.M * first.K;
                product.B += MatrixAt(shapeB, shapeY, i) * (nint)first.K * first.N;
                product.C += i * (nint)first.M * first.N;
                if (first.RowBase != 0) product.Base += i * (nint)first.M * first.N;
                Gemm.RunHere(shared.Part(product, chunk % shared.Blocks));
            }
        }
    }

    // Which of an operand's matrices belongs to a matrix of the result.
    private static int MatrixAt(int[] operand, int[] result, int product)
    {
        int matrix = 0, stride = 1;
        for (int axis = result.Length - 3, own = operand.Length - 3; own >= 0; axis--, own--)
        {
            var place = product % result[axis];
            product /= result[axis];
            if (operand[own] > 1) matrix += place * stride;
            stride *= operand[own];
        }
        return matrix;
    }
}
