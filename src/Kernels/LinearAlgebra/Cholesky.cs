namespace Functional.Kernels.LinearAlgebra;

/// <summary>The Cholesky factor of a symmetric positive definite matrix.</summary>
public static unsafe class Cholesky
{
    private const int Width = 16;

    /// <summary>A symmetric matrix becomes L, lower triangular, with L·Lᵀ = a. False, and no result, if it is not positive definite.</summary>
    /// <param name="a">The matrix [n, n], overwritten.</param>
    /// <param name="n">Its rows.</param>
    public static bool Factor(double[] a, int n)
    {
        fixed (double* p = a)
        {
            // Lᵀ in the upper triangle: there the rows of what is updated lie side by side
            if (!Upper(new MatrixView(p, n, n, n))) return false;
            for (var i = 0; i < n; i++)
            {
                for (var j = i + 1; j < n; j++)
                {
                    p[((nint)j * n) + i] = p[((nint)i * n) + j];
                    p[((nint)i * n) + j] = 0;
                }
            }
        }
        return true;
    }

    private static bool Upper(in MatrixView a)
    {
        var n = a.Rows;
        if (n <= Width) return Small(a);
        int half = MatrixView.Half(n, Width), rest = n - half;
        var corner = a.Part(0, half, 0, half);
        var beside = a.Part(0, half, half, rest);
        if (!Upper(corner)) return false;
        Triangular.Solve(corner.Transposed, true, false, beside);
        SubtractSquare(a.Part(half, rest, half, rest), beside);
        return Upper(a.Part(half, rest, half, rest));
    }

    // Takes uᵀ·u from the upper triangle of c (and something from what lies below it, which nobody reads).
    private static void SubtractSquare(in MatrixView c, in MatrixView u)
    {
        var n = c.Rows;
        if (n <= 4 * Width)
        {
            c.Subtract(u.Transposed, u);
            return;
        }
        int half = MatrixView.Half(n, Width), rest = n - half;
        var left = u.Part(0, u.Rows, 0, half);
        var right = u.From(half);
        SubtractSquare(c.Part(0, half, 0, half), left);
        c.Part(0, half, half, rest).Subtract(left.Transposed, right);
        SubtractSquare(c.Part(half, rest, half, rest), right);
    }

    private static bool Small(in MatrixView a)
    {
        var n = a.Rows;
        for (var j = 0; j < n; j++)
        {
            var row = a.Row(j);
            if (!(row[j] > 0)) return false;
            var root = Math.Sqrt(row[j]);
            row[j] = root;
            for (var k = j + 1; k < n; k++) row[k] /= root;
            for (var i = j + 1; i < n; i++)
            {
                var below = a.Row(i);
                for (var k = i; k < n; k++) below[k] -= row[i] * row[k];
            }
        }
        return true;
    }
}
