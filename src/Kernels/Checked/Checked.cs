// The build switch CheckedKernels: every access through a pointer is checked against the array that the pointer was made for.
//
// tools/CheckKernels rewrites the compiled kernels. Where a pointer is made (fixed, stackalloc, &local, scratch memory) it is
// given the number of a range in its upper 16 bits, which arithmetic carries along; where memory is read or written through
// it, the address is compared with that range, exactly to the byte, and the number taken off. An access that the tool forgot
// would go to an address that no program has, and stop there: nothing is silently left out.
//
// A range lives as long as the function that made it; of scratch memory, until the same memory is given out again. So what is
// found is any access before, behind or between arrays (views of an arena and of a loop's stacked arrays are arrays of their
// own, whatever lies beside them), through a pointer kept too long, through null or through a number that never was a pointer.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>A kernel read or wrote where it may not; the access did not take place.</summary>
public sealed class KernelAccessException(string message) : Exception(message);

/// <summary>What rewritten kernels call.</summary>
public static unsafe class Checked
{
    private const int NumberBits = 16;
    private const int AddressBits = 64 - NumberBits;
    private const ulong AddressMask = (1UL << AddressBits) - 1;

    // Every thread has a part of the numbers: for what functions on its stack have made, and for scratch memory.
    private const int PerThread = 512;
    private const int Scratches = 8;

    private struct Range
    {
        public nuint Start, Length;
    }

    // What a message says of a range; stays when the range is dead.
    private struct Detail
    {
        public nuint Start, Length, Frame;
        public Kind Kind;
    }

    private enum Kind : byte
    {
        Array,
        Stack,
        Scratch,
    }

    private static readonly Range* Ranges = (Range*)NativeMemory.AllocZeroed(1 << NumberBits, (nuint)sizeof(Range));
    private static readonly Detail* Details = (Detail*)NativeMemory.AllocZeroed(1 << NumberBits, (nuint)sizeof(Detail));
    private static readonly ConcurrentBag<int> FreeParts = [.. Enumerable.Range(1, ((1 << NumberBits) / PerThread) - 1)];

    [ThreadStatic]
    private static Part? part;

    // How many bytes follow the reference that this thread was given last.
    [ThreadStatic]
    private static long noted;

    /// <summary>Whoever finds violations in a whole run looks here: a test may have caught the exception.</summary>
    public static ConcurrentDictionary<KernelAccessException, bool> Violations { get; } = new();

    /// <summary>In how many places the kernels are checked. The tool writes the number: 0 says that it did not run.</summary>
    public static int Places => 0;

    // Before any kernel is compiled: then the table's address is a number in its code.
#pragma warning disable CA2255 // of this build, which is no library
    [ModuleInitializer]
    internal static void Initialize() => RuntimeHelpers.RunClassConstructor(typeof(Checked).TypeHandle);
#pragma warning restore CA2255

    /// <summary>The bare address of some bytes, all of which are in the pointer's range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* At(void* pointer, uint bytes)
    {
        ref readonly var range = ref Ranges[(nuint)pointer >> AddressBits];
        var offset = (nuint)((nuint)pointer & AddressMask) - range.Start;
        if (offset > range.Length || range.Length - offset < bytes) Fail(pointer, bytes);
        return Bare(pointer);
    }

    /// <summary>The same for any number of bytes; none are never out of range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Bytes(void* pointer, long bytes)
    {
        if (bytes is < 0 or > uint.MaxValue) Fail(pointer, bytes);
        return bytes == 0 ? Bare(pointer) : At(pointer, (uint)bytes);
    }

    /// <summary>The address without the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Bare(void* pointer) => (void*)(nuint)((nuint)pointer & AddressMask);

    /// <summary>Says how many bytes follow the reference that is about to be handed out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(long bytes) => noted = bytes;

    /// <summary>A reference that was just handed out, behind which there is so much.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T Noted<T>(ref T reference, int bytes)
    {
        if (noted < bytes) Fail(null, bytes);
        return ref reference;
    }

    /// <summary>An element of an array, whose address is about to be taken.</summary>
    public static ref T Element<T>(T[] array, int index)
    {
        Note((array.Length - index) * (long)sizeof(T));
        return ref array[index];
    }

    /// <summary>
    /// A pointer to a storage that somebody else holds still, for tests that call kernels with pointers; good on all threads
    /// until <c>Leave(0)</c> on this one.
    /// </summary>
    public static nint Point(Storage storage)
    {
        fixed (byte* bytes = storage) return (nint)Mine.Push(Kind.Array, (nuint)bytes, (nuint)storage.ByteLength, nuint.MaxValue);
    }

