// Matrix products on pointers: the product as data, the vectors by machine, and the cut into blocks for the workers.
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>A matrix product c = a·b, a being m×k and b k×n, with what the sums start from and what they are added to.</summary>
/// <remarks>Either factor may lie transposed: element (i, l) of a is at A + i·RowA + l·ColumnA.</remarks>
public unsafe struct Product<T>
    where T : unmanaged
{
    public int M, N, K;
    public T* A;
    public nint RowA, ColumnA;
    public T* B;
    public nint RowB, ColumnB;

    /// <summary>Where b is packed (see <see cref="PackedMatrix"/>), the distance from panel to panel, each RowB columns wide; else 0.</summary>
    internal nint PanelB;

    /// <summary>The result; the elements of a row lie side by side.</summary>
    public T* C;
    public nint RowC;

    /// <summary>One number for each column of the result to start from, or null.</summary>
    public T* Bias;

    /// <summary>Whether the result starts from what is in c; then there is no bias.</summary>
    public bool Accumulate;

    /// <summary>
    /// A matrix of the result's size, or null: the result is base + scale·(a·b), the finished sums times scale added to
    /// it, rounded once. With RowBase 0 it is one row for all. It may be the result's own memory if
    /// <see cref="Gemm.MayOverwriteBase"/> says so.
    /// </summary>
    public T* Base;
    public nint RowBase;

    /// <summary>What the sums are multiplied by where there is a base.</summary>
    public T Scale;

    // Whether this is a row or a column of a larger product: then it is computed as the larger one is, not as the
    // product with a vector that it looks like, so that the result does not depend on where it was cut.
    internal bool IsSlice;

    /// <summary>The part of the product that makes some rows and columns of the result.</summary>
    public readonly Product<T> Part(int row, int rows, int column, int columns)
    {
        var part = this;
        part.M = rows;
        part.N = columns;
        part.IsSlice |= (rows == 1 && M > 1) || (columns == 1 && N > 1);
        part.A += row * RowA;
        part.B += PanelB == 0 ? column * ColumnB : column / RowB * PanelB;
        part.C += (row * RowC) + column;
        if (Bias != null) part.Bias += column;
        if (Base != null) part.Base += (row * RowBase) + column;
        return part;
    }
}

/// <summary>Matrix products on pointers.</summary>
public static unsafe class Gemm
{
    /// <summary>
    /// The most terms of a sum that are added in one go. A panel of b, so many rows by two vectors, stays in the first two
    /// levels of cache while a block of rows of a passes by.
    /// </summary>
    /// <remarks>Measured on Zen 4: 512 is faster where all fits into the second level, 256 slower where the result does not.</remarks>
    internal const int DepthBlock = 400;

    /// <summary>Whether base + scale·(a·b) may be written over base: not if unfinished sums would have to lie there.</summary>
    /// <param name="k">The number of terms of each sum.</param>
    public static bool MayOverwriteBase(int k) => k <= DepthBlock;

    /// <summary>No panel is wider: two vectors of 512 bits, the numbers being floats.</summary>
    internal const int MostPanelColumns = 32;

    /// <summary>How many parts of a size something has, the last perhaps smaller.</summary>
    internal static int Quotient(int n, int size) => (n + size - 1) / size;

    /// <summary>The multiple of a size that is not less.</summary>
    internal static int RoundUp(int n, int size) => Quotient(n, size) * size;

    /// <summary>Computes a product with the library's workers.</summary>
    public static void Run<T>(in Product<T> product)
        where T : unmanaged, INumber<T>
    {
        if (!SharedProduct<T>.IsWorthSharing(product, 1))
        {
            RunHere(product);
            return;
        }
        var shared = new SharedProduct<T>(product, 1);
        if (shared.Blocks == 1) RunHere(product);
        else Workers.Run(shared.Blocks, ref shared);
    }

    /// <summary>Computes a product on this thread.</summary>
    public static void RunHere<T>(in Product<T> product)
        where T : unmanaged, INumber<T>
    {
        if (GemmLong.IsLong(product)) GemmLong.Run(product);
        else if (Vector512.IsHardwareAccelerated && !IsNarrow(product)) GemmBlock<Lanes<Simd512<T>, T>, Simd512<T>, T>.Run(product);
        else if (Fma.IsSupported && Avx2.IsSupported) GemmBlock<Lanes<Simd256<T>, T>, Simd256<T>, T>.Run(product);
        else if (Vector128.IsHardwareAccelerated) GemmBlock<Lanes<Simd128<T>, T>, Simd128<T>, T>.Run(product);
        else GemmBlock<LanesOfOne<T>, T, T>.Run(product);
    }

