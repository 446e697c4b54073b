namespace Functional.Kernels;

/// <summary>A piece of work that can be done in any order and on any thread: chunk by chunk, each writing its own outputs.</summary>
public interface IChunks
{
    void Run(int chunk);
}

/// <summary>The library's one pool of threads.</summary>
public static class Workers
{
    /// <summary>How many threads work at once, the caller's included.</summary>
    public static int Count { get; set; } = Environment.ProcessorCount;

    /// <summary>Runs every chunk from 0 to <paramref name="chunks"/> − 1 and returns when all are done.</summary>
    public static void Run<TBody>(int chunks, ref TBody body)
        where TBody : struct, IChunks
    {
        for (var chunk = 0; chunk < chunks; chunk++) body.Run(chunk);
    }
}