    /// <summary>A function that makes pointers begins; its frame is at this address, those below are gone.</summary>
    public static int Enter(void* frame) => Mine.Enter((nuint)frame);

    /// <summary>It ends: its pointers are good for nothing any more.</summary>
    public static void Leave(int mark) => Mine.PopTo(mark);

    /// <summary>A pointer to what was noted.</summary>
    public static void* Pin(void* address, void* frame)
    {
        if (address == null) return null;
        return Mine.Push(Kind.Array, (nuint)address, (nuint)noted, (nuint)frame);
    }

    /// <summary>A pointer to a variable, or to what was allocated on the stack.</summary>
    public static void* Local(void* address, nuint bytes, void* frame) => Mine.Push(Kind.Stack, (nuint)address, bytes, (nuint)frame);

    /// <summary>A pointer to one of the thread's two working memories; those that were given out of it before are dead.</summary>
    public static void* Scratch(void* address, long bytes, bool common) => Mine.Scratch((nuint)address, (nuint)bytes, common ? 1 : 0);

    private static Part Mine => part ??= new Part();

    /// <summary>A thread's part of the numbers.</summary>
    private sealed class Part
    {
        private readonly int part, first;
        private int count;
        private uint scratch;

        public Part()
        {
            // Those of threads that ended come back when they are collected.
            for (var tries = 0; !FreeParts.TryTake(out part); tries++)
            {
                if (tries == 100) throw new InvalidOperationException("more threads than checked kernels have numbers for");
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            first = part * PerThread;
        }

        ~Part()
        {
            new Span<Range>(Ranges + first, PerThread).Clear();
            FreeParts.Add(part);
        }

        public int Enter(nuint frame)
        {
            // What an exception jumped over.
            while (count > 0 && Details[first + count - 1].Frame < frame) PopTo(count - 1);
            return count;
        }

        public void PopTo(int mark)
        {
            while (count > mark) Ranges[first + --count] = default;
        }

        public void* Push(Kind kind, nuint start, nuint length, nuint frame)
        {
            // In a loop a function makes the same pointer again and again, which stays one.
            for (var number = first + count - 1; number >= first && Details[number].Frame == frame; number--)
            {
                ref readonly var known = ref Details[number];
                if (known.Start == start && known.Length == length && known.Kind == kind) return Pointer(number, start);
            }
            if (count == PerThread - (2 * Scratches)) throw new InvalidOperationException("more pointers at once than checked kernels have numbers for");
            return Set(first + count++, kind, start, length, frame);
        }

        public void* Scratch(nuint start, nuint length, int memory)
        {
            var numbers = first + PerThread - ((memory + 1) * Scratches);
            new Span<Range>(Ranges + numbers, Scratches).Clear();
            return Set(numbers + (int)(scratch++ % Scratches), Kind.Scratch, start, length, 0);
        }

        private static void* Set(int number, Kind kind, nuint start, nuint length, nuint frame)
        {
            Ranges[number] = new() { Start = start, Length = length };
            Details[number] = new() { Start = start, Length = length, Frame = frame, Kind = kind };
            return Pointer(number, start);
        }

        private static void* Pointer(int number, nuint start) => (void*)(start | ((nuint)number << AddressBits));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(void* pointer, long bytes)
    {
        var number = (nuint)pointer >> AddressBits;
        var detail = Details[number];
        var what = detail.Kind switch
        {
            Kind.Array => "an array",
            Kind.Stack => "a place on the stack",
            _ => "scratch memory",
        };
        var where = number == 0 ? "through something that points to no array"
            : Ranges[number].Length == 0 && detail.Length > 0 ? $"through a pointer to {what} of {detail.Length} bytes that was kept too long"
            : $"at offset {(nint)((nuint)((nuint)pointer & AddressMask) - detail.Start)} of {what} of {detail.Length} bytes";
        var kernel = new StackTrace().GetFrames().Select(frame => frame.GetMethod()).FirstOrDefault(method =>
            method?.DeclaringType is { } type && type != typeof(Checked) && type != typeof(CheckedCalls) && !type.Name.StartsWith("Simd", StringComparison.Ordinal));
        var failure = new KernelAccessException($"{kernel?.DeclaringType?.Name}.{kernel?.Name}: an access to {bytes} bytes {where}");
        Violations[failure] = true;
        throw failure;
    }
}
