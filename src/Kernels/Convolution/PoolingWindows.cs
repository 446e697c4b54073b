using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>Some windows along the last axis that see the same places, counted from where each begins.</summary>
internal unsafe ref struct PoolingWindows
{
    /// <summary>The places, the first channel of each, and how many there are.</summary>
    public nint* Places;
    public int Count;

    /// <summary>How many windows there are, and how far each begins from the one before.</summary>
    public int Windows;
    public nint Step;

    public int Channels;
}

/// <summary>What is done with a window, with vectors of one width: channels go side by side through a vector.</summary>
internal static unsafe class PoolingWindows<V, T>
    where V : struct, ISimd<V, T>
{
    /// <summary>y = the maximum of each window of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Max(in PoolingWindows windows, T* x, T* y)
    {
        if (windows.Count == 4)
        {
            Max4(windows, x, y);
            return;
        }
        for (var w = windows.Windows; w > 0; w--, x += windows.Step, y += windows.Channels)
        {
            var c = 0;
            for (; c + V.Count <= windows.Channels; c += V.Count) Max(windows, x + c, y + c, V.Count);
            if (c < windows.Channels) Max(windows, x + c, y + c, windows.Channels - c);
        }
    }

    /// <summary>y = the element of t where x has the maximum of each window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pick(in PoolingWindows windows, T* x, T* t, T* y)
    {
        for (var w = windows.Windows; w > 0; w--, x += windows.Step, t += windows.Step, y += windows.Channels)
        {
            var c = 0;
            for (; c + V.Count <= windows.Channels; c += V.Count) Pick(windows, x + c, t + c, y + c, V.Count);
            if (c < windows.Channels) Pick(windows, x + c, t + c, y + c, windows.Channels - c);
        }
    }

    /// <summary>
    /// Sends t, an element a window, to where x has the maximum of the window: added to z, or, where no window meets another,
    /// written with zeros to the other places.
    /// </summary>
    public static void Place(in PoolingWindows windows, T* x, T* t, T* z, bool adds)
    {
        if (adds) Place<Adds>(windows, x, t, z);
        else Place<Writes>(windows, x, t, z);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Place<TWriting>(in PoolingWindows windows, T* x, T* t, T* z)
        where TWriting : struct
    {
        if (windows.Count == 4)
        {
            Place4<TWriting>(windows, x, t, z);
            return;
        }
        for (var w = windows.Windows; w > 0; w--, x += windows.Step, z += windows.Step, t += windows.Channels)
        {
            var c = 0;
            for (; c + V.Count <= windows.Channels; c += V.Count) Place<TWriting>(windows, x + c, t + c, z + c, V.Count);
            if (c < windows.Channels) Place<TWriting>(windows, x + c, t + c, z + c, windows.Channels - c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Max(in PoolingWindows window, T* x, T* y, int lanes)
    {
        var best = V.Of(double.NegativeInfinity);
        for (var p = 0; p < window.Count; p++) best = V.Max(best, Load(x + window.Places[p], lanes));
        Store(best, y, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pick(in PoolingWindows window, T* x, T* t, T* y, int lanes)
    {
        V best = V.Of(double.NegativeInfinity), picked = window.Count == 0 ? V.Of(0) : Load(t + window.Places[0], lanes);
        for (var p = 0; p < window.Count; p++)
        {
            var value = Load(x + window.Places[p], lanes);
            var wins = Wins(value, best);
            best = V.Select(wins, value, best);
            picked = V.Select(wins, Load(t + window.Places[p], lanes), picked);
        }
        Store(picked, y, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Place<TWriting>(in PoolingWindows window, T* x, T* t, T* z, int lanes)
        where TWriting : struct
    {
        V best = V.Of(double.NegativeInfinity), number = V.Of(0), winner = V.Of(0), one = V.Of(1);
        for (var p = 0; p < window.Count; p++)
        {
            var value = Load(x + window.Places[p], lanes);
            var wins = Wins(value, best);
            best = V.Select(wins, value, best);
            winner = V.Select(wins, number, winner);
            number += one;
        }
        var share = Load(t, lanes);
        number = V.Of(0);
        for (var p = 0; p < window.Count; p++)
        {
            var to = z + window.Places[p];
            var part = V.Equal(winner, number) & share;
            Write<TWriting>(part, to, lanes);
            number += one;
        }
    }

    // Two by two, what most networks pool: no loop, no numbers of places. Twice as fast.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Max4(in PoolingWindows windows, T* x, T* y)
    {
        nint p0 = windows.Places[0], p1 = windows.Places[1], p2 = windows.Places[2], p3 = windows.Places[3], step = windows.Step;
        var channels = windows.Channels;
        for (var w = windows.Windows; w > 0; w--, x += step, y += channels)
        {
            var c = 0;
            for (; c + V.Count <= channels; c += V.Count) Max4(x + c, p0, p1, p2, p3, y + c, V.Count);
            if (c < channels) Max4(x + c, p0, p1, p2, p3, y + c, channels - c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Max4(T* x, nint p0, nint p1, nint p2, nint p3, T* y, int lanes) =>
        Store(V.Max(V.Max(V.Max(Load(x + p0, lanes), Load(x + p1, lanes)), Load(x + p2, lanes)), Load(x + p3, lanes)), y, lanes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Place4<TWriting>(in PoolingWindows windows, T* x, T* t, T* z)
        where TWriting : struct
    {
        nint p0 = windows.Places[0], p1 = windows.Places[1], p2 = windows.Places[2], p3 = windows.Places[3], step = windows.Step;
        var channels = windows.Channels;
        for (var w = windows.Windows; w > 0; w--, x += step, z += step, t += channels)
        {
            var c = 0;
            for (; c + V.Count <= channels; c += V.Count) Place4<TWriting>(x + c, p0, p1, p2, p3, t + c, z + c, V.Count);
            if (c < channels) Place4<TWriting>(x + c, p0, p1, p2, p3, t + c, z + c, channels - c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Place4<TWriting>(T* x, nint p0, nint p1, nint p2, nint p3, T* t, T* z, int lanes)
        where TWriting : struct
    {
        V value = Load(x + p1, lanes), best = Load(x + p0, lanes), wins1 = Wins(value, best);
        best = V.Select(wins1, value, best);
        value = Load(x + p2, lanes);
        var wins2 = Wins(value, best);
        best = V.Select(wins2, value, best);
        var wins3 = Wins(Load(x + p3, lanes), best);
        // The last to win has it; what is left goes to the one before.
        var share = Load(t, lanes);
        Write<TWriting>(wins3 & share, z + p3, lanes);
        share &= ~wins3;
        Write<TWriting>(wins2 & share, z + p2, lanes);
        share &= ~wins2;
        Write<TWriting>(wins1 & share, z + p1, lanes);
        Write<TWriting>(share & ~wins1, z + p0, lanes);
    }

    // Lanes where a new value is to replace the best so far: where it is larger, or the first that is NaN.
    private static V Wins(V value, V best) => ~V.LessOrEqual(value, best) & V.Equal(best, best);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load(T* from, int lanes) => lanes == V.Count ? V.Load(from) : V.Load(from, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V value, T* to, int lanes)
    {
        if (lanes == V.Count) value.Store(to);
        else value.Store(to, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<TWriting>(V part, T* to, int lanes)
        where TWriting : struct => Store(typeof(TWriting) == typeof(Adds) ? Load(to, lanes) + part : part, to, lanes);

    private struct Writes;

    private struct Adds;
}
