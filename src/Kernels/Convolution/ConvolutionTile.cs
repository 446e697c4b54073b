// The innermost part of a convolution: a tile of at most 8 rows by 2 vectors stays in registers while the taps of the
// window, and the channels under each, run. It differs from the tile of a matrix product in that the left factor lies in
// several stretches, and in that it may be a vector of its own for every row (depthwise).
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>One tile: c[i, j] = start[i, j] + Σ over stretches s and places l of a[s, i, l]·b[s, l, j].</summary>
/// <remarks>Every element is one chain of multiply-adds in a fixed order, however the result is cut into tiles.</remarks>
internal unsafe struct ConvolutionTile<T>
    where T : unmanaged
{
    /// <summary>Where each stretch of the left factor begins, and how many there are.</summary>
    public nint* Stretches;
    public int Count;

    /// <summary>The products to add in a stretch.</summary>
    public nint K;

    /// <summary>The left factor, with the distances from row to row and from product to product.</summary>
    public T* A;
    public nint RowA, ColumnA;

    /// <summary>The right factor, with the distance from one product's row to the next, and what is left out after a stretch.</summary>
    public T* B;
    public nint RowB, GapB;

    /// <summary>What the sums start from: the old result, a bias (then RowStart is 0), or null for zero.</summary>
    public T* Start;
    public nint RowStart;

    /// <summary>The result, with the distance from row to row.</summary>
    public T* C;
    public nint RowC;
}

/// <summary>How an element of the left factor meets the columns.</summary>
internal interface IMeeting
{
    /// <summary>Whether every column has an element of its own; otherwise one element serves all.</summary>
    static abstract bool Lanewise { get; }
}

internal struct Shared : IMeeting
{
    public static bool Lanewise => false;
}

internal struct Lanewise : IMeeting
{
    static bool IMeeting.Lanewise => true;
}

