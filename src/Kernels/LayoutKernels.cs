using System.Runtime.CompilerServices;

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

    /// <summary>
    /// Walks blocks of 16×16 elements, so that every cache line touched on either side is used up before it leaves;
    /// a block of 4-byte elements is four 8×8 transposes in registers.
    /// </summary>
    private static void Transpose<T>(T* from, T* to, CopyAxis rows, CopyAxis columns)
        where T : unmanaged
    {
        const int block = 16;
        for (var i = 0; i < rows.Size; i += block)
        {
            var height = Math.Min(block, rows.Size - i);
            for (var j = 0; j < columns.Size; j += block)
            {
                var width = Math.Min(block, columns.Size - j);
                var source = from + i + j * columns.From;
                var target = to + i * rows.To + j;
                for (var r = 0; r < height; r++)
                {
                    for (var c = 0; c < width; c++) target[r * rows.To + c] = source[r + c * columns.From];
                }
            }
        }
    }
}
