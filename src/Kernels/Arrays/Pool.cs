// Memory that waits to be used again, and the accounts that say when to look for more of it.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>Free arrays by size class, an eighth of an octave each.</summary>
internal static unsafe class Pool
{
    private const int Alignment = 64;

    // Larger arrays are not kept: rounded up, they would not fit into an array.
    private const int KeepLimit = 1 << 30;

    // Free arrays that nobody needed for so long are dropped.
    private const int TrimMilliseconds = 2000;

    private static readonly Bin[] Bins = MakeBins();

    // No more lies free than a quarter of what there is: the program has other things to keep.
    private static readonly long MostFree = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    private static long budget = 32 << 20, limit = 32 << 20, outstanding, free, trimmed = Environment.TickCount64;
    private static int collecting, hand;

    /// <summary>See <see cref="Storage.Budget"/>.</summary>
    public static long Budget
    {
        get => Volatile.Read(ref budget);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Volatile.Write(ref budget, value);
            Volatile.Write(ref limit, value);
        }
    }

    /// <summary>The length of the array that a request for some bytes gets: its size class, and room to align.</summary>
    public static int RoomFor(int bytes) => bytes > KeepLimit ? bytes : ClassSize(bytes) + Alignment;

    /// <summary>The first place in an array that lies on a cache line, as the array lies now.</summary>
    public static int AlignedOffset(byte[] array) => array.Length > KeepLimit + Alignment
        ? 0
        : (int)-(nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array)) & (Alignment - 1);

    /// <summary>A free array for some bytes, or null.</summary>
    public static byte[]? Take(int bytes)
    {
        if (bytes > KeepLimit) return null;
        var array = Bins[ClassOf(bytes)].Take();
        if (array is not null) Interlocked.Add(ref free, -array.Length);
        return array;
    }

    /// <summary>Takes an array back.</summary>
    public static void Give(byte[] array)
    {
        if (array.Length > KeepLimit + Alignment) return;
        var home = ClassOf(array.Length - Alignment);
        // As much may lie free as may be in use: more was hardly needed at once.
        if (Interlocked.Add(ref free, array.Length) > MayLieFree && !MakeWay(home))
        {
            Interlocked.Add(ref free, -array.Length);
            return;
        }
        Bins[home].Give(array);
        var now = Environment.TickCount64;
        var last = Volatile.Read(ref trimmed);
        if (now - last > TrimMilliseconds && Interlocked.CompareExchange(ref trimmed, now, last) == last) Trim();
    }

    /// <summary>Counts bytes of large arrays that came into use, or went out of it.</summary>
    public static void Outstanding(int bytes) => Interlocked.Add(ref outstanding, bytes);

    /// <summary>Before more large memory is allocated: if too much is in use, has the unreachable part of it found.</summary>
    public static void MakeRoom(int bytes)
    {
        if (Volatile.Read(ref outstanding) + bytes <= Volatile.Read(ref limit) || Interlocked.Exchange(ref collecting, 1) == 1) return;
        try
        {
            var before = Volatile.Read(ref outstanding);
            Collect(1);
            var full = before - Volatile.Read(ref outstanding) < Budget / 2;
            // Garbage that has survived a collection or two is found only by a full one.
            if (full) Collect(2);
            // What a full collection leaves is alive. The more that is, the rarer the next should be; but data that
            // stays (MNIST is 219 MB) must not double the garbage beside it.
            var alive = Volatile.Read(ref outstanding) + bytes;
            var next = alive + Math.Max(Budget, alive / 8);
            if (full || next < Volatile.Read(ref limit)) Volatile.Write(ref limit, next);
        }
        finally
        {
            Volatile.Write(ref collecting, 0);
        }
    }

    private static void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        GC.WaitForPendingFinalizers();
    }

    // Drops arrays of other sizes, in turns, until no more lies free than may; whether that is so then.
    private static bool MakeWay(int home)
    {
        for (var tried = 0; tried < Bins.Length && Volatile.Read(ref free) > MayLieFree; tried++)
        {
            var other = (int)((uint)Interlocked.Increment(ref hand) % Bins.Length);
            if (other == home) continue;
            while (Volatile.Read(ref free) > MayLieFree && Bins[other].Take() is { } array)
                Interlocked.Add(ref free, -array.Length);
        }
        return Volatile.Read(ref free) <= MayLieFree;
    }

    private static long MayLieFree => Math.Min(Volatile.Read(ref limit), MostFree);

    /// <summary>New memory; where there is none left, what lies free here is given up, and garbage found, before anybody hears of it.</summary>
    /// <exception cref="OutOfMemoryException">There is no room for so much beside what is in use.</exception>
    public static byte[] Allocate(int length, bool pinned)
    {
        try
        {
            return GC.AllocateUninitializedArray<byte>(length, pinned);
        }
        catch (OutOfMemoryException)
        {
            // arrays that nobody holds come back here once their finalizers have run
            for (var round = 0; round < 2; round++)
            {
                Drop();
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }
            return GC.AllocateUninitializedArray<byte>(length, pinned);
        }
    }

    /// <summary>Lets go of all free arrays.</summary>
    public static void Drop()
    {
        foreach (var bin in Bins)
        {
            while (bin.Take() is { } array) Interlocked.Add(ref free, -array.Length);
        }
    }

    private static void Trim()
    {
        foreach (var bin in Bins) Interlocked.Add(ref free, -bin.Trim());
    }

    private static int ClassOf(int bytes)
    {
        var octave = BitOperations.Log2((uint)bytes - 1);
        return (octave * 8) + (((bytes - 1) >> (octave - 3)) & 7);
    }

    private static int ClassSize(int bytes)
    {
        var step = BitOperations.Log2((uint)bytes - 1) - 3;
        return (((bytes - 1) >> step) + 1) << step;
    }

    private static Bin[] MakeBins()
    {
        var bins = new Bin[ClassOf(KeepLimit) + 1];
        for (var i = 0; i < bins.Length; i++) bins[i] = new Bin();
        return bins;
    }

    /// <summary>The free arrays of one size, the last one returned first.</summary>
    private sealed class Bin
    {
        private readonly Stack<byte[]> arrays = new();

        // How few there were since the last trim: so many were not needed.
        private int unneeded;

        public byte[]? Take()
        {
            if (arrays.Count == 0) return null;
            lock (arrays)
            {
                if (!arrays.TryPop(out var array)) return null;
                unneeded = Math.Min(unneeded, arrays.Count);
                return array;
            }
        }

        public void Give(byte[] array)
        {
            lock (arrays) arrays.Push(array);
        }

        /// <summary>Drops the arrays that were not needed; the number of their bytes.</summary>
        public long Trim()
        {
            lock (arrays)
            {
                long dropped = 0;
                for (; unneeded > 0; unneeded--) dropped += arrays.Pop().Length;
                unneeded = arrays.Count;
                return dropped;
            }
        }
    }
}
