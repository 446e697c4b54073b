// Matrices on pointers, and the one thing that the factorisations ask of them: products. All are recursive: a matrix is cut in
// half until a few columns are left, and nearly all arithmetic is in the products between the halves.
namespace Functional.Kernels.LinearAlgebra;

/// <summary>A matrix of doubles that lies elsewhere, whole or as a part of a larger one.</summary>
internal readonly unsafe struct MatrixView(double* at, int rows, int columns, nint rowStep, nint columnStep = 1)
{
    /// <summary>Element (0, 0).</summary>
    public readonly double* At = at;

    public readonly int Rows = rows, Columns = columns;

    /// <summary>The distances from row to row and from column to column.</summary>
    public readonly nint RowStep = rowStep, ColumnStep = columnStep;

    public MatrixView Transposed => new(At, Columns, Rows, ColumnStep, RowStep);

    public double* Row(int row) => At + (row * RowStep);

    public MatrixView Part(int row, int rows, int column, int columns) =>
        new(At + (row * RowStep) + (column * ColumnStep), rows, columns, RowStep, ColumnStep);

    /// <summary>The columns from one on.</summary>
    public MatrixView From(int column) => Part(0, Rows, column, Columns - column);

    /// <summary>This matrix, whose rows lie side by side, becomes a·b.</summary>
    public void SetProduct(in MatrixView a, in MatrixView b) => Gemm.Run(Product(a, b));

    /// <summary>a·b is taken from this matrix, whose rows lie side by side.</summary>
    public void Subtract(in MatrixView a, in MatrixView b)
    {
        if (Rows == 0 || Columns == 0) return;
        // The finished sums are written over what they are taken from, so there may be no unfinished ones.
        for (var begin = 0; begin < a.Columns; begin += Gemm.DepthBlock)
        {
            var depth = Math.Min(Gemm.DepthBlock, a.Columns - begin);
            var product = Product(a.Part(0, a.Rows, begin, depth), b.Part(begin, depth, 0, b.Columns));
            product.Base = At;
            product.RowBase = RowStep;
            product.Scale = -1;
            Gemm.Run(product);
        }
    }

    private Product<double> Product(in MatrixView a, in MatrixView b) => new()
    {
        M = Rows,
        N = Columns,
        K = a.Columns,
        A = a.At,
        RowA = a.RowStep,
        ColumnA = a.ColumnStep,
        B = b.At,
        RowB = b.RowStep,
        ColumnB = b.ColumnStep,
        C = At,
        RowC = RowStep,
    };

    /// <summary>Where a number of columns is cut in two: near the half, at a multiple of a width.</summary>
    public static int Half(int n, int width) => Math.Max(width, n / 2 / width * width);
}
