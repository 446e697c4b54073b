// A matrix product on one thread: goes over it tile by tile in an order that finds the factors in the caches, packing
// the right factor where it does not lie conveniently.
using System.Numerics;

namespace Functional.Kernels;

/// <summary>Matrix products on one thread with vectors of one width.</summary>
internal static unsafe class GemmBlock<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    // A panel of b, DepthBlock rows by two vectors, stays in the first-level cache while the rows of a pass by.
    private const int DepthBlock = 256;

    // Panels packed at a time: together they stay in the second-level cache.
    private const int PanelBlock = 8;

    // With so few rows of a, the panels of b are not used often enough to pay for packing.
    private const int FewRows = 16;

    private static int PanelWidth => 2 * TLanes.Count;

    public static void Run(in Product<T> product)
    {
        if (Thin(product)) return;
        if (product.ColumnB == 1 && product.M <= FewRows)
        {
            InPlace(product);
            return;
        }
        var blocks = Math.Max(1, (product.K + DepthBlock - 1) / DepthBlock);
        var depth = (product.K + blocks - 1) / blocks;
        var width = PanelBlock * PanelWidth;
        var panels = Scratch.Of<T>(Math.Max(1, depth) * Math.Min(width, product.N + PanelWidth));
        for (var column = 0; column < product.N; column += width)
        {
            var part = product.Part(0, product.M, column, Math.Min(width, product.N - column));
            for (var block = 0; block < blocks; block++)
            {
                part.K = Math.Min(depth, product.K - (block * depth));
                Packed(part, panels);
                part.A += part.K * part.ColumnA;
                part.B += part.K * part.RowB;
                part.Accumulate = true;
                part.Bias = null;
            }
        }
    }

    // Products with a vector. Which of the ways is taken depends on the shape alone.
    private static bool Thin(in Product<T> p)
    {
        var start = p.Accumulate ? p.C : p.Bias;
        if (p.K == 1 && p.ColumnB == 1)
            GemmThin<TLanes, TVector, T>.Outer(p.M, p.N, p.A, p.RowA, p.B, start, p.Accumulate ? p.RowC : 0, p.C, p.RowC);
        else if (p.M == 1 && p.ColumnB == 1)
            GemmThin<TLanes, TVector, T>.Rows(p.N, p.K, p.A, p.ColumnA, p.B, p.RowB, start, p.C);
        else if (p.M == 1 && p.RowB == 1 && p.ColumnA == 1)
            GemmThin<TLanes, TVector, T>.Dots(p.N, p.K, p.B, p.ColumnB, p.A, start, 1, p.C, 1);
        else if (p.N == 1 && p.ColumnA == 1 && p.RowB == 1)
            GemmThin<TLanes, TVector, T>.Dots(p.M, p.K, p.A, p.RowA, p.B, start, p.Accumulate ? p.RowC : 0, p.C, p.RowC);
        else if (p.N == 1 && p.RowA == 1 && p.RowC == 1 && p.Bias == null)
            GemmThin<TLanes, TVector, T>.Rows(p.M, p.K, p.B, p.RowB, p.A, p.ColumnA, start, p.C);
        else
            return false;
        return true;
    }

    // b is read where it is; only a last panel narrower than its vectors is packed.
    private static void InPlace(in Product<T> product)
    {
        var whole = product.N - (product.N % TLanes.Count);
        for (var column = 0; column < whole; column += PanelWidth)
            Panel(product, column, Math.Min(PanelWidth, whole - column), product.B + column, product.RowB);
        if (whole == product.N) return;
        var rest = product.Part(0, product.M, whole, product.N - whole);
        var panel = Scratch.Of<T>(product.K * TLanes.Count);
        GemmPack.Panel(rest.K, rest.N, TLanes.Count, rest.B, rest.RowB, rest.ColumnB, panel);
        Panel(rest, 0, rest.N, panel, TLanes.Count);
    }

    private static void Packed(in Product<T> product, T* panels)
    {
        for (var column = 0; column < product.N; column += PanelWidth)
        {
            var columns = Math.Min(PanelWidth, product.N - column);
            var width = columns > TLanes.Count ? PanelWidth : TLanes.Count;
            GemmPack.Panel(product.K, columns, width, product.B + (column * product.ColumnB), product.RowB, product.ColumnB, panels);
            Panel(product, column, columns, panels, width);
            panels += (nint)product.K * width;
        }
    }

    // Some columns of the result, at most two vectors wide, for all rows; b lies in rows of whole vectors.
    private static void Panel(in Product<T> product, int column, int columns, T* b, nint rowB)
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
        var step = TLanes.TileRows;
        for (var row = 0; row < product.M; row += step)
        {
            var rows = Math.Min(step, product.M - row);
            if (whole) GemmTile<TLanes, TVector, T>.Run(rows, wide, tile);
            else Ragged(rows, columns, wide, tile);
            tile.A += step * product.RowA;
            tile.C += step * product.RowC;
            tile.Start += step * tile.RowStart;
        }
    }

    // A tile whose last vector sticks out of the result: computed aside.
    private static void Ragged(int rows, int columns, bool wide, Tile<T> tile)
    {
        var width = PanelWidth;
        var aside = stackalloc T[TLanes.TileRows * width];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                aside[(row * width) + column] = tile.Start == null ? T.Zero : tile.Start[(row * tile.RowStart) + column];
        var c = tile.C;
        var rowC = tile.RowC;
        tile.Start = tile.C = aside;
        tile.RowStart = tile.RowC = width;
        GemmTile<TLanes, TVector, T>.Run(rows, wide, tile);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                c[(row * rowC) + column] = aside[(row * width) + column];
    }
}
