using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>What the two innermost axes of a strided copy look like.</summary>
internal enum CopyKernel : byte
{
    /// <summary>Rows that are dense on both sides.</summary>
    Runs,

    /// <summary>Rows of one repeated element.</summary>
    Fill,

    /// <summary>Rows are dense in the target, columns in the source.</summary>
    Transpose,

    /// <summary>Anything else.</summary>
    Strided,
}

/// <summary>The inner loops of <see cref="LayoutCopy"/>: two axes, rows × columns.</summary>
internal static unsafe class CopyKernels
{
    /// <summary>Rows and columns of a block of a transpose: 16 elements of four bytes are a cache line.</summary>
    public const int Block = 16;

    public static void Apply<T>(CopyKernel kernel, T* from, T* to, CopyAxis rows, CopyAxis columns)
        where T : unmanaged
    {
        switch (kernel)
        {
            case CopyKernel.Runs: Runs(from, to, rows, columns.Size); break;
            case CopyKernel.Fill: Fill(from, to, rows, columns.Size); break;
            case CopyKernel.Transpose: Transpose(from, to, rows, columns); break;
            default: Strided(from, to, rows, columns); break;
        }
    }

    private static void Runs<T>(T* from, T* to, CopyAxis rows, int length)
        where T : unmanaged
    {
        // A call of memmove costs more than a handful of moves.
        if (length * sizeof(T) > 32)
        {
            for (var i = 0; i < rows.Size; i++, from += rows.From, to += rows.To)
                Unsafe.CopyBlockUnaligned(to, from, (uint)(length * sizeof(T)));
            return;
        }

        for (var i = 0; i < rows.Size; i++, from += rows.From, to += rows.To)
        {
            for (var j = 0; j < length; j++) to[j] = from[j];
        }
    }

    private static void Fill<T>(T* from, T* to, CopyAxis rows, int length)
        where T : unmanaged
    {
        for (var i = 0; i < rows.Size; i++, from += rows.From, to += rows.To)
            new Span<T>(to, length).Fill(*from);
    }

    private static void Strided<T>(T* from, T* to, CopyAxis rows, CopyAxis columns)
        where T : unmanaged
    {
        for (var i = 0; i < rows.Size; i++, from += rows.From, to += rows.To)
        {
            var source = from;
            var target = to;
            for (var j = 0; j < columns.Size; j++, source += columns.From, target += columns.To) *target = *source;
        }
    }

    /// <summary>Block by block, so that every cache line touched on either side is used up before it leaves.</summary>
    private static void Transpose<T>(T* from, T* to, CopyAxis rows, CopyAxis columns)
        where T : unmanaged
    {
        for (var i = 0; i < rows.Size; i += Block)
        {
            var height = Math.Min(Block, rows.Size - i);
            for (var j = 0; j < columns.Size; j += Block)
            {
                var width = Math.Min(Block, columns.Size - j);
                var source = from + i + j * columns.From;
                var target = to + i * rows.To + j;
                if (width < Block || !Avx2.IsSupported || sizeof(T) == 1)
                {
                    Corner(source, columns.From, target, rows.To, height, width);
                    continue;
                }

                // Strips of a register's height: what is left of the block goes one by one.
                var lanes = Vector256<byte>.Count / sizeof(T);
                var done = 0;
                for (; done + lanes <= height; done += lanes)
                {
                    if (sizeof(T) == 4) Strip((float*)(source + done), columns.From, (float*)(target + done * rows.To), rows.To);
                    else Strip((double*)(source + done), columns.From, (double*)(target + done * rows.To), rows.To);
                }

                Corner(source + done, columns.From, target + done * rows.To, rows.To, height - done, width);
            }
        }
    }

    private static void Corner<T>(T* source, nint from, T* target, nint to, int height, int width)
        where T : unmanaged
    {
        for (var r = 0; r < height; r++)
        {
            for (var c = 0; c < width; c++) target[r * to + c] = source[r + c * from];
        }
    }

    /// <summary>Eight elements of sixteen source lines become sixteen elements of eight target lines, written line by line.</summary>
    private static void Strip(float* source, nint from, float* target, nint to)
    {
        Square(source, from, out var a0, out var a1, out var a2, out var a3, out var a4, out var a5, out var a6, out var a7);
        Square(source + 8 * from, from, out var b0, out var b1, out var b2, out var b3, out var b4, out var b5, out var b6, out var b7);
        a0.Store(target);
        b0.Store(target + 8);
        a1.Store(target + to);
        b1.Store(target + to + 8);
        a2.Store(target + 2 * to);
        b2.Store(target + 2 * to + 8);
        a3.Store(target + 3 * to);
        b3.Store(target + 3 * to + 8);
        a4.Store(target + 4 * to);
        b4.Store(target + 4 * to + 8);
        a5.Store(target + 5 * to);
        b5.Store(target + 5 * to + 8);
        a6.Store(target + 6 * to);
        b6.Store(target + 6 * to + 8);
        a7.Store(target + 7 * to);
        b7.Store(target + 7 * to + 8);
    }

    /// <summary>An 8×8 transpose in registers: pairs, then fours, then halves are exchanged.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(
        float* source, nint from,
        out Vector256<float> y0, out Vector256<float> y1, out Vector256<float> y2, out Vector256<float> y3,
        out Vector256<float> y4, out Vector256<float> y5, out Vector256<float> y6, out Vector256<float> y7)
    {
        // Line c beside line c + 4: the halves are exchanged by the loads.
        var (x0, x4) = (Halves(source, 4 * from), Halves(source + 4, 4 * from));
        var (x1, x5) = (Halves(source + from, 4 * from), Halves(source + from + 4, 4 * from));
        var (x2, x6) = (Halves(source + 2 * from, 4 * from), Halves(source + 2 * from + 4, 4 * from));
        var (x3, x7) = (Halves(source + 3 * from, 4 * from), Halves(source + 3 * from + 4, 4 * from));
        (y0, y1, y2, y3) = Quarter(x0, x1, x2, x3);
        (y4, y5, y6, y7) = Quarter(x4, x5, x6, x7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(float* source, nint apart) =>
        Vector256.Create(Vector128.Load(source), Vector128.Load(source + apart));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> A, Vector256<float> B, Vector256<float> C, Vector256<float> D) Quarter(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var (ab, cd) = (Avx.UnpackLow(a, b).AsDouble(), Avx.UnpackLow(c, d).AsDouble());
        var (ba, dc) = (Avx.UnpackHigh(a, b).AsDouble(), Avx.UnpackHigh(c, d).AsDouble());
        return (Avx.UnpackLow(ab, cd).AsSingle(), Avx.UnpackHigh(ab, cd).AsSingle(), Avx.UnpackLow(ba, dc).AsSingle(), Avx.UnpackHigh(ba, dc).AsSingle());
    }

    /// <summary>Four elements of sixteen source lines become sixteen elements of four target lines.</summary>
    private static void Strip(double* source, nint from, double* target, nint to)
    {
        for (var c = 0; c < Block; c += 4, source += 4 * from, target += 4)
        {
            var (a, b) = (Halves(source, 2 * from), Halves(source + from, 2 * from));
            var (d, e) = (Halves(source + 2, 2 * from), Halves(source + from + 2, 2 * from));
            Avx.UnpackLow(a, b).Store(target);
            Avx.UnpackHigh(a, b).Store(target + to);
            Avx.UnpackLow(d, e).Store(target + 2 * to);
            Avx.UnpackHigh(d, e).Store(target + 3 * to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Halves(double* source, nint apart) =>
        Vector256.Create(Vector128.Load(source), Vector128.Load(source + apart));
}
