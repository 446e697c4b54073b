using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Functional.Kernels.LinearAlgebra;

/// <summary>A plane rotation of a row and the next: (x, y) becomes (c·x − s·y, s·x + c·y).</summary>
internal readonly struct Rotation(int row, double cosine, double sine)
{
    public readonly int Row = row;
    public readonly double Cosine = cosine, Sine = sine;
}

/// <summary>Many rotations, one after another, of neighbouring rows of a matrix: columns by columns, each block in its cache.</summary>
internal static unsafe class Rotations
{
    private const int Columns = 32;

    public static void Apply(Rotation* rotations, int count, in MatrixView rows)
    {
        if (Vector512.IsHardwareAccelerated) Apply<Simd512<double>>(rotations, count, rows);
        else if (Vector256.IsHardwareAccelerated) Apply<Simd256<double>>(rotations, count, rows);
        else Apply<Simd128<double>>(rotations, count, rows);
    }

    private static void Apply<V>(Rotation* rotations, int count, in MatrixView rows)
        where V : struct, ISimd<V, double>
    {
        var body = new Block<V> { All = rotations, Count = count, Rows = rows };
        Workers.Run(Gemm.Quotient(rows.Columns, Columns), ref body);
    }

    private struct Block<V> : IChunks
        where V : struct, ISimd<V, double>
    {
        public Rotation* All;
        public int Count;
        public MatrixView Rows;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            int first = chunk * Columns, columns = Math.Min(Columns, Rows.Columns - first);
            for (var r = 0; r < Count; r++)
            {
                double* x = Rows.Row(All[r].Row) + first, y = x + Rows.RowStep;
                double cosine = All[r].Cosine, sine = All[r].Sine;
                V c = V.All(cosine), s = V.All(sine);
                var i = 0;
                for (; i + V.Count <= columns; i += V.Count)
                {
                    V a = V.Load(x + i), b = V.Load(y + i);
                    V.Fma(s, a, c * b).Store(y + i);
                    V.Fma(c, a, -(s * b)).Store(x + i);
                }
                for (; i < columns; i++)
                {
                    double a = x[i], b = y[i];
                    y[i] = Math.FusedMultiplyAdd(sine, a, cosine * b);
                    x[i] = Math.FusedMultiplyAdd(cosine, a, -(sine * b));
                }
            }
        }
    }
}
