// A run of elementwise operations as one pass over memory: block by block, with intermediate results in registers of one
// block each, which stay in the first-level cache. What is summed up is summed up block by block as well, while the block is
// there. Planned once, run often, allocates nothing.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Which of the elementwise loops a step of a fused run uses.</summary>
public enum FusedKind : byte
{
    Unary,
    Binary,
    Compare,
    Select,
    Cast,
    AddScaled,

    /// <summary>A column by a row, and a row added to it, rounded once: a product whose sums have one term.</summary>
    Outer,
}

/// <summary>How an operand lies to the rows and columns that a fused run goes over.</summary>
public enum FusedMode : byte
{
    /// <summary>An element for every row and column.</summary>
    Full,

    /// <summary>The same, as some of the columns of a wider array: see <see cref="FusedPlace.Offset"/>.</summary>
    Window,

    /// <summary>One element for all.</summary>
    Scalar,

    /// <summary>An element for every column, the same in all rows.</summary>
    Row,

    /// <summary>An element for every row, the same in all columns.</summary>
    Column,

    /// <summary>Not in memory: a block that lives while the block is worked on.</summary>
    Register,
}

/// <summary>
/// Where a step reads or writes: an array of the plan, or a register. The index is the number of the array among the
/// plan's values, or of the register. A window begins at an offset in every row of an array that has so many columns.
/// </summary>
public readonly record struct FusedPlace(FusedMode Mode, int Index, DType Type, int Offset = 0, int Width = 0);

/// <summary>
/// One operation of a fused run: the function (a <see cref="Unary"/>, <see cref="Binary"/> or <see cref="Comparison"/>) as
/// a code, operands and result as numbers of places (−1 where there is none), and the factor of AddScaled.
/// </summary>
public readonly record struct FusedStep(FusedKind Kind, int Code, int A, int B, int C, int Y, double Scale);

/// <summary>A fused run over rows × columns elements.</summary>
public sealed unsafe partial class FusedLoop
{
    // Elements of a block: with four bytes each, eight registers fill a first-level cache of 32 KB. Where there are fewer, a
    // block has twice as many elements, or four times, which saves calls.
    private const int LeastBlock = 1024, MostBlock = 4096, BlocksBytes = 32 << 10;

    // Element-operations in one chunk of the workers; below twice that, waking them is not worth it.
    private const int ChunkWork = 1 << 16;

    private readonly int rows, columns, registers;
    private readonly FusedPlace[] places;
    private readonly Lie[] lies;
    private readonly Step[] steps;
    private readonly int block, rowsPerBlock, rowsPerChunk, columnsPerChunk;

    // The distances in bytes from row to row and from column to column, and from the array's begin to the first element.
    private readonly record struct Lie(nint Row, nint Column, nint Start);

    // A step with its loop, and how far the operands' elements are apart in a row; flat if rows follow each other without a gap,
    // so that those of a block are done together.
    private struct Step
    {
        public FusedStep Of;
        public nint Loop, A, B, C;
        public DType TypeA, TypeY;
        public bool Flat;
    }

    /// <summary>
    /// Plans a run over rows × columns elements; one row when no operand tells rows from columns. Of every block some sums are
    /// made before the steps, which may write over what those read, and some after them.
    /// </summary>
    public FusedLoop(int rows, int columns, int registers, FusedPlace[] places, FusedStep[] steps, FusedSum[] before, FusedSum[] after)
    {
        (this.rows, this.columns, this.registers, this.places) = (rows, columns, registers, places);
        lies = [.. places.Select(place => LieOf(place, columns))];
        this.steps = [.. steps.Select(Plan)];
        this.before = [.. before.Select(Plan)];
        this.after = [.. after.Select(Plan)];
        FusedSum[] sums = [.. before, .. after];
        accumulates = sums.Any(sum => sum.Kind != FusedSumKind.Dots);
        block = MostBlock;
        while (block > LeastBlock && places.Sum(place => IsWhole(place) ? place.Type.Size() : 0) * block > BlocksBytes) block /= 2;
        rowsPerBlock = Math.Max(1, block / Math.Max(1, columns));
        // Sums over rows are made of pieces, and in these of some rows at a time: blocks end where those do.
        if (sums.Any(sum => sum.Kind == FusedSumKind.Rows))
            rowsPerBlock = Math.Min(Reductions.ColumnPiece, 1 << BitOperations.Log2((uint)rowsPerBlock));
        var operations = steps.Length + sums.Length;
        rowsPerChunk = (int)Math.Clamp(ChunkWork / ((long)Math.Max(1, columns) * operations), 1, int.MaxValue);
        columnsPerChunk = Math.Max(block, ChunkWork / operations / block * block);
    }

