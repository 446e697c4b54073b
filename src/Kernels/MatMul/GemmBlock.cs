// A matrix product on one thread: goes over it tile by tile in an order that finds the factors in the caches, packing
// the right factor where it does not lie conveniently.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Matrix products on one thread with vectors of one width.</summary>
internal static unsafe class GemmBlock<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    // Rows of a that pass by a panel: this much of a stays in the second-level cache for all the panels, also where its
    // rows lie a power of two apart and so share a part of that cache.
    private const int RowBlock = 256;

    // With so few rows of a, the panels of b are not used often enough to pay for packing.
    private const int FewRows = 16;

    // Nor with these, where what a panel is read from stays in the second-level cache from one tile to the next; with more
    // if its rows begin where lines of the cache begin. The tile that packs takes 16 % longer than others.
    private const int SomeRows = 32, MoreRows = 128;

    // Processors with vectors of 512 bits have a second-level cache of 1 MB and more, others of 256 KB and more.
    private static int StaysBytes => TLanes.Count * sizeof(T) == 64 ? 1 << 20 : 256 << 10;

    // Tiles before the end of a panel that ask for the next one: enough for its lines, not so early that they are gone again.
    private const int PanelTiles = 4;

    internal static int PanelWidth => 2 * TLanes.Count;

    public static void Run(in Product<T> product)
    {
        if (product.PanelB != 0)
        {
            GemmPacked<TLanes, TVector, T>.Run(product);
            return;
        }
        if (Thin(product)) return;
        if (product.ColumnB == 1 && product.M <= FewRows)
        {
            InPlace(product);
            return;
        }
        if (GemmSmall<TLanes, TVector, T>.Pays(product))
        {
            GemmSmall<TLanes, TVector, T>.Run(product);
            return;
        }
        if (GemmTurned<TLanes, TVector, T>.Pays(product))
        {
            GemmTurned<TLanes, TVector, T>.Run(product);
            return;
        }
        var blocks = Math.Max(1, Gemm.Quotient(product.K, Gemm.DepthBlock));
        var depth = Gemm.Quotient(product.K, blocks);
        var rows = Gemm.RoundUp(Gemm.Quotient(product.M, Gemm.Quotient(product.M, RowBlock)), TLanes.TileRows);
        var panel = Scratch.Of<T>(Math.Max(1, depth) * PanelWidth);
        // What is the smaller of b and the result is gone over again and again, the other once.
        var again = product.K > product.M;
        var next = Cut(product, 0, rows, 0, depth);
        for (int row = 0, block = 0; next.M > 0;)
        {
            var part = next;
            if (again)
            {
                row += rows;
                if (row >= product.M) (row, block) = (0, block + 1);
            }
            else
            {
                block++;
                if (block == blocks) (row, block) = (row + rows, 0);
            }
            next = row < product.M && block < blocks ? Cut(product, row, rows, block * depth, depth) : default;
            Panels(part, panel, next);
        }
    }

    // Whether panels of b are best read where they lie. Rows a power of two apart share parts of the cache.
    private static bool StaysInPlace(in Product<T> product)
    {
        var distance = product.RowB * sizeof(T);
        var most = (((nint)product.B | distance) & (Places.Line - 1)) == 0 ? MoreRows : SomeRows;
        return product.ColumnB == 1 && product.M <= most && product.K * Math.Max(PanelWidth * sizeof(T), distance & -distance) <= StaysBytes;
    }

    // Some rows, and of each sum some terms.
    public static Product<T> Cut(in Product<T> product, int row, int rows, int term, int terms)
    {
        var part = product.Part(row, Math.Min(rows, product.M - row), 0, product.N);
        part.K = Math.Min(terms, product.K - term);
        part.A += term * product.ColumnA;
        part.B += term * product.RowB;
        if (term + part.K < product.K) part.Base = null;
        if (term == 0) return part;
        part.Accumulate = true;
        part.Bias = null;
        return part;
    }

    // Products with a vector. Which of the ways is taken depends on the shape of the whole product alone: dot products
    // add in another order than tiles do.
    private static bool Thin(in Product<T> p)
    {
        Addend<T> start = new(p.Accumulate ? p.C : p.Bias, p.Accumulate ? p.RowC : 0), onto = new(p.Base, p.RowBase);
        if (p.K == 1 && p.ColumnB == 1)
            GemmThin<TLanes, TVector, T>.Outer(p.M, p.N, p.A, p.RowA, p.B, start, onto, p.Scale, p.C, p.RowC);
        else if (p.M == 1 && p.ColumnB == 1)
            GemmThin<TLanes, TVector, T>.Rows(p.N, p.K, p.A, p.ColumnA, p.B, p.RowB, start.Elements, p.Base, p.Scale, p.C);
        else if (p.M == 1 && p.RowB == 1 && p.ColumnA == 1 && !p.IsSlice)
            GemmThin<TLanes, TVector, T>.Dots(p.N, p.K, p.B, p.ColumnB, p.A, new(start.Elements, 1), new(p.Base, 1), p.Scale, p.C, 1);
        else if (p.N == 1 && p.ColumnA == 1 && p.RowB == 1 && !p.IsSlice)
            GemmThin<TLanes, TVector, T>.Dots(p.M, p.K, p.A, p.RowA, p.B, start, onto, p.Scale, p.C, p.RowC);
        else if (p.N == 1 && p.RowA == 1 && p.RowC == 1 && p.Bias == null && (p.Base == null || p.RowBase == 1))
            GemmThin<TLanes, TVector, T>.Rows(p.M, p.K, p.B, p.RowB, p.A, p.ColumnA, start.Elements, p.Base, p.Scale, p.C);
        else
            return false;
        return true;
    }

    // b is read where it is; only a last panel narrower than its vectors is packed.
    private static void InPlace(in Product<T> product)
    {
        var whole = product.N - (product.N % TLanes.Count);
        for (var column = 0; column < whole; column += PanelWidth)
        {
            var next = After(product, column, default);
            Panel(product, column, Math.Min(PanelWidth, whole - column), product.B + column, product.RowB, null, &next);
        }
        if (whole == product.N) return;
        var rest = product.Part(0, product.M, whole, product.N - whole);
        var panel = Scratch.Of<T>(product.K * TLanes.Count);
        GemmPack<TLanes, TVector, T>.Panel(rest.K, rest.N, TLanes.Count, rest.B, rest.RowB, rest.ColumnB, panel);
        Panel(rest, 0, rest.N, panel, TLanes.Count, null, null);
    }

    // Panel by panel; after the last one follows the first one of another part of the product, or none.
    private static void Panels(in Product<T> product, T* panel, in Product<T> then)
    {
        var inPlace = StaysInPlace(product);
        for (var column = 0; column < product.N; column += PanelWidth)
        {
            var columns = Math.Min(PanelWidth, product.N - column);
            var b = product.B + (column * product.ColumnB);
            var next = After(product, column, then);
            if (columns == PanelWidth && (inPlace || (product.ColumnB == 1 && product.M >= TLanes.TileRows)))
            {
                Panel(product, column, columns, b, product.RowB, inPlace ? null : panel, &next);
                continue;
            }
            GemmPack<TLanes, TVector, T>.Panel(product.K, columns, WidthFor(columns), b, product.RowB, product.ColumnB, panel);
            Panel(product, column, columns, panel, WidthFor(columns), null, &next);
        }
    }

    // What follows a panel that begins at a column: the next one, or the first of another part and what its first tile reads of a.
    private static NextPanel<T> After(in Product<T> product, int column, in Product<T> then)
    {
        if (product.ColumnB != 1) return default;
        var follows = column + PanelWidth;
        if (follows < product.N) return new(PanelOf(product, follows), default);
        return then.M == 0 ? default : new(PanelOf(then, 0), then.RowA == 1 ? new(then.A, then.ColumnA, then.K, TLanes.TileRows) : default);
    }

    private static MatrixPart<T> PanelOf(in Product<T> product, int column) =>
        new(product.B + column, product.RowB, product.K, Math.Min(PanelWidth, product.N - column));

    private static int WidthFor(int columns) => columns > TLanes.Count ? PanelWidth : TLanes.Count;

    // Some columns of the result, at most two vectors wide, for all rows; b lies in rows of whole vectors. Where a panel is
    // given the first rows pack b into it for the others.
    internal static void Panel(in Product<T> product, int column, int columns, T* b, nint rowB, T* panel, NextPanel<T>* next)
    {
        var wide = columns > TLanes.Count;
        var whole = columns == PanelWidth || columns == TLanes.Count;
        Tile<T> tile;
        tile.K = product.K;
        tile.A = product.A;
        tile.RowA = product.RowA;
        tile.ColumnA = product.ColumnA;
        tile.B = b;
        tile.RowB = rowB;
        tile.C = product.C + column;
        tile.RowC = product.RowC;
        tile.Start = product.Accumulate ? tile.C : product.Bias == null ? null : product.Bias + column;
        tile.RowStart = product.Accumulate ? product.RowC : 0;
        tile.Base = product.Base == null ? null : product.Base + column;
        tile.RowBase = product.Base == null ? 0 : product.RowBase;
        tile.Scale = product.Scale;
        tile.Panel = panel;
        var places = stackalloc Places[PlaceList<T>.Most];
        tile.Soon = places;
        var wishes = Prefetch.Wanted;
        var step = TLanes.TileRows;
        for (var row = 0; row < product.M; row += step)
        {
            var rows = Math.Min(step, product.M - row);
            LookAhead(product, row, column, places, next, wishes);
            if (panel != null && row == 0)
            {
                GemmTile<TLanes, TVector, T>.RunAndPack(tile);
                tile.B = panel;
                tile.RowB = PanelWidth;
            }
            else if (whole) GemmTile<TLanes, TVector, T>.Run(rows, wide, tile);
            else Ragged(rows, columns, wide, tile);
            tile.A += step * product.RowA;
            tile.C += step * product.RowC;
            tile.Start += step * tile.RowStart;
            tile.Base += step * tile.RowBase;
        }
    }

    // What a tile asks for: what the next tile needs, or the first one of the next panel; at last, the next panel; and
    // where terms are left over, what is wished for.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LookAhead(in Product<T> product, int row, int column, Places* places, NextPanel<T>* next, Wishes? wishes)
    {
        var list = new PlaceList<T>(places, product.K);
        if (Sse.IsSupported)
        {
            var step = TLanes.TileRows;
            var last = row + step >= product.M;
            var (nextRow, nextColumn) = last ? (0, column + PanelWidth) : (row + step, column);
            if (nextColumn < product.N)
            {
                var rows = Math.Min(step, product.M - nextRow);
                var width = Math.Min(PanelWidth, product.N - nextColumn);
                if (product.RowBase != 0 && product.Base != null && product.Base != product.C)
                    list.Rows(product.Base + (nextRow * product.RowBase) + nextColumn, product.RowBase, rows, width);
                list.Rows(product.C + (nextRow * product.RowC) + nextColumn, product.RowC, rows, width);
            }
            // a is met for the first time with the first panel; its rows are foreseen by the processor, its columns are not
            if (column == 0 && !last && product.RowA == 1) list.NewColumns(product.A + nextRow, product.ColumnA, product.K, step);
            if (next != null && product.M - row <= PanelTiles * step) list = next->AddTo(list);
            if (wishes != null) list = wishes.AddTo(list, 1);
        }
        list.End(product.A);
    }

    // A tile whose last vector sticks out of the result: computed aside.
    [SkipLocalsInit]
    private static void Ragged(int rows, int columns, bool wide, Tile<T> tile)
    {
        var width = wide ? PanelWidth : TLanes.Count;
        T* aside = stackalloc T[TLanes.TileRows * width], onto = stackalloc T[TLanes.TileRows * width];
        var c = tile.C;
        var rowC = tile.RowC;
        CopyIn(rows, columns, ref tile.Start, ref tile.RowStart, aside, width);
        CopyIn(rows, columns, ref tile.Base, ref tile.RowBase, onto, width);
        tile.C = aside;
        tile.RowC = width;
        GemmTile<TLanes, TVector, T>.Run(rows, wide, tile);
        CopyOut(rows, columns, aside, width, c, rowC);
    }

    // Into whole vectors, filled up with zeros.
    private static void CopyIn(int rows, int columns, ref T* source, ref nint row, T* aside, int width)
    {
        if (source == null) return;
        var from = source;
        var to = aside;
        for (; rows > 0; rows--, from += row, to += width)
        {
            var column = 0;
            for (; column + TLanes.Count <= columns; column += TLanes.Count) TLanes.Store(TLanes.Load(from + column), to + column);
            if (column < width) TLanes.Store(TLanes.LoadFirst(columns - column, from + column), to + column);
        }
        source = aside;
        row = width;
    }

    private static void CopyOut(int rows, int columns, T* aside, int width, T* target, nint row)
    {
        for (; rows > 0; rows--, aside += width, target += row)
        {
            var column = 0;
            for (; column + TLanes.Count <= columns; column += TLanes.Count) TLanes.Store(TLanes.Load(aside + column), target + column);
            if (column < columns) TLanes.StoreFirst(columns - column, TLanes.Load(aside + column), target + column);
        }
    }
}
