namespace Functional.Kernels.LinearAlgebra;

/// <summary>A symmetric matrix as Q·T·Qᵀ with T tridiagonal, by reflections that are applied several at a time.</summary>
/// <remarks>
/// Source: J. Dongarra, S. Hammarling, D. Sorensen, "Block reduction of matrices to condensed forms for eigenvalue computations"
/// (1989). Half of the arithmetic is products of the matrix with vectors, which run at the speed of the memory.
/// </remarks>
internal static unsafe class Tridiagonal
{
    private const int Width = 32;

    /// <summary>Reduces a symmetric matrix, which becomes Q.</summary>
    /// <param name="a">The matrix [n, n], both triangles; becomes Q.</param>
    /// <param name="diagonal">T's diagonal [n].</param>
    /// <param name="beside">What stands beside it: [i, i + 1] at i; room for n.</param>
    public static void Reduce(in MatrixView a, double* diagonal, double* beside)
    {
        var n = a.Rows;
        fixed (double* pv = new double[(long)n * n], taus = new double[n], pw = new double[(long)n * Width], vector = new double[3L * n])
        {
            MatrixView v = new(pv, n, n, n), w = new(pw, n, Width, Width);
            for (var begin = 0; begin < n - 1; begin += Width)
            {
                var columns = Math.Min(Width, n - 1 - begin);
                for (var j = 0; j < columns; j++) Column(a, v.From(begin), w, begin, j, diagonal, beside, taus, vector);
                int next = begin + columns, rest = n - next;
                MatrixView vNext = v.Part(next, rest, begin, columns), wNext = w.Part(next, rest, 0, columns);
                var corner = a.Part(next, rest, next, rest);
                corner.Subtract(vNext, wNext.Transposed);
                corner.Subtract(wNext, vNext.Transposed);
            }
            diagonal[n - 1] = a.Row(n - 1)[n - 1];
            beside[n - 1] = 0;
            Accumulate(a, v, taus);
        }
    }

    // Reduces a column: brings it up to date by the reflections of this panel before it, finds its own, v, and w such that the
    // matrix after all of them is A − V·Wᵀ − W·Vᵀ.
    private static void Column(
        in MatrixView a, in MatrixView v, in MatrixView w, int begin, int j, double* diagonal, double* beside, double* taus, double* room)
    {
        int n = a.Rows, at = begin + j, rest = n - at - 1;
        var x = new MatrixView(a.Row(at) + at, rest + 1, 1, 1);
        x.Subtract(v.Part(at, rest + 1, 0, j), w.Part(at, 1, 0, j).Transposed);
        x.Subtract(w.Part(at, rest + 1, 0, j), v.Part(at, 1, 0, j).Transposed);
        diagonal[at] = x.At[0];

        double squares = 0;
        for (var i = 2; i <= rest; i++) squares += x.At[i] * x.At[i];
        var reflector = Reflector.Of(x.At[1], squares);
        beside[at] = reflector.Beta;
        taus[at] = reflector.Tau;
        MatrixView own = new(room, rest, 1, 1), y = new(room + n, rest, 1, 1), small = new(room + (2 * n), j, 1, 1);
        for (var i = 0; i < rest; i++)
        {
            own.At[i] = i == 0 ? 1 : x.At[i + 1] * reflector.Factor;
            v.Row(at + 1 + i)[j] = own.At[i];
        }

        y.SetProduct(a.Part(at + 1, rest, at + 1, rest), own);
        MatrixView before = v.Part(at + 1, rest, 0, j), with = w.Part(at + 1, rest, 0, j);
        if (j > 0)
        {
            small.SetProduct(with.Transposed, own);
            y.Subtract(before, small);
            small.SetProduct(before.Transposed, own);
            y.Subtract(with, small);
        }
        double inner = 0;
        for (var i = 0; i < rest; i++) inner += y.At[i] * own.At[i];
        var half = 0.5 * reflector.Tau * inner;
        for (var i = 0; i < rest; i++) w.Row(at + 1 + i)[j] = reflector.Tau * (y.At[i] - (half * own.At[i]));
    }

    // Q, the product of all reflections, from the last panel to the first: none changes what stands above its own rows.
    private static void Accumulate(in MatrixView q, in MatrixView v, double* taus)
    {
        var n = q.Rows;
        for (var i = 0; i < n; i++)
        {
            new Span<double>(q.Row(i), n).Clear();
            q.Row(i)[i] = 1;
        }
        fixed (double* ps = new double[Width * Width], pt = new double[Width * Width], px = new double[2L * Width * n])
        {
            for (var begin = (n - 2) / Width * Width; begin >= 0 && n > 1; begin -= Width)
            {
                int columns = Math.Min(Width, n - 1 - begin), rest = n - begin - 1;
                var own = v.Part(begin + 1, rest, begin, columns);
                MatrixView squares = new(ps, columns, columns, columns), t = new(pt, columns, columns, columns);
                new Span<double>(pt, columns * columns).Clear();
                // row j: the products of v_j with those before it
                squares.SetProduct(own.Transposed, own);
                for (var j = 0; j < columns; j++) Reflector.Extend(t, j, taus[begin + j], squares.Row(j));
                var part = q.Part(begin + 1, rest, begin + 1, rest);
                MatrixView x = new(px, columns, rest, rest), y = new(px + ((nint)Width * n), columns, rest, rest);
                x.SetProduct(own.Transposed, part);
                y.SetProduct(t, x);
                part.Subtract(own, y);
            }
        }
    }
}
