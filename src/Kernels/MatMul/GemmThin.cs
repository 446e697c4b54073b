// Matrix products of which one factor is a vector: there is nothing to reuse, so they run at the speed of the memory.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>What is added to the elements of a result: numbers a row apart, or null. The same for all rows where Row is 0.</summary>
internal readonly unsafe struct Addend<T>(T* elements, nint row)
    where T : unmanaged
{
    public readonly T* Elements = elements;
    public readonly nint Row = row;
}

/// <summary>Products with a vector, with vectors of one width. Of each, base + scale·y is stored where there is a base.</summary>
internal static unsafe class GemmThin<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    /// <summary>y = v·b, b having its rows side by side: y[j] = start[j] + Σₗ v[l·step]·b[l, j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows(int n, nint k, T* v, nint step, T* b, nint rowB, T* start, T* onto, T scale, T* y)
    {
        var width = TLanes.Count;
        var j = 0;
        for (; j + (8 * width) <= n; j += 8 * width)
        {
            TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
            if (start != null)
            {
                var s = start + j;
                s0 = TLanes.Load(s);
                s1 = TLanes.Load(s + width);
                s2 = TLanes.Load(s + (2 * width));
                s3 = TLanes.Load(s + (3 * width));
                s4 = TLanes.Load(s + (4 * width));
                s5 = TLanes.Load(s + (5 * width));
                s6 = TLanes.Load(s + (6 * width));
                s7 = TLanes.Load(s + (7 * width));
            }
            T* x = v, p = b + j;
            for (var l = k; l > 0; l--, x += step, p += rowB)
            {
                var a = TLanes.Broadcast(*x);
                s0 = TLanes.MultiplyAdd(a, TLanes.Load(p), s0);
                s1 = TLanes.MultiplyAdd(a, TLanes.Load(p + width), s1);
                s2 = TLanes.MultiplyAdd(a, TLanes.Load(p + (2 * width)), s2);
                s3 = TLanes.MultiplyAdd(a, TLanes.Load(p + (3 * width)), s3);
                s4 = TLanes.MultiplyAdd(a, TLanes.Load(p + (4 * width)), s4);
                s5 = TLanes.MultiplyAdd(a, TLanes.Load(p + (5 * width)), s5);
                s6 = TLanes.MultiplyAdd(a, TLanes.Load(p + (6 * width)), s6);
                s7 = TLanes.MultiplyAdd(a, TLanes.Load(p + (7 * width)), s7);
            }
            if (onto != null)
            {
                var o = onto + j;
                s0 = Scaled(scale, s0, o);
                s1 = Scaled(scale, s1, o + width);
                s2 = Scaled(scale, s2, o + (2 * width));
                s3 = Scaled(scale, s3, o + (3 * width));
                s4 = Scaled(scale, s4, o + (4 * width));
                s5 = Scaled(scale, s5, o + (5 * width));
                s6 = Scaled(scale, s6, o + (6 * width));
                s7 = Scaled(scale, s7, o + (7 * width));
            }
            var t = y + j;
            TLanes.Store(s0, t);
            TLanes.Store(s1, t + width);
            TLanes.Store(s2, t + (2 * width));
            TLanes.Store(s3, t + (3 * width));
            TLanes.Store(s4, t + (4 * width));
            TLanes.Store(s5, t + (5 * width));
            TLanes.Store(s6, t + (6 * width));
            TLanes.Store(s7, t + (7 * width));
        }
        // Few vectors would wait for each other's sums.
        for (; j + (4 * width) <= n; j += 4 * width)
        {
            TVector s0 = default, s1 = default, s2 = default, s3 = default;
            if (start != null)
            {
                var s = start + j;
                s0 = TLanes.Load(s);
                s1 = TLanes.Load(s + width);
                s2 = TLanes.Load(s + (2 * width));
                s3 = TLanes.Load(s + (3 * width));
            }
            T* x = v, p = b + j;
            for (var l = k; l > 0; l--, x += step, p += rowB)
            {
                var a = TLanes.Broadcast(*x);
                s0 = TLanes.MultiplyAdd(a, TLanes.Load(p), s0);
                s1 = TLanes.MultiplyAdd(a, TLanes.Load(p + width), s1);
                s2 = TLanes.MultiplyAdd(a, TLanes.Load(p + (2 * width)), s2);
                s3 = TLanes.MultiplyAdd(a, TLanes.Load(p + (3 * width)), s3);
            }
            if (onto != null)
            {
                var o = onto + j;
                s0 = Scaled(scale, s0, o);
                s1 = Scaled(scale, s1, o + width);
                s2 = Scaled(scale, s2, o + (2 * width));
                s3 = Scaled(scale, s3, o + (3 * width));
            }
            var t = y + j;
            TLanes.Store(s0, t);
            TLanes.Store(s1, t + width);
            TLanes.Store(s2, t + (2 * width));
            TLanes.Store(s3, t + (3 * width));
        }
        for (; j + width <= n; j += width)
        {
            var s = start == null ? default : TLanes.Load(start + j);
            T* x = v, p = b + j;
            for (var l = k; l > 0; l--, x += step, p += rowB) s = TLanes.MultiplyAdd(TLanes.Broadcast(*x), TLanes.Load(p), s);
            TLanes.Store(onto == null ? s : Scaled(scale, s, onto + j), y + j);
        }
        for (; j < n; j++)
        {
            var s = start == null ? T.Zero : start[j];
            T* x = v, p = b + j;
            for (var l = k; l > 0; l--, x += step, p += rowB) s = T.MultiplyAddEstimate(*x, *p, s);
            y[j] = onto == null ? s : LanesOfOne<T>.Fused(scale, s, onto[j]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scaled(T scale, TVector sum, T* onto) => TLanes.Fused(TLanes.Broadcast(scale), sum, TLanes.Load(onto));

    /// <summary>y = a·v, a having the elements of a row, and v its elements, side by side: y[i·step] = start[i] + a[i, ..]·v.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(int m, nint k, T* a, nint rowA, T* v, Addend<T> start, Addend<T> onto, T scale, T* y, nint step)
    {
        T* from = start.Elements, to = onto.Elements;
        nint fromRow = start.Row, toRow = onto.Row, whole = k - (k % TLanes.Count);
        // Adding up over the lanes takes longer than the rest of a short sum: that of four rows is done together.
        T* lanes = stackalloc T[4 * TLanes.Count], sums = stackalloc T[4];
        for (var i = 0; i < m; i += 4)
        {
            var rows = Math.Min(4, m - i);
            TVector s0, s1, s2, s3;
            if (rows == 4 && TLanes.TileRows == 8)
            {
                FourDots(k, a, rowA, v, out s0, out s1, out s2, out s3);
            }
            else
            {
                for (var row = 0; row < rows; row++) TLanes.Store(Dot(k, a + (row * rowA), v), lanes + (row * TLanes.Count));
                s0 = TLanes.Load(lanes);
                s1 = TLanes.Load(lanes + TLanes.Count);
                s2 = TLanes.Load(lanes + (2 * TLanes.Count));
                s3 = TLanes.Load(lanes + (3 * TLanes.Count));
            }
            TLanes.Sums(s0, s1, s2, s3, sums);
            for (var row = 0; row < rows; row++, a += rowA, y += step)
            {
                var sum = sums[row];
                for (var l = whole; l < k; l++) sum = T.MultiplyAddEstimate(a[l], v[l], sum);
                if (from != null) sum += from[(i + row) * fromRow];
                *y = to == null ? sum : LanesOfOne<T>.Fused(scale, sum, to[(i + row) * toRow]);
            }
        }
    }

    // The same of four rows, for processors with registers enough.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourDots(nint k, T* a, nint rowA, T* v, out TVector sum0, out TVector sum1, out TVector sum2, out TVector sum3)
    {
        TVector p0 = default, p1 = default, p2 = default, p3 = default, q0 = default, q1 = default, q2 = default, q3 = default,
            r0 = default, r1 = default, r2 = default, r3 = default, s0 = default, s1 = default, s2 = default, s3 = default;
        var width = TLanes.Count;
        T* b = a + rowA, c = b + rowA, d = c + rowA;
        for (; k >= 4 * width; k -= 4 * width, a += 4 * width, b += 4 * width, c += 4 * width, d += 4 * width, v += 4 * width)
        {
            TVector v0 = TLanes.Load(v), v1 = TLanes.Load(v + width), v2 = TLanes.Load(v + (2 * width)), v3 = TLanes.Load(v + (3 * width));
            p0 = TLanes.MultiplyAdd(TLanes.Load(a), v0, p0);
            p1 = TLanes.MultiplyAdd(TLanes.Load(a + width), v1, p1);
            p2 = TLanes.MultiplyAdd(TLanes.Load(a + (2 * width)), v2, p2);
            p3 = TLanes.MultiplyAdd(TLanes.Load(a + (3 * width)), v3, p3);
            q0 = TLanes.MultiplyAdd(TLanes.Load(b), v0, q0);
            q1 = TLanes.MultiplyAdd(TLanes.Load(b + width), v1, q1);
            q2 = TLanes.MultiplyAdd(TLanes.Load(b + (2 * width)), v2, q2);
            q3 = TLanes.MultiplyAdd(TLanes.Load(b + (3 * width)), v3, q3);
            r0 = TLanes.MultiplyAdd(TLanes.Load(c), v0, r0);
            r1 = TLanes.MultiplyAdd(TLanes.Load(c + width), v1, r1);
            r2 = TLanes.MultiplyAdd(TLanes.Load(c + (2 * width)), v2, r2);
            r3 = TLanes.MultiplyAdd(TLanes.Load(c + (3 * width)), v3, r3);
            s0 = TLanes.MultiplyAdd(TLanes.Load(d), v0, s0);
            s1 = TLanes.MultiplyAdd(TLanes.Load(d + width), v1, s1);
            s2 = TLanes.MultiplyAdd(TLanes.Load(d + (2 * width)), v2, s2);
            s3 = TLanes.MultiplyAdd(TLanes.Load(d + (3 * width)), v3, s3);
        }
        for (; k >= width; k -= width, a += width, b += width, c += width, d += width, v += width)
        {
            var x = TLanes.Load(v);
            p0 = TLanes.MultiplyAdd(TLanes.Load(a), x, p0);
            q0 = TLanes.MultiplyAdd(TLanes.Load(b), x, q0);
            r0 = TLanes.MultiplyAdd(TLanes.Load(c), x, r0);
            s0 = TLanes.MultiplyAdd(TLanes.Load(d), x, s0);
        }
        sum0 = TLanes.Add(TLanes.Add(p0, p1), TLanes.Add(p2, p3));
        sum1 = TLanes.Add(TLanes.Add(q0, q1), TLanes.Add(q2, q3));
        sum2 = TLanes.Add(TLanes.Add(r0, r1), TLanes.Add(r2, r3));
        sum3 = TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3));
    }

    // The sums of each lane, of whole vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Dot(nint k, T* a, T* v)
    {
        var width = TLanes.Count;
        TVector s0 = default, s1 = default, s2 = default, s3 = default;
        for (; k >= 4 * width; k -= 4 * width, a += 4 * width, v += 4 * width)
        {
            s0 = TLanes.MultiplyAdd(TLanes.Load(a), TLanes.Load(v), s0);
            s1 = TLanes.MultiplyAdd(TLanes.Load(a + width), TLanes.Load(v + width), s1);
            s2 = TLanes.MultiplyAdd(TLanes.Load(a + (2 * width)), TLanes.Load(v + (2 * width)), s2);
            s3 = TLanes.MultiplyAdd(TLanes.Load(a + (3 * width)), TLanes.Load(v + (3 * width)), s3);
        }
        for (; k >= width; k -= width, a += width, v += width) s0 = TLanes.MultiplyAdd(TLanes.Load(a), TLanes.Load(v), s0);
        return TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3));
    }

    // A result that stays in the second-level cache may be written strip by strip; memory wants whole rows.
    private const int StripsBytes = 128 << 10;

    /// <summary>y = v·w, a column by a row: y[i, j] = start[i, j] + v[i·step]·w[j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Outer(int m, int n, T* v, nint step, T* w, Addend<T> start, Addend<T> onto, T scale, T* y, nint rowY)
    {
        var width = TLanes.Count;
        var j = 0;
        if (onto.Elements == null && (start.Elements == null || start.Row == 0) && (long)m * n * sizeof(T) <= StripsBytes)
        {
            // Four vectors of w, and what they start from, stay in registers for all rows.
            for (; j + (4 * width) <= n; j += 4 * width)
            {
                TVector w0 = TLanes.Load(w + j), w1 = TLanes.Load(w + j + width), w2 = TLanes.Load(w + j + (2 * width)), w3 = TLanes.Load(w + j + (3 * width)),
                    s0 = default, s1 = default, s2 = default, s3 = default;
                if (start.Elements != null)
                {
                    var s = start.Elements + j;
                    s0 = TLanes.Load(s);
                    s1 = TLanes.Load(s + width);
                    s2 = TLanes.Load(s + (2 * width));
                    s3 = TLanes.Load(s + (3 * width));
                }
                T* x = v, t = y + j;
                for (var i = m; i > 0; i--, x += step, t += rowY)
                {
                    var a = TLanes.Broadcast(*x);
                    TLanes.Store(TLanes.MultiplyAdd(a, w0, s0), t);
                    TLanes.Store(TLanes.MultiplyAdd(a, w1, s1), t + width);
                    TLanes.Store(TLanes.MultiplyAdd(a, w2, s2), t + (2 * width));
                    TLanes.Store(TLanes.MultiplyAdd(a, w3, s3), t + (3 * width));
                }
            }
            if (j == n) return;
        }
        OuterRows(m, n, j, v, step, w, start, onto, scale, y, rowY);
    }

    // The same row by row, from a column on.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OuterRows(int m, int n, int column, T* v, nint step, T* w, Addend<T> start, Addend<T> onto, T scale, T* y, nint rowY)
    {
        var width = TLanes.Count;
        T* from = start.Elements, to = onto.Elements;
        nint fromRow = start.Row, toRow = onto.Row;
        for (; m > 0; m--, v += step, y += rowY, from += fromRow, to += toRow)
        {
            var a = TLanes.Broadcast(*v);
            var j = column;
            if (onto.Elements != null)
            {
                for (; j + width <= n; j += width)
                    TLanes.Store(Scaled(scale, TLanes.MultiplyAdd(a, TLanes.Load(w + j), start.Elements == null ? default : TLanes.Load(from + j)), to + j), y + j);
                for (; j < n; j++) y[j] = LanesOfOne<T>.Fused(scale, start.Elements == null ? *v * w[j] : T.MultiplyAddEstimate(*v, w[j], from[j]), to[j]);
            }
            else if (start.Elements != null)
            {
                for (; j + width <= n; j += width) TLanes.Store(TLanes.MultiplyAdd(a, TLanes.Load(w + j), TLanes.Load(from + j)), y + j);
                for (; j < n; j++) y[j] = T.MultiplyAddEstimate(*v, w[j], from[j]);
            }
            else
            {
                for (; j + width <= n; j += width) TLanes.Store(TLanes.MultiplyAdd(a, TLanes.Load(w + j), default), y + j);
                for (; j < n; j++) y[j] = *v * w[j];
            }
        }
    }
}
