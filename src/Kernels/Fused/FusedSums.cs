// What a fused run sums up: of every block, while it is in the first-level cache, in the order and the pieces in which the
// kernel that does nothing else would, so that the bits are the same.
namespace Functional.Kernels;

/// <summary>Over what a fused run adds up its elements.</summary>
public enum FusedSumKind : byte
{
    /// <summary>Over all elements, each times that of a second operand if there is one: one number.</summary>
    All,

    /// <summary>The same over the rows: a number for every column.</summary>
    Rows,

    /// <summary>Over the rows, each times its element of a column: a product with a vector from the left.</summary>
    Weighted,

    /// <summary>Over the columns, each times its element of a row: a product with a vector from the right.</summary>
    Dots,
}

/// <summary>
/// A sum of the elements at a, times those at b (−1 where there are none), by the numbers of their places. The result is
/// onto + scale·sum where there is such a place; of dot products it is onto + sum, one number for all rows.
/// </summary>
public readonly record struct FusedSum(FusedSumKind Kind, int A, int B, int Onto, double Scale, int Y);

public sealed unsafe partial class FusedLoop
{
    private readonly PlannedSum[] before, after;

    // Whether there are sums that go on from block to block, and the bytes they need meanwhile.
    private readonly bool accumulates;
    private nint sumBytes;

    /// <summary>The most columns that the run may have for sums over its rows: blocks then have whole groups of rows.</summary>
    public static int MostColumns => LeastBlock / ReductionKernel.Steps;

    /// <summary>The most columns for dot products: whole rows are in a block.</summary>
    public static int MostColumnsOfDots => LeastBlock;

    /// <summary>Whether elements so many times over are shared by threads, which sums that go on from block to block are not.</summary>
    /// <param name="elements">The elements of the run.</param>
    /// <param name="steps">Its operations.</param>
    public static bool IsShared(long elements, int steps) => Workers.Count > 1 && elements * steps >= 2 * ChunkWork;

    private sealed class PlannedSum(FusedSum sum, DType type)
    {
        public readonly FusedSum Sum = sum;
        public readonly DType Type = type;
        public ReductionKernel Kernel;
        public nint Loop;

        // The elements, or the rows, of a piece; how many pieces; and the bytes of a piece's results.
        public nint Piece, Pieces, Results;

        // Where the state, and after it the results of the pieces, are.
        public nint State;
    }

    private PlannedSum Plan(FusedSum sum)
    {
        var type = places[sum.A].Type;
        var planned = new PlannedSum(sum, type) { State = sumBytes, Pieces = 1 };
        switch (sum.Kind)
        {
            case FusedSumKind.All or FusedSumKind.Rows:
                var all = sum.Kind == FusedSumKind.All;
                nint count = all ? (nint)rows * columns : rows;
                planned.Kernel = sum.B < 0 ? ReductionKernel.Of(Reduction.Sum, type) : ReductionKernel.OfProducts(type);
                planned.Piece = Reductions.PieceOf(count, all);
                planned.Pieces = (count + planned.Piece - 1) / planned.Piece;
                planned.Results = type.Size() * (all ? 1 : columns);
                break;
            case FusedSumKind.Weighted:
                planned.Loop = (nint)GemmThinLoops.Rows(type);
                planned.Results = type.Size() * columns;
                break;
            default:
                planned.Loop = (nint)GemmThinLoops.Dots(type);
                return planned;
        }
        // One result more for what the pieces give together.
        sumBytes += ReductionKernel.StateBytes + ((planned.Pieces + 1) * planned.Results);
        sumBytes = (sumBytes + ReductionKernel.StateBytes - 1) & -ReductionKernel.StateBytes;
        return planned;
    }

    // Adds a block to a sum.
    private void Add(PlannedSum planned, in Block block, byte* states)
    {
        ref readonly var sum = ref planned.Sum;
        byte* a = block.At(sum.A), b = block.At(sum.B), onto = block.At(sum.Onto), y = block.At(sum.Y);
        byte* state = states + planned.State, results = state + ReductionKernel.StateBytes;
        switch (sum.Kind)
        {
            case FusedSumKind.All:
                nint all = (nint)rows * columns, first = ((nint)block.Row * columns) + block.Column, count = (nint)block.Rows * block.Columns;
                var (piece, before) = Math.DivRem(first, planned.Piece);
                var last = first + count == all || before + count == planned.Piece;
                planned.Kernel.Row(a, b, count, state, before > 0, last ? results + (piece * planned.Results) : null);
                break;
            case FusedSumKind.Rows:
                (piece, before) = Math.DivRem(block.Row, planned.Piece);
                planned.Kernel.Columns(a, b, block.Rows, columns, columns, results + (piece * planned.Results), before > 0);
                break;
            case FusedSumKind.Weighted:
                var ends = block.Row + block.Rows == rows;
                ((delegate*<nint, int, void*, void*, void*, void*, double, void*, void>)planned.Loop)(
                    block.Rows, columns, b, a, block.Row == 0 ? null : results, ends ? onto : null, sum.Scale, ends ? y : results);
                break;
            default:
                ((delegate*<int, nint, void*, nint, void*, void*, void*, void>)planned.Loop)(
                    block.Rows, columns, a, columns, b, onto, y);
                break;
        }
    }

    // Makes the result of the pieces.
    private static void Finish(PlannedSum planned, Spot* spots, byte* states)
    {
        ref readonly var sum = ref planned.Sum;
        if (sum.Kind is FusedSumKind.Weighted or FusedSumKind.Dots) return;
        var type = planned.Type;
        var result = states + planned.State + ReductionKernel.StateBytes;
        var count = planned.Results / type.Size();
        if (planned.Pieces > 1)
        {
            var together = result + (planned.Pieces * planned.Results);
            Reductions.OfPieces(type, result, planned.Pieces, count, together);
            result = together;
        }
        var y = spots[sum.Y].First;
        if (sum.Onto < 0) Buffer.MemoryCopy(result, y, planned.Results, planned.Results);
        else ElementwiseLoops.AddScaled(type, sum.Scale, spots[sum.Onto].First, 1, result, 1, y, count);
    }
}
