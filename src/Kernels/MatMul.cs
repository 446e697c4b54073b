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
    public static void Run(bool transA, bool transB, NDArray a, NDArray b, NDArray y)
    {
        a = a.InStorage();
        b = b.InStorage();
        switch (y.DType)
        {
            case DType.Float32: Run<float>(transA, transB, a, b, y, null); break;
            case DType.Float64: Run<double>(transA, transB, a, b, y, null); break;
            case DType.Int32: Run<int>(transA, transB, a, b, y, null); break;
            case DType.Int64: Run<long>(transA, transB, a, b, y, null); break;
            default: throw new NotSupportedException($"matmul: no product of {y.DType} matrices; cast them first");
        }
    }

    /// <summary>y = a·b + bias: a dense layer in one pass.</summary>
    /// <param name="a">The inputs [..., m, k].</param>
    /// <param name="b">The weights [k, n].</param>
    /// <param name="bias">One number for each column of the result [n].</param>
    /// <param name="y">The result [..., m, n]; allocated, overwritten.</param>
    public static void RunAdd(NDArray a, NDArray b, NDArray bias, NDArray y)
    {
        a = a.InStorage();
        b = b.InStorage();
        bias = bias.InStorage();
        switch (y.DType)
        {
            case DType.Float32: Run<float>(false, false, a, b, y, bias.Storage); break;
            case DType.Float64: Run<double>(false, false, a, b, y, bias.Storage); break;
            case DType.Int32: Run<int>(false, false, a, b, y, bias.Storage); break;
            case DType.Int64: Run<long>(false, false, a, b, y, bias.Storage); break;
            default: throw new NotSupportedException($"matmul: no product of {y.DType} matrices; cast them first");
        }
    }

    private static void Run<T>(bool transA, bool transB, in NDArray a, in NDArray b, in NDArray y, Storage? bias)
        where T : unmanaged, INumber<T>
    {
        int rankA = a.Rank, rankB = b.Rank, rank = y.Rank;
        int m = y.Shape[rank - 2], n = y.Shape[rank - 1], k = a.Shape[transA ? rankA - 2 : rankA - 1];
        nint rowA = transA ? 1 : k, columnA = transA ? m : 1, rowB = transB ? 1 : n, columnB = transB ? k : 1;
        fixed (byte* pa = a.Storage, pb = b.Storage, py = y.Storage, pbias = bias)
        {
            if (y.Size == 0) return;
            var products = y.Size / (m * n);
            for (var product = 0; product < products; product++)
            {
                var left = (T*)pa + (nint)MatrixAt(a.Shape, y.Shape, product) * m * k;
                var right = (T*)pb + (nint)MatrixAt(b.Shape, y.Shape, product) * k * n;
                var result = (T*)py + (nint)product * m * n;
                for (var i = 0; i < m; i++)
                    for (var j = 0; j < n; j++)
                    {
                        var sum = pbias == null ? T.Zero : ((T*)pbias)[j];
                        for (var l = 0; l < k; l++) sum += left[i * rowA + l * columnA] * right[l * rowB + j * columnB];
                        result[i * n + j] = sum;
                    }
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
