namespace Functional.Kernels.LinearAlgebra;

/// <summary>Factors P·a = L·U with row exchanges: L lower triangular with ones on the diagonal, U upper triangular.</summary>
/// <remarks>Source: S. Toledo, "Locality of reference in LU decomposition with partial pivoting" (1997).</remarks>
public static unsafe class Lu
{
    private const int Width = 8;

    /// <summary>A matrix becomes its factors, L below the diagonal and U from there on; a column without a pivot is left as it is.</summary>
    /// <param name="a">The matrix [n, n], overwritten.</param>
    /// <param name="n">Its rows.</param>
    /// <param name="exchanges">For each row in turn the one it was exchanged with [n], overwritten.</param>
    public static void Factor(double[] a, int n, int[] exchanges)
    {
        fixed (double* p = a)
        {
            fixed (int* e = exchanges) Factor(new MatrixView(p, n, n, n), e);
        }
    }

    /// <summary>b becomes X with a·X = b, given the factors of a.</summary>
    /// <param name="factors">What <see cref="Factor(double[], int, int[])"/> made of the matrix.</param>
    /// <param name="n">Its rows.</param>
    /// <param name="exchanges">Its exchanges.</param>
    /// <param name="b">The right-hand sides [n, columns], overwritten.</param>
    /// <param name="columns">How many there are.</param>
    public static void Solve(double[] factors, int n, int[] exchanges, double[] b, int columns)
    {
        fixed (double* p = factors, q = b)
        {
            var matrix = new MatrixView(p, n, n, n);
            var x = new MatrixView(q, n, columns, columns);
            fixed (int* e = exchanges) Exchange(x, e, n);
            Triangular.Solve(matrix, true, true, x);
            Triangular.Solve(matrix, false, false, x);
        }
    }

    // A panel with at least as many rows as columns; exchanges count from its first row.
    private static void Factor(in MatrixView a, int* exchanges)
    {
        int m = a.Rows, n = a.Columns;
        if (n <= Width)
        {
            Small(a, exchanges);
            return;
        }
        int half = MatrixView.Half(n, Width), rest = n - half;
        var left = a.Part(0, m, 0, half);
        var right = a.From(half);
        var corner = right.Part(half, m - half, 0, rest);
        Factor(left, exchanges);
        Exchange(right, exchanges, half);
        Triangular.Solve(left.Part(0, half, 0, half), true, true, right.Part(0, half, 0, rest));
        corner.Subtract(left.Part(half, m - half, 0, half), right.Part(0, half, 0, rest));
        Factor(corner, exchanges + half);
        Exchange(left.Part(half, m - half, 0, half), exchanges + half, rest);
        for (var j = half; j < n; j++) exchanges[j] += half;
    }

    private static void Small(in MatrixView a, int* exchanges)
    {
        int m = a.Rows, n = a.Columns;
        for (var j = 0; j < n; j++)
        {
            var best = j;
            for (var i = j + 1; i < m; i++)
            {
                if (Math.Abs(a.Row(i)[j]) > Math.Abs(a.Row(best)[j])) best = i;
            }
            exchanges[j] = best;
            ExchangeRows(a, j, best);
            var row = a.Row(j);
            var pivot = row[j];
            if (pivot == 0) continue;
            for (var i = j + 1; i < m; i++)
            {
                var below = a.Row(i);
                var factor = below[j] /= pivot;
                for (var k = j + 1; k < n; k++) below[k] -= factor * row[k];
            }
        }
    }

    private static void Exchange(in MatrixView a, int* exchanges, int count)
    {
        for (var i = 0; i < count; i++) ExchangeRows(a, i, exchanges[i]);
    }

    private static void ExchangeRows(in MatrixView a, int i, int j)
    {
        if (i == j) return;
        double* x = a.Row(i), y = a.Row(j);
        for (var k = 0; k < a.Columns; k++) (x[k], y[k]) = (y[k], x[k]);
    }
}