    // Whether there is an element for every row and column.
    private static bool IsWhole(FusedPlace place) => place.Mode is FusedMode.Full or FusedMode.Window or FusedMode.Register;

    private static Lie LieOf(FusedPlace place, int columns)
    {
        nint size = place.Type.Size();
        return place.Mode switch
        {
            FusedMode.Full or FusedMode.Register => new(columns * size, size, 0),
            FusedMode.Window => new(place.Width * size, size, place.Offset * size),
            FusedMode.Row => new(0, size, 0),
            FusedMode.Column => new(size, 0, 0),
            _ => new(0, 0, 0),
        };
    }

    private Step Plan(FusedStep step)
    {
        var type = places[step.A].Type;
        var loop = step.Kind switch
        {
            FusedKind.Unary => (nint)ElementwiseLoops.Of((Unary)step.Code, type),
            FusedKind.Binary => (nint)ElementwiseLoops.Of((Binary)step.Code, type),
            FusedKind.Compare => (nint)ElementwiseLoops.Of((Comparison)step.Code, type),
            FusedKind.Outer => (nint)GemmThinLoops.Outer(type),
            _ => 0,
        };
        var flat = new[] { step.A, step.B, step.C, step.Y }.All(place =>
            place < 0 || places[place].Mode is FusedMode.Full or FusedMode.Scalar or FusedMode.Register);
        return new() { Of = step, Loop = loop, A = Apart(step.A), B = Apart(step.B), C = Apart(step.C), TypeA = type, TypeY = places[step.Y].Type, Flat = flat };

        nint Apart(int place) => place < 0 ? 0 : lies[place].Column / places[place].Type.Size();
    }

    /// <summary>Runs over the arrays, all of which lie still in memory.</summary>
    [SkipLocalsInit]
    public void Run(NDArray[] values)
    {
        if (rows == 0 || columns == 0) return;
        var spots = stackalloc Spot[places.Length];
        for (var i = 0; i < places.Length; i++)
        {
            ref readonly var place = ref places[i];
            ref readonly var lie = ref lies[i];
            var at = spots + i;
            at->NextRow = lie.Row;
            if (place.Mode == FusedMode.Register)
            {
                at->Row = at->Column = 0;
                continue;
            }
            at->First = (byte*)Unsafe.AsPointer(ref values[place.Index].Storage!.GetPinnableReference()) + lie.Start;
            at->Row = lie.Row;
            at->Column = lie.Column;
        }
        // Sums are made in the order of their terms.
        var chunks = accumulates ? 1 : rows > 1 ? (rows + rowsPerChunk - 1) / rowsPerChunk : (columns + columnsPerChunk - 1) / columnsPerChunk;
        if (chunks < 2)
        {
            Range(spots, 0, rows, 0, columns);
            return;
        }
        var body = new Body { Loop = this, Spots = spots };
        Workers.Run(chunks, ref body);
    }

    private struct Body : IChunks
    {
        public FusedLoop Loop;
        public Spot* Spots;

        [SkipLocalsInit]
        public readonly void Run(int chunk)
        {
            // every thread has registers of its own
            var own = stackalloc Spot[Loop.places.Length];
            new Span<Spot>(Spots, Loop.places.Length).CopyTo(new(own, Loop.places.Length));
            if (Loop.rows > 1)
            {
                var from = chunk * Loop.rowsPerChunk;
                Loop.Range(own, from, Math.Min(Loop.rows, from + Loop.rowsPerChunk), 0, Loop.columns);
            }
            else
            {
                var from = chunk * Loop.columnsPerChunk;
                Loop.Range(own, 0, 1, from, Math.Min(Loop.columns, from + Loop.columnsPerChunk));
            }
        }
    }

