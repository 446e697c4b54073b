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
/// plan's values, or of the register.
/// </summary>
public readonly record struct FusedPlace(FusedMode Mode, int Index, DType Type);

/// <summary>
/// One operation of a fused run: the function (a <see cref="Unary"/>, <see cref="Binary"/> or <see cref="Comparison"/>) as
/// a code, operands and result as numbers of places (−1 where there is none), and the factor of AddScaled.
/// </summary>
public readonly record struct FusedStep(FusedKind Kind, int Code, int A, int B, int C, int Y, double Scale);

/// <summary>A fused run over rows × columns elements.</summary>
public sealed unsafe class FusedLoop
{
    // Elements of a block: with eight bytes each, eight registers fill a first-level cache of 64 KB.
    private const int Block = 1024;

    // Element-operations in one chunk of the workers; below twice that, waking them is not worth it.
    private const int ChunkWork = 1 << 16;

    private readonly int rows, columns, registers;
    private readonly FusedPlace[] places;
    private readonly FusedStep[] steps;
    private readonly nint[] loops;
    private readonly int rowsPerChunk;

    /// <summary>Plans a run over rows × columns elements; one row when no operand tells rows from columns.</summary>
    public FusedLoop(int rows, int columns, int registers, FusedPlace[] places, FusedStep[] steps)
    {
        (this.rows, this.columns, this.registers, this.places, this.steps) = (rows, columns, registers, places, steps);
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
        var work = (long)Math.Max(1, columns) * steps.Length;
        rowsPerChunk = (int)Math.Clamp(ChunkWork / work, 1, int.MaxValue);
    }

    /// <summary>Runs over the arrays, all of which lie still in memory.</summary>
    public void Run(NDArray[] values)
    {
        if (rows == 0 || columns == 0) return;
        var bases = stackalloc byte*[places.Length];
        for (var i = 0; i < places.Length; i++)
        {
            if (places[i].Mode != FusedMode.Register)
                bases[i] = (byte*)Unsafe.AsPointer(ref values[places[i].Index].Storage!.GetPinnableReference());
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
            for (var row = fromRow; row < toRow; row++)
            {
                for (var column = fromColumn; column < toColumn; column += Block)
                    loop.Work(Bases, registers, row, column, Math.Min(Block, toColumn - column));
            }
        }
    }

    private void Work(byte** bases, byte* registers, int row, int column, int count)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            ref readonly var step = ref steps[i];
            var a = At(step.A, out var aStride);
            var y = At(step.Y, out _);
            switch (step.Kind)
            {
                case FusedKind.Unary:
                    ((delegate*<void*, void*, nint, void>)loops[i])(a, y, count);
                    break;
                case FusedKind.Binary or FusedKind.Compare:
                    {
                        var b = At(step.B, out var bStride);
                        ((delegate*<void*, nint, void*, nint, void*, nint, void>)loops[i])(a, aStride, b, bStride, y, count);
                        break;
                    }
                case FusedKind.Select:
                    {
                        var b = At(step.B, out var bStride);
                        var c = At(step.C, out var cStride);
                        ElementwiseLoops.Select(places[step.Y].Type.Size(), a, aStride, b, bStride, c, cStride, y, count);
                        break;
                    }
                case FusedKind.Cast:
                    ElementwiseCasts.Run(places[step.A].Type, a, places[step.Y].Type, y, count);
                    break;
                default:
                    {
                        var b = At(step.B, out var bStride);
                        if (places[step.Y].Type == DType.Float32)
                            ElementwiseLoops.AddScaled((float)step.Scale, (float*)a, aStride, (float*)b, bStride, (float*)y, count);
                        else
                            ElementwiseLoops.AddScaled(step.Scale, (double*)a, aStride, (double*)b, bStride, (double*)y, count);
                        break;
                    }
            }
        }

        byte* At(int index, out nint stride)
        {
            ref readonly var place = ref places[index];
            var size = place.Type.Size();
            stride = 1;
            switch (place.Mode)
            {
                case FusedMode.Full: return bases[index] + ((((nint)row * columns) + column) * size);
                case FusedMode.Row: return bases[index] + ((nint)column * size);
                case FusedMode.Register: return registers + ((nint)place.Index * Block * sizeof(double));
                case FusedMode.Column:
                    stride = 0;
                    return bases[index] + ((nint)row * size);
                default:
                    stride = 0;
                    return bases[index];
            }
        }
    }
}
