// Working memory of a thread, kept from call to call.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>Working memory that belongs to the calling thread; the next call on the thread gives out the same bytes again.</summary>
internal static unsafe class Scratch
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static byte[]? bytes;

    [ThreadStatic]
    private static byte[]? common;

    [ThreadStatic]
    private static byte[]? list;

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

    private static T* Of<T>(ref byte[]? bytes, long count)
        where T : unmanaged
    {
        var needed = (count * sizeof(T)) + Alignment;
        if (needed > ArraySize.Limit)
            throw new ArgumentException($"the working memory of this operation would take {needed:N0} bytes, and one array holds at most 2 GB; smaller strides, dilations or images need less");
        if (bytes is null || bytes.Length < needed)
            bytes = GC.AllocateUninitializedArray<byte>((int)Math.Max(needed, 1 << 16), pinned: true);
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(bytes));
        var first = (T*)((address + Alignment - 1) & -Alignment);
#if CHECKED_KERNELS
        first = (T*)Checked.Scratch(first, count * sizeof(T), Unsafe.AreSame(ref bytes, ref common));
#endif
        return first;
    }
}
