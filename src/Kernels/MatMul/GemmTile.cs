// The innermost part of a matrix product: a tile of the result, at most 8 rows by 2 vectors, that stays in registers
// while k runs. Measured on Zen 5: 244 of 250 GFLOP/s, with packed operands and with operands in place; wider tiles gain
// nothing.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>One tile: c[i, j] = start[i, j] + Σₗ a[i, l]·b[l, j], or base[i, j] + scale times that.</summary>
/// <remarks>
/// Every sum is one chain of multiply-adds, l ascending, however the result is cut into tiles: that is why products
/// do not depend on the number of threads, nor a row of a product on the rows around it.
/// </remarks>
internal unsafe struct Tile<T>
    where T : unmanaged
{
    /// <summary>The number of products to add.</summary>
    public nint K;

    /// <summary>The left factor, with the distances from row to row and from column to column.</summary>
    public T* A;
    public nint RowA, ColumnA;

    /// <summary>The right factor, with the distance from row to row; the elements of a row lie side by side.</summary>
    public T* B;
    public nint RowB;

    /// <summary>What the sums start from: the old result, a bias (then RowStart is 0), or null for zero.</summary>
    public T* Start;
    public nint RowStart;

    /// <summary>The result, with the distance from row to row.</summary>
    public T* C;
    public nint RowC;

    /// <summary>What the finished sums, times scale, are added to, or null; one row for all where RowBase is 0.</summary>
    public T* Base;
    public nint RowBase;
    public T Scale;

    /// <summary>Where the vectors of b are copied to, one after the other, by a tile that packs.</summary>
    public T* Panel;

    /// <summary>What to ask for while the sums run, one place with each term; the last of these have no end.</summary>
    public Places* Soon;
}

/// <summary>A number that is known when code is compiled.</summary>
internal interface INumberOf
{
    static abstract int Value { get; }
}

internal struct Zero : INumberOf
{
    public static int Value => 0;
}

internal struct One : INumberOf
{
    public static int Value => 1;
}

internal struct Two : INumberOf
{
    public static int Value => 2;
}

internal struct Three : INumberOf
{
    public static int Value => 3;
}

internal struct Four : INumberOf
{
    public static int Value => 4;
}

internal struct Five : INumberOf
{
    public static int Value => 5;
}

internal struct Six : INumberOf
{
    public static int Value => 6;
}

internal struct Seven : INumberOf
{
    public static int Value => 7;
}

internal struct Eight : INumberOf
{
    public static int Value => 8;
}

