namespace Functional.Kernels.LinearAlgebra;

/// <summary>Equations with a triangular matrix, for several right-hand sides at once.</summary>
public static unsafe class Triangular
{
    private const int Width = 16;

    /// <summary>b becomes X with op(t)·X = b. A zero on the diagonal gives ±∞ or NaN, as numbers do.</summary>
    /// <param name="t">The matrix [n, n], of which one triangle is read.</param>
    /// <param name="n">Its rows.</param>
    /// <param name="lower">Whether the lower triangle is read, or the upper.</param>
    /// <param name="transposed">Whether op transposes.</param>
    /// <param name="b">The right-hand sides [n, columns], overwritten.</param>
    /// <param name="columns">How many there are.</param>
    public static void Solve(double[] t, int n, bool lower, bool transposed, double[] b, int columns)
    {
        fixed (double* pt = t, pb = b)
        {
            var matrix = new MatrixView(pt, n, n, n);
            Solve(transposed ? matrix.Transposed : matrix, lower != transposed, false, new MatrixView(pb, n, columns, columns));
        }
    }

    /// <summary>b becomes X with t·X = b, t being lower or upper triangular, with ones on the diagonal or what stands there.</summary>
    internal static void Solve(in MatrixView t, bool lower, bool ones, in MatrixView b)
    {
        var n = t.Rows;
        if (n <= Width)
        {
            if (lower) Forwards(t, ones, b);
            else Backwards(t, b);
            return;
        }
        int half = MatrixView.Half(n, Width), rest = n - half;
        var above = b.Part(0, half, 0, b.Columns);
        var below = b.Part(half, rest, 0, b.Columns);
        if (lower)
        {
            Solve(t.Part(0, half, 0, half), true, ones, above);
            below.Subtract(t.Part(half, rest, 0, half), above);
            Solve(t.Part(half, rest, half, rest), true, ones, below);
        }
        else
        {
            Solve(t.Part(half, rest, half, rest), false, ones, below);
            above.Subtract(t.Part(0, half, half, rest), below);
            Solve(t.Part(0, half, 0, half), false, ones, above);
        }
    }

    private static void Forwards(in MatrixView t, bool ones, in MatrixView b)
    {
        for (var i = 0; i < t.Rows; i++)
        {
            for (var j = 0; j < i; j++) SubtractRow(b.Row(i), t.Row(i)[j * t.ColumnStep], b.Row(j), b.Columns);
            if (!ones) DivideRow(b.Row(i), t.Row(i)[i * t.ColumnStep], b.Columns);
        }
    }

    private static void Backwards(in MatrixView t, in MatrixView b)
    {
        for (var i = t.Rows - 1; i >= 0; i--)
        {
            for (var j = t.Rows - 1; j > i; j--) SubtractRow(b.Row(i), t.Row(i)[j * t.ColumnStep], b.Row(j), b.Columns);
            DivideRow(b.Row(i), t.Row(i)[i * t.ColumnStep], b.Columns);
        }
    }

    private static void SubtractRow(double* y, double factor, double* x, int count)
    {
        for (var i = 0; i < count; i++) y[i] -= factor * x[i];
    }

    private static void DivideRow(double* y, double divisor, int count)
    {
        for (var i = 0; i < count; i++) y[i] /= divisor;
    }
}