    // Where the elements of a place are: the first of the whole, how many bytes further a later row or column is (a register
    // is the same for all blocks), and how many bytes further the next row of the block.
    private struct Spot
    {
        public byte* First;
        public nint Row, Column, NextRow;
    }

    // A block: some whole rows, or a part of one.
    private struct Block
    {
        public Spot* Spots;
        public int Row, Rows, Column, Columns;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly byte* At(int place) => place < 0 ? null : Spots[place].First + (Row * Spots[place].Row) + (Column * Spots[place].Column);
    }

    private void Range(Spot* spots, int fromRow, int toRow, int fromColumn, int toColumn)
    {
        byte* states = null;
        if (registers + sumBytes > 0)
        {
            var room = (nint)block * sizeof(double);
            var own = Scratch.Of<byte>((registers * room) + sumBytes);
            states = own + (registers * room);
            if (registers > 0)
            {
                for (var i = 0; i < places.Length; i++)
                    if (places[i].Mode == FusedMode.Register) spots[i].First = own + (places[i].Index * room);
            }
        }
        Block part;
        part.Spots = spots;
        for (part.Row = fromRow; part.Row < toRow; part.Row += rowsPerBlock)
        {
            part.Rows = Math.Min(rowsPerBlock, toRow - part.Row);
            for (part.Column = fromColumn; part.Column < toColumn; part.Column += block)
            {
                part.Columns = Math.Min(block, toColumn - part.Column);
                foreach (var sum in before) Add(sum, part, states);
                foreach (ref readonly var step in steps.AsSpan()) Work(step, part);
                foreach (var sum in after) Add(sum, part, states);
            }
        }
        foreach (var sum in before) Finish(sum, spots, states);
        foreach (var sum in after) Finish(sum, spots, states);
    }

    private static void Work(in Step step, in Block block)
    {
        ref readonly var of = ref step.Of;
        byte* a = block.At(of.A), b = block.At(of.B), c = block.At(of.C), y = block.At(of.Y);
        if (of.Kind == FusedKind.Outer)
        {
            ((delegate*<int, int, void*, void*, void*, void*, nint, void>)step.Loop)(block.Rows, block.Columns, a, b, c, y, block.Spots[of.Y].NextRow);
            return;
        }
        if (block.Rows == 1 || step.Flat)
        {
            Apply(step, a, b, c, y, block.Rows * block.Columns);
            return;
        }
        nint nextA = block.Spots[of.A].NextRow, nextB = of.B < 0 ? 0 : block.Spots[of.B].NextRow, nextC = of.C < 0 ? 0 : block.Spots[of.C].NextRow,
            nextY = block.Spots[of.Y].NextRow;
        for (var r = 0; r < block.Rows; r++, a += nextA, b += nextB, c += nextC, y += nextY) Apply(step, a, b, c, y, block.Columns);
    }

    private static void Apply(in Step step, byte* a, byte* b, byte* c, byte* y, int count)
    {
        switch (step.Of.Kind)
        {
            case FusedKind.Unary:
                ((delegate*<void*, void*, nint, void>)step.Loop)(a, y, count);
                break;
            case FusedKind.Binary or FusedKind.Compare:
                ((delegate*<void*, nint, void*, nint, void*, nint, void>)step.Loop)(a, step.A, b, step.B, y, count);
                break;
            case FusedKind.Select:
                ElementwiseLoops.Select(step.TypeY.Size(), a, step.A, b, step.B, c, step.C, y, count);
                break;
            case FusedKind.Cast:
                ElementwiseCasts.Run(step.TypeA, a, step.TypeY, y, count);
                break;
            default:
                ElementwiseLoops.AddScaled(step.TypeY, step.Of.Scale, a, step.A, b, step.B, y, count);
                break;
        }
    }
}
