// A run of elementwise operations as one pass over memory: block by block, with intermediate results in registers of one
// block each, which stay in the first-level cache. Planned once, run often, allocates nothing.
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
public sealed unsafe class FusedLoop
{
    // Elements of a block: with four bytes each, eight registers fill a first-level cache of 32 KB.
    private const int Block = 1024;

    // Element-operations in one chunk of the workers; below twice that, waking them is not worth it.
    private const int ChunkWork = 1 << 16;

    private readonly int rows, columns, registers;
    private readonly FusedPlace[] places;
    private readonly Lie[] lies;
    private readonly FusedStep[] steps;
    private readonly nint[] loops;
    private readonly bool[] flat;
    private readonly int rowsPerBlock, rowsPerChunk;

    // The distances in bytes from row to row, from the array's begin to the first element, and in elements from column
    // to column.
    private readonly record struct Lie(nint Row, nint Start, nint Column);

    /// <summary>Plans a run over rows × columns elements; one row when no operand tells rows from columns.</summary>
    public FusedLoop(int rows, int columns, int registers, FusedPlace[] places, FusedStep[] steps)
    {
        (this.rows, this.columns, this.registers, this.places, this.steps) = (rows, columns, registers, places, steps);
        lies = [.. places.Select(place => LieOf(place, columns))];
        // Steps over operands whose rows follow each other take the rows of a block together.
        flat = [.. steps.Select(step => new[] { step.A, step.B, step.C, step.Y }.All(place =>
            place < 0 || places[place].Mode is FusedMode.Full or FusedMode.Scalar or FusedMode.Register))];
        loops = new nint[steps.Length];
        for (var i = 0; i < steps.Length; i++)
        {
            var type = places[steps[i].A].Type;
            loops[i] = steps[i].Kind switch
            {
                FusedKind.Unary => (nint)ElementwiseLoops.Of((Unary)steps[i].Code, type),
                FusedKind.Binary => (nint)ElementwiseLoops.Of((Binary)steps[i].Code, type),
                FusedKind.Compare => (nint)ElementwiseLoops.Of((Comparison)steps[i].Code, type),
                _ => 0,
            };
        }
        rowsPerBlock = Math.Max(1, Block / Math.Max(1, columns));
        var work = (long)Math.Max(1, columns) * steps.Length;
        rowsPerChunk = (int)Math.Clamp(ChunkWork / work, 1, int.MaxValue);
    }

    private static Lie LieOf(FusedPlace place, int columns)
    {
        nint size = place.Type.Size();
        return place.Mode switch
        {
            FusedMode.Full or FusedMode.Register => new(columns * size, 0, 1),
            FusedMode.Window => new(place.Width * size, place.Offset * size, 1),
            FusedMode.Row => new(0, 0, 1),
            FusedMode.Column => new(size, 0, 0),
            _ => new(0, 0, 0),
        };
    }

    /// <summary>Runs over the arrays, all of which lie still in memory.</summary>
    public void Run(NDArray[] values)
    {
        if (rows == 0 || columns == 0) return;
        var bases = stackalloc byte*[places.Length];
        for (var i = 0; i < places.Length; i++)
        {
            if (places[i].Mode != FusedMode.Register)
                bases[i] = (byte*)Unsafe.AsPointer(ref values[places[i].Index].Storage!.GetPinnableReference()) + lies[i].Start;
        }
        var body = new Body { Loop = this, Bases = bases };
        var chunks = rows > 1 ? (rows + rowsPerChunk - 1) / rowsPerChunk : (columns + ColumnsPerChunk - 1) / ColumnsPerChunk;
        if (chunks < 2) body.Range(0, rows, 0, columns);
        else Workers.Run(chunks, ref body);
    }

    private int ColumnsPerChunk => Math.Max(Block, ChunkWork / steps.Length / Block * Block);

    private struct Body : IChunks
    {
        public FusedLoop Loop;
        public byte** Bases;

        public readonly void Run(int chunk)
        {
            if (Loop.rows > 1)
            {
                var from = chunk * Loop.rowsPerChunk;
                Range(from, Math.Min(Loop.rows, from + Loop.rowsPerChunk), 0, Loop.columns);
            }
            else
            {
                var from = chunk * Loop.ColumnsPerChunk;
                Range(0, 1, from, Math.Min(Loop.columns, from + Loop.ColumnsPerChunk));
            }
        }

        public readonly void Range(int fromRow, int toRow, int fromColumn, int toColumn)
        {
            var loop = Loop;
            var registers = loop.registers == 0 ? null : Scratch.Of<byte>((long)loop.registers * Block * sizeof(double));
            for (var row = fromRow; row < toRow; row += loop.rowsPerBlock)
            {
                var rows = Math.Min(loop.rowsPerBlock, toRow - row);
                for (var column = fromColumn; column < toColumn; column += Block)
                    loop.Work(Bases, registers, row, rows, column, Math.Min(Block, toColumn - column));
            }
        }
    }

    // A block: some whole rows, or a part of one.
    private void Work(byte** bases, byte* registers, int row, int rows, int column, int count)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            ref readonly var step = ref steps[i];
            var a = At(step.A);
            var b = step.B < 0 ? null : At(step.B);
            var c = step.C < 0 ? null : At(step.C);
            var y = At(step.Y);
            if (rows == 1 || flat[i])
            {
                Apply(i, a, b, c, y, rows * count);
                continue;
            }
            nint rowA = lies[step.A].Row, rowB = step.B < 0 ? 0 : lies[step.B].Row, rowC = step.C < 0 ? 0 : lies[step.C].Row, rowY = lies[step.Y].Row;
            for (var r = 0; r < rows; r++, a += rowA, b += rowB, c += rowC, y += rowY) Apply(i, a, b, c, y, count);
        }

        byte* At(int index)
        {
            ref readonly var place = ref places[index];
            if (place.Mode == FusedMode.Register) return registers + ((nint)place.Index * Block * sizeof(double));
            ref readonly var lie = ref lies[index];
            return bases[index] + (row * lie.Row) + (column * lie.Column * place.Type.Size());
        }
    }

    private void Apply(int i, byte* a, byte* b, byte* c, byte* y, int count)
    {
        ref readonly var step = ref steps[i];
        switch (step.Kind)
        {
            case FusedKind.Unary:
                ((delegate*<void*, void*, nint, void>)loops[i])(a, y, count);
                break;
            case FusedKind.Binary or FusedKind.Compare:
                ((delegate*<void*, nint, void*, nint, void*, nint, void>)loops[i])(a, lies[step.A].Column, b, lies[step.B].Column, y, count);
                break;
            case FusedKind.Select:
                ElementwiseLoops.Select(
                    places[step.Y].Type.Size(), a, lies[step.A].Column, b, lies[step.B].Column, c, lies[step.C].Column, y, count);
                break;
            case FusedKind.Cast:
                ElementwiseCasts.Run(places[step.A].Type, a, places[step.Y].Type, y, count);
                break;
            default:
                if (places[step.Y].Type == DType.Float32)
                    ElementwiseLoops.AddScaled((float)step.Scale, (float*)a, lies[step.A].Column, (float*)b, lies[step.B].Column, (float*)y, count);
                else
                    ElementwiseLoops.AddScaled(step.Scale, (double*)a, lies[step.A].Column, (double*)b, lies[step.B].Column, (double*)y, count);
                break;
        }
    }
}
