// Settings of the whole process.
using Functional.Kernels;

namespace Functional.CSharp;

/// <summary>Settings of the whole process.</summary>
public static class Runtime
{
    /// <summary>The number of threads that computations use, the caller's included; results do not depend on it. More than
    /// four for each processor, or 64 where that is less, are taken as that many.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to fewer than 1.</exception>
    /// <example><code>Runtime.Threads = 1;</code></example>
    public static int Threads
    {
        get => Workers.Count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Workers.Count = value;
        }
    }
}
