// A matrix product whose right factor lies transposed, computed turned round: of cᵀ = bᵀ·aᵀ the rows of bᵀ lie as tiles
// want to read them, so that only a, where it is much the smaller one, is packed. What goes into a tile and comes out of it
// is transposed on the way. The sums are the same, term by term, so the bits are those of the product the usual way.
// Measured on Zen 4: an LSTM's step backwards, 32×512 times (128×512)ᵀ, takes 38 µs instead of 42 of which its multiply-adds
// are 35; 64×500 times (500×500)ᵀ 281 instead of 320 of 270.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Matrix products turned round, on one thread with vectors of one width.</summary>
internal static unsafe class GemmTurned<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    // All of a, some terms deep, is gone over for every tile's rows of b: it stays in the second-level cache.
    private const int PackedBytes = 256 << 10, MostTerms = 1024, FewestTerms = 128;

    private static int PanelWidth => 2 * TLanes.Count;

    /// <summary>Whether the usual way would transpose more elements than this: all of b, instead of all of a and the result.</summary>
    public static bool Pays(in Product<T> product)
    {
        var depth = Depth(product);
        var blocks = Math.Max(1, Gemm.Quotient(product.K, depth));
        long m = product.M, n = product.N, k = product.K;
        return product.RowB == 1 && product.ColumnB != 1 && depth >= Math.Min(FewestTerms, k) && (m * k) + (m * n * ((2 * blocks) - 1)) < n * k;
    }

    public static void Run(in Product<T> product)
    {
        var depth = Depth(product);
        for (var term = 0; term < product.K; term += depth)
            Block(GemmBlock<TLanes, TVector, T>.Cut(product, 0, product.M, term, depth));
    }

    // The terms of a block, blocks being about as deep as each other.
    private static int Depth(in Product<T> product)
    {
        var most = Math.Min(MostTerms, PackedBytes / sizeof(T) / Gemm.RoundUp(product.M, PanelWidth));
        return most == 0 ? 1 : Math.Max(1, Gemm.Quotient(product.K, Math.Max(1, Gemm.Quotient(product.K, most))));
    }

    private static void Block(in Product<T> product)
    {
        var panels = Gemm.Quotient(product.M, PanelWidth);
        var room = (nint)product.K * PanelWidth;
        var packed = Scratch.Of<T>(panels * room);
        for (var panel = 0; panel < panels; panel++)
        {
            var row = panel * PanelWidth;
            var rows = Math.Min(PanelWidth, product.M - row);
            GemmPack<TLanes, TVector, T>.Panel(
                product.K, rows, WidthFor(rows), product.A + (row * product.RowA), product.ColumnA, product.RowA, packed + (panel * room));
        }
        var places = stackalloc Places[PlaceList<T>.Most];
        var wishes = Prefetch.Wanted;
        for (var column = 0; column < product.N; column += TLanes.TileRows)
        {
            for (var panel = 0; panel < panels; panel++)
            {
                LookAhead(product, column + TLanes.TileRows, panel, panels, places, wishes);
                Turned(product, column, panel * PanelWidth, packed + (panel * room), places);
            }
        }
    }

    private static int WidthFor(int columns) => columns > TLanes.Count ? PanelWidth : TLanes.Count;

    // Some columns of the result, as rows of a tile, for a panel of a.
    [SkipLocalsInit]
    private static void Turned(in Product<T> product, int column, int row, T* panel, Places* places)
    {
        int rows = Math.Min(PanelWidth, product.M - row), columns = Math.Min(TLanes.TileRows, product.N - column), width = WidthFor(rows);
        T* aside = stackalloc T[TLanes.TileRows * PanelWidth], start = stackalloc T[TLanes.TileRows * PanelWidth], onto = stackalloc T[TLanes.TileRows * PanelWidth];
        var c = product.C + (row * product.RowC) + column;
        Tile<T> tile = default;
        tile.K = product.K;
        tile.A = product.B + (column * product.ColumnB);
        tile.RowA = product.ColumnB;
        tile.ColumnA = product.RowB;
        tile.B = panel;
        tile.RowB = width;
        tile.C = aside;
        tile.RowC = width;
        tile.Soon = places;
        tile.Scale = product.Scale;
        if (product.Accumulate || product.Bias != null)
        {
            if (product.Accumulate) GemmPack<TLanes, TVector, T>.Turn(columns, rows, width, c, product.RowC, start, width);
            else GemmPack<TLanes, TVector, T>.Turn(columns, rows, width, product.Bias + column, 0, start, width);
            tile.Start = start;
            tile.RowStart = width;
        }
        if (product.Base != null)
        {
            GemmPack<TLanes, TVector, T>.Turn(columns, rows, width, product.Base + (row * product.RowBase) + column, product.RowBase, onto, width);
            tile.Base = onto;
            tile.RowBase = width;
        }
        GemmTile<TLanes, TVector, T>.Run(columns, width == PanelWidth, tile);
        GemmPack<TLanes, TVector, T>.Turn(rows, columns, columns, aside, width, c, product.RowC);
    }

    // What a tile asks for: its rows of the result in the next columns, its share of b there, and what is wished for.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LookAhead(in Product<T> product, int column, int panel, int panels, Places* places, Wishes? wishes)
    {
        var list = new PlaceList<T>(places, product.K);
        if (!Sse.IsSupported)
        {
            list.End(product.A);
            return;
        }
        if (column < product.N)
        {
            int row = panel * PanelWidth, rows = Math.Min(PanelWidth, product.M - row), columns = Math.Min(TLanes.TileRows, product.N - column);
            if (product.Base != null && product.Base != product.C)
                list.NewColumns(product.Base + (row * product.RowBase) + column, product.RowBase, rows, columns);
            list.NewColumns(product.C + (row * product.RowC) + column, product.RowC, rows, columns);
            for (var own = columns * panel / panels; own < columns * (panel + 1) / panels; own++)
            {
                var first = (byte*)(product.B + ((column + own) * product.ColumnB));
                list.Add(first, Places.Line, PlaceList<T>.Lines(first, product.K));
            }
        }
        // a term of a narrow tile takes half the time: more lines at once than the processor keeps track of would hold up the sums
        if (wishes != null) list = wishes.AddTo(list, TLanes.Count * sizeof(T) < 64 ? 2 : 1);
        list.End(product.A);
    }
}