/// <summary>Computes tiles with vectors of one width.</summary>
internal static unsafe class ConvolutionTiles<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    public static int Width => 2 * TLanes.Count;

    /// <summary>How wide a panel of some columns is: one vector or two.</summary>
    public static int WidthFor(int columns) => columns > TLanes.Count ? Width : TLanes.Count;

    /// <summary>Computes a tile of any number of rows whose panel may stick out of the result.</summary>
    public static void Run<TMeeting>(int rows, int columns, ConvolutionTile<T> tile)
        where TMeeting : IMeeting
    {
        // Rows in portions as even as can be: what is short is slow.
        var portions = (rows + TLanes.TileRows - 1) / TLanes.TileRows;
        for (; portions > 0; portions--)
        {
            var some = (rows + portions - 1) / portions;
            if (columns == WidthFor(columns)) Whole<TMeeting>(some, columns > TLanes.Count, tile);
            else Ragged<TMeeting>(some, columns, tile);
            rows -= some;
            tile.A += some * tile.RowA;
            tile.C += some * tile.RowC;
            tile.Start += some * tile.RowStart;
        }
    }

    // A tile whose last vector sticks out of the result: computed aside.
    [SkipLocalsInit]
    private static void Ragged<TMeeting>(int rows, int columns, ConvolutionTile<T> tile)
        where TMeeting : IMeeting
    {
        var width = WidthFor(columns);
        var aside = stackalloc T[TLanes.TileRows * width];
        var target = tile.C;
        if (tile.RowStart != 0)
        {
            for (var row = 0; row < rows; row++) Copy(columns, tile.Start + (row * tile.RowStart), aside + (row * width));
            tile.Start = aside;
            tile.RowStart = width;
        }
        tile.C = aside;
        var rowC = tile.RowC;
        tile.RowC = width;
        Whole<TMeeting>(rows, columns > TLanes.Count, tile);
        for (var row = 0; row < rows; row++) Copy(columns, aside + (row * width), target + (row * rowC));
    }

    private static void Copy(int columns, T* source, T* target)
    {
        var column = 0;
        for (; column + TLanes.Count <= columns; column += TLanes.Count) TLanes.Store(TLanes.Load(source + column), target + column);
        if (column < columns) TLanes.StoreFirst(columns - column, TLanes.LoadFirst(columns - column, source + column), target + column);
    }

    private static void Whole<TMeeting>(int rows, bool wide, in ConvolutionTile<T> tile)
        where TMeeting : IMeeting
    {
        switch (rows)
        {
            case 1: if (wide) Run<TMeeting, One, Two>(tile); else Run<TMeeting, One, One>(tile); break;
            case 2: if (wide) Run<TMeeting, Two, Two>(tile); else Run<TMeeting, Two, One>(tile); break;
            case 3: if (wide) Run<TMeeting, Three, Two>(tile); else Run<TMeeting, Three, One>(tile); break;
            case 4: if (wide) Run<TMeeting, Four, Two>(tile); else Run<TMeeting, Four, One>(tile); break;
            case 5: if (wide) Run<TMeeting, Five, Two>(tile); else Run<TMeeting, Five, One>(tile); break;
            case 6: if (wide) Run<TMeeting, Six, Two>(tile); else Run<TMeeting, Six, One>(tile); break;
            case 7: if (wide) Run<TMeeting, Seven, Two>(tile); else Run<TMeeting, Seven, One>(tile); break;
            case 8: if (wide) Run<TMeeting, Eight, Two>(tile); else Run<TMeeting, Eight, One>(tile); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TMeeting, TRows, TVectors>(in ConvolutionTile<T> tile)
        where TMeeting : IMeeting
        where TRows : INumberOf
        where TVectors : INumberOf
    {
        TVector c00 = default, c10 = default, c20 = default, c30 = default, c40 = default, c50 = default, c60 = default, c70 = default,
            c01 = default, c11 = default, c21 = default, c31 = default, c41 = default, c51 = default, c61 = default, c71 = default;
        if (tile.Start != null)
        {
            var start = tile.Start;
            var row = tile.RowStart;
            Load<TVectors>(start, ref c00, ref c01);
            if (TRows.Value > 1) Load<TVectors>(start + row, ref c10, ref c11);
            if (TRows.Value > 2) Load<TVectors>(start + (2 * row), ref c20, ref c21);
            if (TRows.Value > 3) Load<TVectors>(start + (3 * row), ref c30, ref c31);
            if (TRows.Value > 4) Load<TVectors>(start + (4 * row), ref c40, ref c41);
            if (TRows.Value > 5) Load<TVectors>(start + (5 * row), ref c50, ref c51);
            if (TRows.Value > 6) Load<TVectors>(start + (6 * row), ref c60, ref c61);
            if (TRows.Value > 7) Load<TVectors>(start + (7 * row), ref c70, ref c71);
        }

        var b = tile.B;
        var stretch = tile.Stretches;
        nint row1 = tile.RowA, row2 = 2 * row1, row3 = 3 * row1, columnA = tile.ColumnA, rowB = tile.RowB;
        for (var s = tile.Count; s > 0; s--, stretch++)
        {
            var a = tile.A + *stretch;
            var a4 = a + (4 * row1);
            for (var l = tile.K; l > 0; l--)
            {
                var b0 = TLanes.Load(b);
                var b1 = TVectors.Value > 1 ? TLanes.Load(b + TLanes.Count) : default;
                MultiplyAdd<TMeeting, TVectors>(a, b0, b1, ref c00, ref c01);
                if (TRows.Value > 1) MultiplyAdd<TMeeting, TVectors>(a + row1, b0, b1, ref c10, ref c11);
                if (TRows.Value > 2) MultiplyAdd<TMeeting, TVectors>(a + row2, b0, b1, ref c20, ref c21);
                if (TRows.Value > 3) MultiplyAdd<TMeeting, TVectors>(a + row3, b0, b1, ref c30, ref c31);
                if (TRows.Value > 4) MultiplyAdd<TMeeting, TVectors>(a4, b0, b1, ref c40, ref c41);
                if (TRows.Value > 5) MultiplyAdd<TMeeting, TVectors>(a4 + row1, b0, b1, ref c50, ref c51);
                if (TRows.Value > 6) MultiplyAdd<TMeeting, TVectors>(a4 + row2, b0, b1, ref c60, ref c61);
                if (TRows.Value > 7) MultiplyAdd<TMeeting, TVectors>(a4 + row3, b0, b1, ref c70, ref c71);
                a += columnA;
                a4 += columnA;
                b += rowB;
            }
            b += tile.GapB;
        }

        var c = tile.C;
        var rowC = tile.RowC;
        Store<TVectors>(c00, c01, c);
        if (TRows.Value > 1) Store<TVectors>(c10, c11, c + rowC);
        if (TRows.Value > 2) Store<TVectors>(c20, c21, c + (2 * rowC));
        if (TRows.Value > 3) Store<TVectors>(c30, c31, c + (3 * rowC));
        if (TRows.Value > 4) Store<TVectors>(c40, c41, c + (4 * rowC));
        if (TRows.Value > 5) Store<TVectors>(c50, c51, c + (5 * rowC));
        if (TRows.Value > 6) Store<TVectors>(c60, c61, c + (6 * rowC));
        if (TRows.Value > 7) Store<TVectors>(c70, c71, c + (7 * rowC));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TVectors>(T* source, ref TVector v0, ref TVector v1)
        where TVectors : INumberOf
    {
        v0 = TLanes.Load(source);
        if (TVectors.Value > 1) v1 = TLanes.Load(source + TLanes.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd<TMeeting, TVectors>(T* a, TVector b0, TVector b1, ref TVector c0, ref TVector c1)
        where TMeeting : IMeeting
        where TVectors : INumberOf
    {
        var a0 = TMeeting.Lanewise ? TLanes.Load(a) : TLanes.Broadcast(*a);
        c0 = TLanes.MultiplyAdd(a0, b0, c0);
        if (TVectors.Value > 1) c1 = TLanes.MultiplyAdd(TMeeting.Lanewise ? TLanes.Load(a + TLanes.Count) : a0, b1, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVectors>(TVector v0, TVector v1, T* target)
        where TVectors : INumberOf
    {
        TLanes.Store(v0, target);
        if (TVectors.Value > 1) TLanes.Store(v1, target + TLanes.Count);
    }
}
