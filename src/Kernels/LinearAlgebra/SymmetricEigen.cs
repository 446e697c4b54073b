namespace Functional.Kernels.LinearAlgebra;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix.</summary>
/// <remarks>
/// Tridiagonalisation, then the QL algorithm with implicit shifts (A. Dubrulle, R. Martin, J. Wilkinson, 1968), whose rotations do
/// not depend on the vectors: they are listed first and applied many at a time.
/// </remarks>
public static unsafe class SymmetricEigen
{
    private const int Patience = 60, Listed = 1 << 16;

    // What half a unit in the last place of 1 is.
    private const double Unit = 1.1102230246251565e-16;

    /// <summary>A symmetric matrix becomes its eigenvectors, as columns. False, and no result, if the iteration does not converge.</summary>
    /// <param name="a">The matrix [n, n], both triangles, of moderate size; becomes the vectors.</param>
    /// <param name="n">Its rows.</param>
    /// <param name="values">The values in ascending order [n].</param>
    public static bool Decompose(double[] a, int n, double[] values)
    {
        fixed (double* p = a, d = values, e = new double[n])
        {
            var q = new MatrixView(p, n, n, n);
            Tridiagonal.Reduce(q, d, e);
            var vectors = new double[(long)n * n];
            fixed (double* z = vectors)
            {
                var rows = new MatrixView(z, n, n, n);
                for (var i = 0; i < n; i++)
                {
                    for (var j = 0; j < n; j++) rows.Row(j)[i] = q.Row(i)[j];
                }
                if (!Iterate(d, e, rows)) return false;
                var order = new int[n];
                for (var i = 0; i < n; i++) order[i] = i;
                Array.Sort(values, order);
                for (var j = 0; j < n; j++)
                {
                    var row = rows.Row(order[j]);
                    for (var i = 0; i < n; i++) q.Row(i)[j] = row[i];
                }
            }
        }
        return true;
    }

    private static bool Iterate(double* d, double* e, in MatrixView vectors)
    {
        var n = vectors.Rows;
        // what is nothing beside the whole matrix is nothing, too: among numbers that are all rounding there may be no end
        double size = 0;
        for (var i = 0; i < n; i++) size = Math.Max(size, Math.Abs(d[i]) + Math.Abs(e[i]));
        var negligible = Unit / 2 * size;
        var room = Math.Max(n, (int)Math.Min(Listed, 2L * n * n));
        fixed (Rotation* list = new Rotation[room])
        {
            var count = 0;
            for (var l = 0; l < n; l++)
            {
                for (var round = 0; ; round++)
                {
                    var m = l;
                    while (m < n - 1 && Math.Abs(e[m]) > Math.Max(negligible, Unit * (Math.Abs(d[m]) + Math.Abs(d[m + 1])))) m++;
                    if (m == l) break;
                    if (round == Patience) return false;
                    if (count + (m - l) > room)
                    {
                        Rotations.Apply(list, count, vectors);
                        count = 0;
                    }
                    count += Sweep(d, e, l, m, list + count);
                }
            }
            Rotations.Apply(list, count, vectors);
        }
        return true;
    }

    // One shifted QL step on the rows from l to m, from the last to the first; returns the number of its rotations.
    private static int Sweep(double* d, double* e, int l, int m, Rotation* list)
    {
        var g = (d[l + 1] - d[l]) / (2 * e[l]);
        g = d[m] - d[l] + (e[l] / (g + Math.CopySign(Length(g, 1), g)));
        double s = 1, c = 1, p = 0;
        var count = 0;
        for (var i = m - 1; i >= l; i--)
        {
            double f = s * e[i], b = c * e[i], r = Length(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                // the block falls apart here
                d[i + 1] -= p;
                e[m] = 0;
                return count;
            }
            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = ((d[i] - g) * s) + (2 * c * b);
            p = s * r;
            d[i + 1] = g + p;
            g = (c * r) - b;
            list[count++] = new Rotation(i, c, s);
        }
        d[l] -= p;
        e[l] = g;
        e[m] = 0;
        return count;
    }

    private static double Length(double x, double y)
    {
        var squares = (x * x) + (y * y);
        return squares is > 1e-280 and < 1e280 ? Math.Sqrt(squares) : double.Hypot(x, y);
    }
}
