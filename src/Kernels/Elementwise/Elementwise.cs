using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>
/// Elementwise kernels over arrays. The result is preallocated storage, also when it is 0-d, and may be an operand of its
/// own shape; operands may be 0-d inline and broadcast to the result's shape without being copied. Large work is divided
/// among the workers in pieces whose size does not depend on their number.
/// </summary>
public static unsafe class Elementwise
{
    /// <summary>Results in a piece of work: some microseconds of it.</summary>
    private const int CheapGrain = 16384, FunctionGrain = 12288, LibraryGrain = 512;

    /// <summary>y = op(x), of one shape.</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static void Unary(Unary op, NDArray x, NDArray y)
    {
        var loop = ElementwiseLoops.Of(op, x.DType);
        var inline = Inline(x);
        fixed (byte* p = x.Storage, q = y.Storage)
        {
            var from = x.Storage is null ? (byte*)&inline : p;
            var (count, grain) = (y.Size, Grain(op));
            if (count < Broadcast.LeastPieces * grain)
            {
                loop(from, q, count);
            }
            else
            {
                var pieces = new MapPieces { Loop = loop, From = from, To = q, Count = count, Grain = grain, Width = x.DType.Size() };
                Workers.Run((count - 1) / grain + 1, ref pieces);
            }
        }
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>y = op(a, b); a and b broadcast to the shape of y.</summary>
    /// <exception cref="NotSupportedException">The function is not defined for the element type.</exception>
    public static void Binary(Binary op, NDArray a, NDArray b, NDArray y) =>
        Zip(new ZipRun { Loop = ElementwiseLoops.Of(op, a.DType) }, a, b, y, Grain(op));

    /// <summary>y = op(a, b) as Bool; a and b broadcast to the shape of y.</summary>
    public static void Compare(Comparison op, NDArray a, NDArray b, NDArray y) =>
        Zip(new ZipRun { Loop = ElementwiseLoops.Of(op, a.DType) }, a, b, y, CheapGrain);

    /// <summary>y = a + s·b, the product not rounded; a, b and y have one float type and one shape.</summary>
    public static void AddScaled(double s, NDArray a, NDArray b, NDArray y)
    {
        if (!y.DType.IsFloat()) throw new NotSupportedException($"add scaled: not defined for {y.DType}; cast to a float type");
        Zip(new AddScaledRun { Type = y.DType, Scale = s }, a, b, y, CheapGrain);
    }

    /// <summary>y = mask ? a : b; all three broadcast to the shape of y.</summary>
    public static void Select(NDArray mask, NDArray a, NDArray b, NDArray y)
    {
        long maskInline = Inline(mask), aInline = Inline(a), bInline = Inline(b);
        var width = y.DType.Size();
        fixed (byte* p = a.Storage, q = b.Storage, r = mask.Storage, to = y.Storage)
        {
            Broadcast.Invoke(
                new SelectRun { Width = width },
                new Operand(a.Storage is null ? (byte*)&aInline : p, width, a.Shape),
                new Operand(b.Storage is null ? (byte*)&bInline : q, width, b.Shape),
                new Operand(mask.Storage is null ? (byte*)&maskInline : r, 1, mask.Shape),
                new Operand(to, width, y.Shape),
                CheapGrain);
        }
        GC.KeepAlive(mask.Storage);
        GC.KeepAlive(a.Storage);
        GC.KeepAlive(b.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>y = x in the element type of y: floats to integers are truncated (beyond the range: the nearest end, NaN: 0), to Bool is ≠ 0.</summary>
    public static void Cast(NDArray x, NDArray y)
    {
        var inline = Inline(x);
        fixed (byte* p = x.Storage, q = y.Storage)
            ElementwiseCasts.Run(x.DType, x.Storage is null ? (byte*)&inline : p, y.DType, q, y.Size);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>Every element of y becomes the value of a 0-d array of its type.</summary>
    public static void Fill(NDArray y, NDArray scalar)
    {
        var value = Inline(scalar.Settle());
        switch (y.DType.Size())
        {
            case 4: y.Storage!.Span<int>()[..y.Size].Fill((int)value); break;
            case 8: y.Storage!.Span<long>()[..y.Size].Fill(value); break;
            default: y.Storage!.Span<byte>()[..y.Size].Fill((byte)value); break;
        }
        GC.KeepAlive(y.Storage);
    }

    /// <summary>The element of an inline 0-d array as it would lie in memory, in the first bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Inline(in NDArray x) =>
        x.DType == DType.Float32 ? BitConverter.SingleToUInt32Bits((float)x.Float) : x.Bits;

    private static void Zip<TRun>(TRun run, in NDArray a, in NDArray b, in NDArray y, int grain)
        where TRun : struct, IRun
    {
        long aInline = Inline(a), bInline = Inline(b);
        var width = a.DType.Size();
        fixed (byte* p = a.Storage, q = b.Storage, to = y.Storage)
        {
            Broadcast.Invoke(
                run,
                new Operand(a.Storage is null ? (byte*)&aInline : p, width, a.Shape),
                new Operand(b.Storage is null ? (byte*)&bInline : q, width, b.Shape),
                new Operand(null, 0, []),
                new Operand(to, y.DType.Size(), y.Shape),
                grain);
        }
        GC.KeepAlive(a.Storage);
        GC.KeepAlive(b.Storage);
        GC.KeepAlive(y.Storage);
    }

    private static int Grain(Unary op) => op switch
    {
        Functional.Unary.Neg or Functional.Unary.Abs or Functional.Unary.Sign or Functional.Unary.Sqrt or Functional.Unary.Rsqrt
            or Functional.Unary.Square or Functional.Unary.Reciprocal or Functional.Unary.Relu or Functional.Unary.Floor
            or Functional.Unary.Ceil or Functional.Unary.Round or Functional.Unary.Not => CheapGrain,
        _ => FunctionGrain,
    };

    private static int Grain(Binary op) =>
        op is Functional.Binary.Rem ? LibraryGrain : op is Functional.Binary.Pow or Functional.Binary.Atan2 ? FunctionGrain : CheapGrain;

    private struct MapPieces : IChunks
    {
        public delegate*<void*, void*, nint, void> Loop;
        public byte* From, To;
        public int Count, Grain, Width;

        public readonly void Run(int chunk)
        {
            var start = (nint)chunk * Grain;
            Loop(From + start * Width, To + start * Width, Math.Min(Grain, Count - start));
        }
    }

    private struct ZipRun : IRun
    {
        public delegate*<void*, nint, void*, nint, void*, nint, void> Loop;

        public readonly void Invoke(void* a, nint aStride, void* b, nint bStride, void* c, nint cStride, void* y, nint count) =>
            Loop(a, aStride, b, bStride, y, count);
    }

    private struct AddScaledRun : IRun
    {
        public DType Type;
        public double Scale;

        public readonly void Invoke(void* a, nint aStride, void* b, nint bStride, void* c, nint cStride, void* y, nint count) =>
            ElementwiseLoops.AddScaled(Type, Scale, a, aStride, b, bStride, y, count);
    }

    private struct SelectRun : IRun
    {
        public int Width;

        public readonly void Invoke(void* a, nint aStride, void* b, nint bStride, void* c, nint cStride, void* y, nint count) =>
            ElementwiseLoops.Select(Width, (byte*)c, cStride, a, aStride, b, bStride, y, count);
    }
}