/// <summary>Computes tiles with vectors of one width.</summary>
internal static unsafe class GemmTile<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    /// <summary>Computes a tile of 1 to 8 rows and 1 or 2 vectors.</summary>
    public static void Run(int rows, bool wide, in Tile<T> tile)
    {
        switch (rows)
        {
            case 1: if (wide) Run<One, Two, Zero>(tile); else Run<One, One, Zero>(tile); break;
            case 2: if (wide) Run<Two, Two, Zero>(tile); else Run<Two, One, Zero>(tile); break;
            case 3: if (wide) Run<Three, Two, Zero>(tile); else Run<Three, One, Zero>(tile); break;
            case 4: if (wide) Run<Four, Two, Zero>(tile); else Run<Four, One, Zero>(tile); break;
            case 5: if (wide) Run<Five, Two, Zero>(tile); else Run<Five, One, Zero>(tile); break;
            case 6: if (wide) Run<Six, Two, Zero>(tile); else Run<Six, One, Zero>(tile); break;
            case 7: if (wide) Run<Seven, Two, Zero>(tile); else Run<Seven, One, Zero>(tile); break;
            case 8: if (wide) Run<Eight, Two, Zero>(tile); else Run<Eight, One, Zero>(tile); break;
        }
    }

    /// <summary>
    /// Computes a tile of all rows and two vectors, and copies its part of b into a panel on the way, which costs nothing:
    /// the processor stores while it multiplies.
    /// </summary>
    public static void RunAndPack(in Tile<T> tile)
    {
        if (TLanes.TileRows == 8) Run<Eight, Two, One>(tile);
        else Run<Six, Two, One>(tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows, TVectors, TPacks>(in Tile<T> tile)
        where TRows : INumberOf
        where TVectors : INumberOf
        where TPacks : INumberOf
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

        T* a = tile.A, b = tile.B, panel = tile.Panel;
        nint row1 = tile.RowA, row2 = 2 * row1, row3 = 3 * row1, columnA = tile.ColumnA, rowB = tile.RowB;
        var a4 = a + (4 * row1);
        var left = tile.K;
        for (var soon = tile.Soon; left > 0; soon++)
        {
            var at = soon->First;
            var step = soon->Step;
            var l = Math.Min(left, soon->Count);
            left -= l;
            for (; l > 0; l--)
            {
                if (Sse.IsSupported) Sse.Prefetch0(at);
                at += step;
                var b0 = TLanes.Load(b);
                var b1 = TVectors.Value > 1 ? TLanes.Load(b + TLanes.Count) : default;
                if (TPacks.Value > 0)
                {
                    TLanes.Store(b0, panel);
                    TLanes.Store(b1, panel + TLanes.Count);
                    panel += 2 * TLanes.Count;
                }
                MultiplyAdd<TVectors>(a[0], b0, b1, ref c00, ref c01);
                if (TRows.Value > 1) MultiplyAdd<TVectors>(a[row1], b0, b1, ref c10, ref c11);
                if (TRows.Value > 2) MultiplyAdd<TVectors>(a[row2], b0, b1, ref c20, ref c21);
                if (TRows.Value > 3) MultiplyAdd<TVectors>(a[row3], b0, b1, ref c30, ref c31);
                if (TRows.Value > 4) MultiplyAdd<TVectors>(a4[0], b0, b1, ref c40, ref c41);
                if (TRows.Value > 5) MultiplyAdd<TVectors>(a4[row1], b0, b1, ref c50, ref c51);
                if (TRows.Value > 6) MultiplyAdd<TVectors>(a4[row2], b0, b1, ref c60, ref c61);
                if (TRows.Value > 7) MultiplyAdd<TVectors>(a4[row3], b0, b1, ref c70, ref c71);
                a += columnA;
                a4 += columnA;
                b += rowB;
            }
        }

        if (tile.Base != null)
        {
            var onto = tile.Base;
            var row = tile.RowBase;
            var scale = TLanes.Broadcast(tile.Scale);
            Add<TVectors>(onto, scale, ref c00, ref c01);
            if (TRows.Value > 1) Add<TVectors>(onto + row, scale, ref c10, ref c11);
            if (TRows.Value > 2) Add<TVectors>(onto + (2 * row), scale, ref c20, ref c21);
            if (TRows.Value > 3) Add<TVectors>(onto + (3 * row), scale, ref c30, ref c31);
            if (TRows.Value > 4) Add<TVectors>(onto + (4 * row), scale, ref c40, ref c41);
            if (TRows.Value > 5) Add<TVectors>(onto + (5 * row), scale, ref c50, ref c51);
            if (TRows.Value > 6) Add<TVectors>(onto + (6 * row), scale, ref c60, ref c61);
            if (TRows.Value > 7) Add<TVectors>(onto + (7 * row), scale, ref c70, ref c71);
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
    private static void MultiplyAdd<TVectors>(T a, TVector b0, TVector b1, ref TVector c0, ref TVector c1)
        where TVectors : INumberOf
    {
        var broadcast = TLanes.Broadcast(a);
        c0 = TLanes.MultiplyAdd(broadcast, b0, c0);
        if (TVectors.Value > 1) c1 = TLanes.MultiplyAdd(broadcast, b1, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVectors>(T* onto, TVector scale, ref TVector v0, ref TVector v1)
        where TVectors : INumberOf
    {
        v0 = TLanes.Fused(scale, v0, TLanes.Load(onto));
        if (TVectors.Value > 1) v1 = TLanes.Fused(scale, v1, TLanes.Load(onto + TLanes.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVectors>(TVector v0, TVector v1, T* target)
        where TVectors : INumberOf
    {
        TLanes.Store(v0, target);
        if (TVectors.Value > 1) TLanes.Store(v1, target + TLanes.Count);
    }
}
