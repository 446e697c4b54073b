using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// What an elementwise kernel with two or three operands does with a run of consecutive results. A stride is 1 for an
/// operand that advances and 0 for one that stands still.
/// </summary>
internal unsafe interface IRun
{
    void Invoke(void* a, nint aStride, void* b, nint bStride, void* c, nint cStride, void* y, nint count);
}

/// <summary>An operand of a broadcasting kernel: its first element, the bytes an element takes, its shape.</summary>
internal readonly unsafe struct Operand(byte* data, int width, int[] shape)
{
    public readonly byte* Data = data;
    public readonly int Width = width;
    public readonly int[] Shape = shape;

    public nint Size
    {
        get
        {
            nint size = 1;
            foreach (var n in Shape) size *= n;
            return size;
        }
    }
}

/// <summary>
/// Broadcasting without copies. Neighbouring axes over which every operand either advances evenly or stands still are
/// merged; what remains is a nest of loops around runs of consecutive results. Most arrays have one run or one loop.
/// </summary>
internal static unsafe class Broadcast
{
    /// <summary>Work of fewer pieces than this is done at once on the calling thread.</summary>
    public const int LeastPieces = 3;

    /// <summary>Elements in a run made of repeated short ones.</summary>
    private const int Tile = 512;

    public static void Invoke<TRun>(TRun run, Operand a, Operand b, Operand c, Operand y, int grain)
        where TRun : struct, IRun
    {
        nint count = y.Size, aSize = a.Size, bSize = b.Size, cSize = c.Size;
        if (count == 0) return;
        var nest = new Nest<TRun> { Run = run, A = a.Data, B = b.Data, C = c.Data, Y = y.Data, AWidth = a.Width, BWidth = b.Width, CWidth = c.Width, YWidth = y.Width };
        if ((aSize == count || aSize == 1) && (bSize == count || bSize == 1) && (cSize == count || cSize == 1))
        {
            nint aStride = aSize == count ? 1 : 0, bStride = bSize == count ? 1 : 0, cStride = cSize == count ? 1 : 0;
            if (count < (nint)grain * LeastPieces)
            {
                run.Invoke(a.Data, aStride, b.Data, bStride, c.Data, cStride, y.Data, count);
                return;
            }
            var axis = new Axis { Size = count, A = aStride, B = bStride, C = cStride };
            nest.Axes = &axis;
            nest.Depth = 1;
            nest.Invoke(grain);
            return;
        }
        var rank = y.Shape.Length;
        var axes = stackalloc Axis[rank];
        nest.Axes = axes;
        nest.Depth = Merge(a.Shape, b.Shape, c.Shape, y.Shape, axes);
        if (nest.Depth != 2 || axes->Size > Tile / 2 || count < Tile / 2 || !InvokeTiled(nest, grain)) nest.Invoke(grain);
    }

    /// <summary>
    /// Many short runs, where an operand repeats the same one (a row added to every row): that run is laid out several
    /// times in a row, and the runs become longer. False if an operand does anything else.
    /// </summary>
    [SkipLocalsInit]
    private static bool InvokeTiled<TRun>(Nest<TRun> nest, int grain)
        where TRun : struct, IRun
    {
        var tiles = stackalloc byte[3 * 8 * Tile];
        Axis inner = nest.Axes[0], outer = nest.Axes[1];
        nint times = Math.Min(Tile / inner.Size, outer.Size), length = times * inner.Size;
        var longer = new Axis { Size = length };
        var fewer = new Axis { Size = outer.Size / times };
        if (!Lengthen(ref nest.A, nest.AWidth, inner.A, outer.A, tiles, out longer.A, out fewer.A)
            || !Lengthen(ref nest.B, nest.BWidth, inner.B, outer.B, tiles + 8 * Tile, out longer.B, out fewer.B)
            || !Lengthen(ref nest.C, nest.CWidth, inner.C, outer.C, tiles + 16 * Tile, out longer.C, out fewer.C))
            return false;
        var rest = outer.Size % times * inner.Size;
        nest.Axes[0] = longer;
        nest.Axes[1] = fewer;
        nest.Invoke(grain);
        if (rest == 0) return true;
        var done = fewer.Size;
        nest.Run.Invoke(
            nest.A + done * fewer.A * nest.AWidth, longer.A, nest.B + done * fewer.B * nest.BWidth, longer.B,
            nest.C + done * fewer.C * nest.CWidth, longer.C, nest.Y + done * length * nest.YWidth, rest);
        return true;

        bool Lengthen(ref byte* data, int width, nint stride, nint next, byte* tile, out nint longStride, out nint longNext)
        {
            (longStride, longNext) = (stride, next == 0 ? 0 : length);
            if (next == stride * inner.Size) return true;
            if (next != 0 || stride != 1) return false;
            nint filled = inner.Size * width, all = length * width;
            Unsafe.CopyBlockUnaligned(tile, data, (uint)filled);
            for (; filled < all; filled *= 2) Unsafe.CopyBlockUnaligned(tile + filled, tile, (uint)Math.Min(filled, all - filled));
            data = tile;
            return true;
        }
    }

