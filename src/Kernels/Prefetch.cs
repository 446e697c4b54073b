// Asking for memory before it is needed: a loop over stacked arrays jumps from place to place, which the processor does
// not foresee, but the loop knows where it goes next. Measured on an LSTM's 50 steps, whose 12 MB do not stay in the
// second-level cache: an elementwise kernel of the reverse pass takes 21 µs a step without, 8 with all of it in the cache.
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Hints to the processor; they change no result.</summary>
public static unsafe class Prefetch
{
    private const int Line = 64;

    /// <summary>Asks for the first bytes of a storage, to be found in the nearest cache.</summary>
    public static void Begin(Storage storage, int bytes)
    {
        if (!Sse.IsSupported) return;
        fixed (byte* p = storage)
        {
            for (var i = 0; i < bytes; i += Line) Sse.Prefetch0(p + i);
        }
    }
}
