// Working memory of a thread, kept from call to call.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>Working memory that belongs to the calling thread; the next call on the thread gives out the same bytes again.</summary>
internal static unsafe class Scratch
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static Buffer? bytes;

    [ThreadStatic]
    private static Buffer? common;

    [ThreadStatic]
    private static Buffer? list;

    private static int trims;

    /// <summary>Lists of up to so many places lie on the stack, longer ones in <see cref="List"/>: a stack has a megabyte or so.</summary>
    public const int Few = 4096;

    /// <summary>Room for some elements, aligned to cache lines, with no particular values.</summary>
    public static T* Of<T>(long count)
        where T : unmanaged => Of<T>(ref bytes, count);

    /// <summary>The same apart from it: for what a caller prepares and all chunks of its work read.</summary>
    public static T* Common<T>(long count)
        where T : unmanaged => Of<T>(ref common, count);

    /// <summary>The same apart from both: for a list of places that is too long for the stack.</summary>
    public static nint* List(long count) => Of<nint>(ref list, count);

    /// <summary>Lets go of what this thread keeps, and what other threads keep when they next ask for it: only the thread that
    /// works knows when the bytes are free.</summary>
    public static void Trim()
    {
        Interlocked.Increment(ref trims);
        bytes = common = list = null;
    }

    private static T* Of<T>(ref Buffer? kept, long count)
        where T : unmanaged
    {
        var needed = (count * sizeof(T)) + Alignment;
        if (needed > ArraySize.Limit)
            throw new ArgumentException($"the working memory of this operation would take {needed:N0} bytes, and one array holds at most 2 GB; smaller strides, dilations or images need less");
        if (kept is null || kept.Bytes.Length < needed || kept.Trims != trims)
            kept = new Buffer(GC.AllocateUninitializedArray<byte>((int)Math.Max(needed, 1 << 16), pinned: true), trims);
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(kept.Bytes));
        var first = (T*)((address + Alignment - 1) & -Alignment);
#if CHECKED_KERNELS
        first = (T*)Checked.Scratch(first, count * sizeof(T), Unsafe.AreSame(ref kept, ref common));
#endif
        return first;
    }

    /// <summary>The bytes a thread keeps, and how often all were asked to let go when they were made.</summary>
    private sealed class Buffer(byte[] bytes, int trims)
    {
        public readonly byte[] Bytes = bytes;
        public readonly int Trims = trims;
    }
}