    /// <summary>The loops, innermost first.</summary>
    private static int Merge(int[] a, int[] b, int[] c, int[] y, Axis* axes)
    {
        var depth = 0;
        nint aNext = 1, bNext = 1, cNext = 1;
        for (var back = 1; back <= y.Length; back++)
        {
            var size = y[^back];
            var axis = new Axis { Size = size, A = Stride(a, back, ref aNext), B = Stride(b, back, ref bNext), C = Stride(c, back, ref cNext) };
            if (size == 1) continue;
            if (depth > 0 && axes[depth - 1].Continues(axis)) axes[depth - 1].Size *= size;
            else axes[depth++] = axis;
        }
        return depth;
    }

    private static nint Stride(int[] shape, int back, ref nint next)
    {
        if (back > shape.Length || shape[^back] == 1) return 0;
        var stride = next;
        next *= shape[^back];
        return stride;
    }

    private struct Axis
    {
        public nint Size, A, B, C;

        /// <summary>Whether an outer axis goes on where this one ends, for every operand.</summary>
        public readonly bool Continues(Axis outer) => outer.A == A * Size && outer.B == B * Size && outer.C == C * Size;
    }

    private struct Nest<TRun> : IChunks
        where TRun : struct, IRun
    {
        public TRun Run;
        public byte* A, B, C, Y;
        public int AWidth, BWidth, CWidth, YWidth;
        public Axis* Axes;
        public int Depth;

        private nint rows, rowsInPiece, piecesInRow, piece;

        public void Invoke(int grain)
        {
            rows = 1;
            for (var i = 1; i < Depth; i++) rows *= Axes[i].Size;
            var inner = Axes->Size;
            if (rows * inner < (nint)grain * LeastPieces)
            {
                (rowsInPiece, piecesInRow, piece) = (rows, 1, inner);
                Piece(0);
                return;
            }
            rowsInPiece = Math.Max(1, grain / inner);
            piecesInRow = inner <= grain ? 1 : (inner + grain - 1) / grain;
            piece = Math.Min(inner, grain);
            Workers.Run((int)((rows + rowsInPiece - 1) / rowsInPiece * piecesInRow), ref this);
        }

        void IChunks.Run(int chunk) => Piece(chunk);

        private void Piece(int chunk)
        {
            var inner = Axes[0];
            nint row = chunk / piecesInRow * rowsInPiece, last = Math.Min(row + rowsInPiece, rows);
            nint from = chunk % piecesInRow * piece, count = Math.Min(piece, inner.Size - from);
            for (; row < last; row++)
            {
                nint a = from * inner.A, b = from * inner.B, c = from * inner.C, rest = row;
                for (var i = 1; i < Depth; i++)
                {
                    // The outermost place needs no division.
                    var index = rest;
                    if (i < Depth - 1) (rest, index) = (rest / Axes[i].Size, rest % Axes[i].Size);
                    a += index * Axes[i].A;
                    b += index * Axes[i].B;
                    c += index * Axes[i].C;
                }
                Run.Invoke(
                    A + a * AWidth, inner.A, B + b * BWidth, inner.B, C + c * CWidth, inner.C,
                    Y + (row * inner.Size + from) * YWidth, count);
            }
        }
    }
}