    /// <summary>Copies the right factor of a product into panels as this machine's tiles read them, and returns their width.</summary>
    /// <param name="product">Its K, N and B are read.</param>
    /// <param name="packed">Room for K rows of N numbers, N rounded up to <see cref="MostPanelColumns"/>.</param>
    internal static int Pack<T>(in Product<T> product, T* packed)
        where T : unmanaged, INumber<T>
    {
        if (Vector512.IsHardwareAccelerated) return GemmPacked<Lanes<Simd512<T>, T>, Simd512<T>, T>.Pack(product, packed);
        if (Fma.IsSupported && Avx2.IsSupported) return GemmPacked<Lanes<Simd256<T>, T>, Simd256<T>, T>.Pack(product, packed);
        if (Vector128.IsHardwareAccelerated) return GemmPacked<Lanes<Simd128<T>, T>, Simd128<T>, T>.Pack(product, packed);
        return GemmPacked<LanesOfOne<T>, T, T>.Pack(product, packed);
    }

    // Whether the tiles of a product turned round would be one vector of 512 bits wide: two of 256 keep the processor busier
    // where they come two at a time. Measured on Zen 4: 16×512 times (128×512)ᵀ takes 22.6 µs instead of 26.
    private static bool IsNarrow<T>(in Product<T> product)
        where T : unmanaged, INumber<T> =>
        Avx512F.VL.IsSupported && product.M > 1 && product.M <= Vector512<T>.Count
            && GemmTurned<Lanes<Simd256<T>, T>, Simd256<T>, T>.Pays(product);
}

/// <summary>A product cut into blocks of rows and columns of the result, each a product of its own.</summary>
internal readonly struct SharedProduct<T> : IChunks
    where T : unmanaged, INumber<T>
{
    // Below this many multiply-adds (some 5 µs) waking the workers costs more than it saves.
    public const long WorthSharing = 250_000;

    // Blocks end on multiples of these, which are multiples of the widest vectors' tiles.
    private const int RowStep = 8, ColumnStep = Gemm.MostPanelColumns;

    private readonly Product<T> product;
    private readonly int rows, columns, columnBlocks;

    /// <summary>Whether there are several threads, and work for them.</summary>
    public static bool IsWorthSharing(in Product<T> product, int alike) =>
        Workers.Count > 1 && (long)product.M * product.N * product.K * alike >= WorthSharing;

    /// <summary>Cuts a product for the workers, of which there are several alike.</summary>
    public SharedProduct(in Product<T> product, int alike)
    {
        this.product = product;
        (rows, columns) = (product.M, product.N);
        columnBlocks = Blocks = 1;
        var work = (long)product.M * product.N * product.K;
        if (!IsWorthSharing(product, alike)) return;
        // Some blocks for each thread, so that one that comes late does not hold up the others.
        var wanted = (int)Math.Min(4L * Workers.Count / alike, (2 * work) / WorthSharing);
        if (wanted <= 1) return;
        // Every block of rows goes through all of b, every block of columns through all of a: what is the smaller is gone
        // through again. Between equals columns: each packs its own part of b.
        if (product.M >= 2 * product.N)
        {
            rows = Gemm.RoundUp(Gemm.Quotient(product.M, wanted), RowStep);
            columns = Gemm.RoundUp(Gemm.Quotient(product.N, Gemm.Quotient(wanted, Gemm.Quotient(product.M, rows))), ColumnStep);
        }
        else
        {
            columns = Gemm.RoundUp(Gemm.Quotient(product.N, wanted), ColumnStep);
            rows = Gemm.RoundUp(Gemm.Quotient(product.M, Gemm.Quotient(wanted, Gemm.Quotient(product.N, columns))), RowStep);
        }
        columnBlocks = Gemm.Quotient(product.N, columns);
        Blocks = columnBlocks * Gemm.Quotient(product.M, rows);
    }

    /// <summary>The number of blocks.</summary>
    public int Blocks { get; }

    public void Run(int block) => Gemm.RunHere(Part(product, block));

    /// <summary>A block of this product, or of another of the same sizes.</summary>
    public Product<T> Part(in Product<T> whole, int block)
    {
        int row = block / columnBlocks * rows, column = block % columnBlocks * columns;
        return whole.Part(row, Math.Min(rows, whole.M - row), column, Math.Min(columns, whole.N - column));
    }
}
