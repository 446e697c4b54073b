// Tensors as a C# program writes them.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class TensorCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("tensors are made from numbers, arrays, rows and two-dimensional arrays", () =>
        {
            Expect.Equal(Tensor.Of(1.0, 2.0).DType, DType.Float64);
            Expect.Equal(Tensor.Of([1f, 2f]).DType, DType.Float32);
            Expect.Equal(Tensor.Of([1, 2]).DType, DType.Int32);
            Expect.Equal(Tensor.Of([true, false]).DType, DType.Bool);
            Expect.Shape(Tensor.Of([1.0, 2, 3, 4, 5, 6], shape: [2, 3]), 2, 3);
            var matrix = Tensor.Of(new double[,] { { 1, 2, 3 }, { 4, 5, 6 } });
            Expect.Shape(matrix, 2, 3);
            Expect.Numbers(matrix, 1, 2, 3, 4, 5, 6);
            Expect.Numbers(Tensor.Of(new float[][] { [1, 2], [3, 4] }), 1, 2, 3, 4);
            Expect.Numbers(Tensor.Zeros([2]) + Tensor.Ones([2]) + Tensor.Full([2], 2), 3, 3);
            Expect.Numbers(Tensor.Arange(0, 1, 0.25), 0, 0.25, 0.5, 0.75);
            Expect.Numbers(Tensor.Linspace(0, 1, 3), 0, 0.5, 1);
            Expect.Numbers(Tensor.Eye(2), 1, 0, 0, 1);
        }
        );
        yield return ("numbers come out as spans, arrays and rows", () =>
        {
            var x = Tensor.Of(new double[,] { { 1, 2 }, { 3, 4 } });
            Expect.Equal(x.AsSpan<double>()[3], 4.0);
            Expect.Equal(x.ToArray<double>()[1], 2.0);
            Expect.Equal(x.ToArray2D()[1, 0], 3.0);
            Expect.Equal(x.ToRows()[1][1], 4.0);
            Expect.Equal(x.Sum().ToDouble(), 10.0);
            Expect.True((x.Max() > 3).ToBool(), "4 > 3");
            Expect.Numbers(x.Cast(DType.Float32), 1, 2, 3, 4);
        }
        );
        yield return ("host numbers of every kind meet tensors in the tensor's type", () =>
        {
            var x = Tensor.Of([1f, 2f]);
            Expect.Numbers(2 * x + 1, 3, 5);
            Expect.Numbers(1 - x / 2f, 0.5, 0);
            Expect.Numbers(-x % 2L, -1, 0);
            Expect.Equal((2 * x + 0.5).DType, DType.Float32);
        }
        );
        yield return ("comparisons and logic are operators", () =>
        {
            var x = Tensor.Of(-1.0, 0, 1, 2);
            Expect.Numbers((x >= 0) & (x < 2), 0, 1, 1, 0);
            Expect.Numbers(!(x > 0) | (2 <= x), 1, 1, 0, 1);
            Expect.Numbers((x > 0) ^ (x > 1), 0, 0, 1, 0);
            Expect.Numbers(Where(x > 0, x, 0.1 * x), -0.1, 0, 1, 2);
        }
        );
        yield return ("formulas read as they are written", () =>
        {
            var x = Tensor.Of(0.0, 1.0);
            Expect.Numbers(Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI), 0.3989422804014327, 0.24197072451914337);
            Expect.Numbers(Sigmoid(x), 0.5, 1 / (1 + Math.Exp(-1)));
            Expect.Numbers(Pow(x + 1, 3), 1, 8);
            Expect.Numbers(Clamp(x, 0.25, 0.5), 0.25, 0.5);
            Expect.Numbers(Softmax(Tensor.Of(2.0, 2.0)), 0.5, 0.5);
        }
        );
        yield return ("slices take ranges, places and steps", () =>
        {
            var x = Tensor.Arange(0, 12).Reshape(3, 4);
            Expect.Numbers(x.Slice(1..3, ..2), 4, 5, 8, 9);
            Expect.Numbers(x.Slice(^1), 8, 9, 10, 11);
            Expect.Numbers(x.Slice(-1), 8, 9, 10, 11);
            Expect.Shape(x.Slice(0), 4);
            Expect.Numbers(x.Slice(.., 1), 1, 5, 9);
            Expect.Numbers(x.Slice((0.., 2), (.., 3)), 0, 3, 8, 11);
            Expect.Numbers(x.Slice(0, (.., -1)), 3, 2, 1, 0);
            Expect.Numbers(x.Slice(0, (.., -2)), 3, 1);
            Expect.Throws<ArgumentOutOfRangeException>(() => x.Slice(3), "place 3", "axis 0", "size 3");
            Expect.Throws<ArgumentOutOfRangeException>(() => x.Slice(.., 2..5), "2..5", "axis 1", "size 4");
            Expect.Throws<ArgumentException>(() => x.Slice(0, 0, 0), "3 parts", "2 axes");
        }
        );
        yield return ("reductions, over everything, over one axis, over several", () =>
        {
            var x = Tensor.Of(new double[,] { { 1, 2 }, { 3, 4 } });
            Expect.Numbers(x.Sum(axis: 0), 4, 6);
            Expect.Shape(x.Mean(axis: -1, keepDims: true), 2, 1);
            Expect.Numbers(x.Mean([0, 1]), 2.5);
            Expect.Numbers(x.Variance(), 1.25);
            Expect.Numbers(x.ArgMax(), 1, 1);
            Expect.Numbers(x.MatMul(x.Transpose()), 5, 11, 11, 25);
            Expect.Numbers(x.Take(Tensor.Of([1, 1])), 3, 4, 3, 4);
            var (values, places) = x.TopK(1);
            Expect.Numbers(values, 2, 4);
            Expect.Numbers(places, 1, 1);
            Expect.Numbers(Tensor.Of([1, 0]).OneHot(2), 0, 1, 1, 0);
            Expect.Numbers(Tensor.Stack([x, x]).Sum(), 20);
            Expect.Numbers(Tensor.Concat([x, x], axis: 1).Slice(0), 1, 2, 1, 2);
        }
        );
        yield return ("linear algebra and Einstein summation", () =>
        {
            var a = Tensor.Of(new double[,] { { 4, 1 }, { 1, 3 } });
            Expect.Numbers(a.MatMul(a.Solve(Tensor.Of(1.0, 2.0)).Reshape(2, 1)), 1, 2);
            Expect.Numbers(a.Inverse().MatMul(a), 1, 0, 0, 1);
            Expect.Numbers(a.Determinant(), 11);
            Expect.Numbers(a.Cholesky().MatMul(a.Cholesky().Transpose()) - a, 0, 0, 0, 0);
            Expect.Numbers(a.SymmetricEigen().Values.Sum() - a.Trace(), 0);
            var (q, r) = a.Qr();
            Expect.Numbers(q.MatMul(r) - a, 0, 0, 0, 0);
            Expect.Numbers(Tensor.Einsum("ij,jk->ik", a, a) - a.MatMul(a), 0, 0, 0, 0);
            var root = a.SymmetricFunction(Sqrt);
            Expect.Numbers(root.MatMul(root) - a, 0, 0, 0, 0);
            Expect.Numbers(a.Cholesky().CholeskySolve(a), 1, 0, 0, 1);
            Expect.Numbers(a.Lyapunov(a + a), 1, 0, 0, 1);
            Expect.Numbers(a.Polar(), 1, 0, 0, 1);
            Expect.Numbers(a.Adjugate(), 3, -1, -1, 4);
            Expect.True(double.IsNaN((-a).CholeskyOrNaN().Sum().ToDouble()), "not positive definite");
            Expect.True(double.IsNaN((a * 0).InverseOrNaN().Sum().ToDouble()), "singular");
            Expect.Numbers(a.SolveOrNaN(a) + a.SvdOrNaN().U * 0 + a.QrOrNaN().Q * 0 + a.SymmetricEigenOrNaN().Vectors * 0, 1, 0, 0, 1);
        }
        );
        yield return ("a key gives the same numbers always, its splits give others", () =>
        {
            var keys = RandomKey.Split(RandomKey.Create(1), 2);
            Expect.Equal(Tensor.RandomNormal([3], keys[0]).ToString(), Tensor.RandomNormal([3], RandomKey.Split(RandomKey.Create(1), 2)[0]).ToString());
            Expect.True(Tensor.RandomUniform([3], keys[0]).ToString() != Tensor.RandomUniform([3], keys[1]).ToString(), "other keys, other numbers");
            Expect.Numbers(Tensor.RandomPermutation(5, keys[1]).Sort(), 0, 1, 2, 3, 4);
        }
        );
        yield return ("digits are drawn, or read from a folder that must exist", () =>
        {
            var digits = Datasets.DrawnDigits(train: 20, test: 10);
            Expect.Shape(digits.XTrain, 20, 784);
            Expect.Shape(digits.YTest, 10);
            Expect.True(!digits.IsMnist && digits.Source.Contains("drawn"), digits.Source);
            Expect.Throws<DirectoryNotFoundException>(() => Datasets.Digits("no/such/folder"), "no/such/folder");
        }
        );
        yield return ("the number of threads is a setting", () =>
        {
            var before = Runtime.Threads;
            Runtime.Threads = 1;
            Expect.Equal(Runtime.Threads, 1);
            Runtime.Threads = before;
            Expect.Throws<ArgumentOutOfRangeException>(() => Runtime.Threads = 0);
        }
        );
        yield return ("nulls are refused by name", () =>
        {
            Expect.Throws<ArgumentNullException>(() => Exp(null!), "x");
            Expect.Throws<ArgumentNullException>(() => TensorShapes.Reshape(null!, 1), "tensor");
            Expect.Throws<ArgumentNullException>(() => Differentiate.Gradient(null!, Tensor.Of(1.0)), "function");
        }
        );
        yield return ("shapes that do not fit are named", () =>
        {
            Expect.Throws<ArgumentException>(() => Tensor.Of([1.0, 2, 3], shape: [2, 2]), "2×2", "3");
            Expect.Throws<NotSupportedException>(() => Tensor.Of(new byte[] { 1 }), "bytes");
            Expect.Throws<ArgumentException>(() => Tensor.Of(new double[][] { [1, 2], [3] }), "row 1");
            Expect.Throws<ArgumentException>(() => Tensor.Ones([2, 3]).MatMul(Tensor.Ones([2, 3])), "2×3");
        }
        );
    }
}
