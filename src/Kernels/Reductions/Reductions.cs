using System.Buffers;

namespace Functional.Kernels;

/// <summary>
/// Reductions over any axes. Axes are merged into kept and reduced groups, and the reduced groups are taken one after the
/// other, the last first; a long group is cut into pieces of fixed size whose results are reduced again. So the order of
/// additions, and every bit of a sum, is the same for any number of threads.
/// </summary>
public static unsafe partial class Reductions
{
    /// <summary>Elements of a row, and rows under each other, that are reduced in one go.</summary>
    internal const int RowPiece = 16384, ColumnPiece = 256;

    /// <summary>Columns a thread takes at once.</summary>
    private const int ColumnBlock = 1024;

    /// <summary>Elements in a chunk of work for the threads; less than four of them are done on the calling thread.</summary>
    private const int Grain = 32768;

    /// <summary>
    /// y = the reduction of x over axes: the sum of nothing is 0, its product 1, its maximum −∞ (integers: the least), its
    /// minimum +∞ (integers: the greatest). Max and Min are NaN where an element is. Of Bool, Max is "any", Min is "all".
    /// </summary>
    /// <param name="op">The reduction.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="axes">The axes reduced, none twice, in any order.</param>
    /// <param name="y">Storage for the result: the elements of the kept axes, whether or not its shape shows the reduced ones as 1.</param>
    /// <exception cref="NotSupportedException">The reduction is not defined for the element type.</exception>
    public static void Reduce(Reduction op, NDArray x, int[] axes, NDArray y)
    {
        var kernel = ReductionKernel.Of(op, x.DType);
        var inline = Elementwise.Inline(x);
        fixed (byte* p = x.Storage, q = y.Storage)
            Reduce(kernel, kernel, x.Storage is null ? (byte*)&inline : p, null, x.Shape, axes, q, x.DType.Size());
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>y = the sum over axes of a·b. Operands of one shape are multiplied on the way; others broadcast first.</summary>
    /// <exception cref="NotSupportedException">Sums are not defined for the element type.</exception>
    public static void SumProduct(NDArray a, NDArray b, int[] axes, NDArray y)
    {
        var kernel = ReductionKernel.OfProducts(a.DType);
        var sum = ReductionKernel.Of(Reduction.Sum, a.DType);
        var width = a.DType.Size();
        if (!a.Shape.AsSpan().SequenceEqual(b.Shape))
        {
            var product = NDArray.Allocate(Together(a.Shape, b.Shape), a.DType);
            Elementwise.Binary(Binary.Mul, a, b, product);
            Reduce(Reduction.Sum, product, axes, y);
            return;
        }
        long aInline = Elementwise.Inline(a), bInline = Elementwise.Inline(b);
        fixed (byte* p = a.Storage, q = b.Storage, to = y.Storage)
            Reduce(kernel, sum, a.Storage is null ? (byte*)&aInline : p, b.Storage is null ? (byte*)&bInline : q, a.Shape, axes, to, width);
        GC.KeepAlive(a.Storage);
        GC.KeepAlive(b.Storage);
        GC.KeepAlive(y.Storage);
    }

    private static int[] Together(int[] a, int[] b)
    {
        if (a.Length < b.Length) (a, b) = (b, a);
        var shape = (int[])a.Clone();
        for (var back = 1; back <= b.Length; back++)
            if (shape[^back] == 1) shape[^back] = b[^back];
        return shape;
    }

    /// <summary>The first pass is done by <paramref name="kernel"/>, what its results need by <paramref name="combine"/>.</summary>
    private static void Reduce(ReductionKernel kernel, ReductionKernel combine, byte* a, byte* b, int[] shape, int[] axes, byte* y, int width)
    {
        // Groups of neighbouring axes, alternately kept and reduced; axes of one element belong anywhere.
        var groups = stackalloc nint[shape.Length + 1];
        var count = 0;
        var reduced = false;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1) continue;
            var also = Array.IndexOf(axes, axis) >= 0;
            if (count > 0 && also == reduced) groups[count - 1] *= shape[axis];
            else groups[count++] = shape[axis];
            reduced = also;
        }
        var last = reduced ? count - 1 : count - 2;
        nint inner = reduced || count == 0 ? 1 : groups[count - 1];
        // With no group to reduce, every element is a column of one row.
        if (last < 0) Pass(kernel, combine, a, b, 1, 1, inner, y, width);
        else Reduce(kernel, combine, a, b, groups, last, inner, y, width);
    }

    /// <summary>Reduces the group at <paramref name="last"/> and every second one before it; after it stand inner elements, all kept.</summary>
    private static void Reduce(ReductionKernel kernel, ReductionKernel combine, byte* a, byte* b, nint* groups, int last, nint inner, byte* y, int width)
    {
        nint outer = 1;
        for (var i = 0; i < last; i++) outer *= groups[i];
        if (last < 2)
        {
            Pass(kernel, combine, a, b, outer, groups[last], inner, y, width);
            return;
        }
        var results = ArrayPool<byte>.Shared.Rent((int)(outer * inner * width));
        fixed (byte* p = results)
        {
            Pass(kernel, combine, a, b, outer, groups[last], inner, p, width);
            Reduce(combine, combine, p, null, groups, last - 2, inner * groups[last - 1], y, width);
        }
        ArrayPool<byte>.Shared.Return(results);
    }

    /// <summary>How many elements of a row, or rows under each other, are reduced in one go before their results are.</summary>
    internal static nint PieceOf(nint count, bool ofRow)
    {
        nint piece = ofRow ? RowPiece : ColumnPiece;
        return count <= 2 * piece ? count : piece;
    }

    /// <summary>What the pieces of a sum give together; columns of them, or one.</summary>
    internal static void OfPieces(DType type, byte* pieces, nint count, nint columns, byte* y)
    {
        var sum = ReductionKernel.Of(Reduction.Sum, type);
        Pass(sum, sum, pieces, null, 1, count, columns, y, type.Size());
    }

    /// <summary>Reduces the middle of outer × count × inner elements.</summary>
    private static void Pass(ReductionKernel kernel, ReductionKernel combine, byte* a, byte* b, nint outer, nint count, nint inner, byte* y, int width)
    {
        var piece = PieceOf(count, inner == 1);
        if (piece == count)
        {
            new Pieces(kernel, a, b, outer, count, inner, count, y, width).Invoke();
            return;
        }
        var pieces = (count + piece - 1) / piece;
        var results = ArrayPool<byte>.Shared.Rent((int)(outer * pieces * inner * width));
        fixed (byte* p = results)
        {
            new Pieces(kernel, a, b, outer, count, inner, piece, p, width).Invoke();
            Pass(combine, combine, p, null, outer, pieces, inner, y, width);
        }
        ArrayPool<byte>.Shared.Return(results);
    }

    /// <summary>A pass in tasks: one for every outer index, piece of the count and block of columns.</summary>
    private struct Pieces(ReductionKernel kernel, byte* a, byte* b, nint outer, nint count, nint inner, nint piece, byte* y, int width) : IChunks
    {
        private readonly nint pieces = count == 0 ? 1 : (count + piece - 1) / piece;
        private readonly nint blocks = (inner + ColumnBlock - 1) / ColumnBlock;
        private nint tasks, tasksInChunk;

        public void Invoke()
        {
            tasks = outer * pieces * blocks;
            if (tasks == 0) return;
            var all = outer * count * inner < 4 * Grain;
            tasksInChunk = all ? tasks : Math.Max(1, Grain / (Math.Min(piece, count) * Math.Min(inner, ColumnBlock)));
            if (all) Run(0);
            else Workers.Run((int)((tasks + tasksInChunk - 1) / tasksInChunk), ref this);
        }

        public readonly void Run(int chunk)
        {
            nint task = chunk * tasksInChunk, end = Math.Min(task + tasksInChunk, tasks);
            if (inner == 1 && pieces == 1)
            {
                for (; task < end; task++) Row(task * count, count, task);
                return;
            }
            for (; task < end; task++)
            {
                var (rest, block) = Math.DivRem(task, blocks);
                var (o, part) = Math.DivRem(rest, pieces);
                nint from = part * piece, some = Math.Min(piece, count - from);
                if (inner == 1)
                {
                    Row(o * count + from, some, rest);
                    continue;
                }
                nint column = block * ColumnBlock, columns = Math.Min(ColumnBlock, inner - column);
                var start = ((o * count + from) * inner + column) * width;
                kernel.Columns(a + start, b + start, some, inner, columns, y + (rest * inner + column) * width, false);
            }
        }

        private readonly void Row(nint start, nint some, nint result) =>
            kernel.Row(a + start * width, b + start * width, some, null, false, y + result * width);
    }
}
