namespace Functional.Kernels.LinearAlgebra;

/// <summary>Factors a = Q·R with orthonormal columns and an upper triangle, by reflections.</summary>
/// <remarks>Source: E. Elmroth, F. Gustavson, "Applying recursion to serial and parallel QR factorization" (2000).</remarks>
public static unsafe class Qr
{
    private const int Width = 8;

    /// <summary>A matrix with at least as many rows as columns becomes Q; R's diagonal is not negative.</summary>
    /// <param name="a">The matrix [m, n]; becomes Q.</param>
    /// <param name="m">Its rows.</param>
    /// <param name="n">Its columns.</param>
    /// <param name="r">Becomes R [n, n]; zeros before.</param>
    public static void Factor(double[] a, int m, int n, double[] r)
    {
        fixed (double* pa = a, pr = r)
        fixed (double* pv = new double[(long)m * n], pt = new double[(long)n * n])
        fixed (double* room = new double[Math.Max((long)n * n, (long)Width * m)])
        {
            MatrixView q = new(pa, m, n, n), v = new(pv, m, n, n), t = new(pt, n, n, n);
            Factor(q, v, t, room);
            for (var i = 0; i < n; i++)
            {
                for (var j = i; j < n; j++) pr[((nint)i * n) + j] = q.Row(i)[j];
            }
            // the first columns of I − V·T·Vᵀ
            var w = new MatrixView(room, n, n, n);
            w.SetProduct(t, v.Part(0, n, 0, n).Transposed);
            new Span<double>(a).Clear();
            for (var i = 0; i < n; i++) q.Row(i)[i] = 1;
            q.Subtract(v, w);
            MakePositive(q, new MatrixView(pr, n, n, n));
        }
    }

    // R comes into the upper triangle of a, the reflections into v (zeros before) and t; below its triangle a is not settled.
    private static void Factor(in MatrixView a, in MatrixView v, in MatrixView t, double* room)
    {
        int m = a.Rows, n = a.Columns;
        if (n <= Width)
        {
            Small(a, v, t, room);
            return;
        }
        int half = MatrixView.Half(n, Width), rest = n - half;
        var first = v.Part(0, m, 0, half);
        var second = v.Part(half, m - half, half, rest);
        var tFirst = t.Part(0, half, 0, half);
        var tSecond = t.Part(half, rest, half, rest);
        MatrixView x = new(room, half, rest, rest), y = new(room + ((nint)half * rest), half, rest, rest);

        Factor(a.Part(0, m, 0, half), first, tFirst, room);
        x.SetProduct(first.Transposed, a.From(half));
        y.SetProduct(tFirst.Transposed, x);
        a.From(half).Subtract(first, y);
        Factor(a.Part(half, m - half, half, rest), second, tSecond, room);
        x.SetProduct(first.Part(half, m - half, 0, half).Transposed, second);
        y.SetProduct(tFirst, x);
        t.Part(0, half, half, rest).Subtract(y, tSecond);
    }

    // A few columns, in a copy whose rows lie side by side: of each reflection the products with all columns are found in one pass,
    // with those to the left (its own kind) for T, with those to the right to reflect them.
    private static void Small(in MatrixView a, in MatrixView v, in MatrixView t, double* room)
    {
        int m = a.Rows, n = a.Columns;
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++) room[(i * n) + j] = a.Row(i)[j];
        }
        var products = stackalloc double[Width];
        for (var j = 0; j < n; j++)
        {
            double squares = 0;
            for (var i = j + 1; i < m; i++) squares += room[(i * n) + j] * room[(i * n) + j];
            var top = room + (j * n);
            var reflector = Reflector.Of(top[j], squares);
            for (var k = 0; k < n; k++) products[k] = top[k];
            for (var i = j + 1; i < m; i++)
            {
                var row = room + (i * n);
                var own = row[j] *= reflector.Factor;
                for (var k = 0; k < n; k++) products[k] += own * row[k];
            }
            Reflector.Extend(t, j, reflector.Tau, products);
            top[j] = reflector.Beta;
            for (var k = j + 1; k < n; k++) top[k] -= reflector.Tau * products[k];
            for (var i = j + 1; i < m; i++)
            {
                var row = room + (i * n);
                var factor = reflector.Tau * row[j];
                for (var k = j + 1; k < n; k++) row[k] -= factor * products[k];
            }
        }
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                if (i <= j) a.Row(i)[j] = room[(i * n) + j];
                if (i == j) v.Row(i)[j] = 1;
                if (i > j) v.Row(i)[j] = room[(i * n) + j];
            }
        }
    }

    private static void MakePositive(in MatrixView q, in MatrixView r)
    {
        for (var j = 0; j < r.Rows; j++)
        {
            if (!(r.Row(j)[j] < 0)) continue;
            for (var k = j; k < r.Columns; k++) r.Row(j)[k] = -r.Row(j)[k];
            for (var i = 0; i < q.Rows; i++) q.Row(i)[j] = -q.Row(i)[j];
        }
    }
}
