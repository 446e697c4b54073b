// The library's one pool of threads. Work is cut into chunks that threads claim one by one; the caller claims too, so
// a helper that comes late costs nothing. Helpers look for work for a moment after each piece, then sleep.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Functional.Kernels;

/// <summary>A piece of work that can be done in any order and on any thread: chunk by chunk, each writing its own outputs.</summary>
public interface IChunks
{
    void Run(int chunk);
}

/// <summary>The library's one pool of threads.</summary>
/// <remarks>
/// A call made from inside a chunk, or while another thread's work occupies the pool, runs on the calling thread alone:
/// nothing ever waits for the pool, so nothing can deadlock on it.
/// </remarks>
public static unsafe class Workers
{
    // How long a helper looks for more work before it sleeps, and a caller waits before it lets others run.
    private static readonly long Patience = Stopwatch.Frequency * 30 / 1_000_000;

    private static volatile int count = InitialCount();
    private static volatile Helper[] helpers = [];

    // The work in progress. A helper reads these only after it has claimed a chunk: until that chunk is done they stay.
    private static delegate*<void*, int, void> runChunk;
    private static void* body;
    private static int chunkCount;
    private static ExceptionDispatchInfo? failure;

    // Which helpers take part: those whose number is below. Written before, and read after, claims.
    private static volatile int invited;

    // The number of this work (upper half), and how many of its chunks are yet to be claimed (lower half), so that one
    // atomic operation claims a chunk of this very work.
    private static long claims;

    private static int unfinished;
    private static int occupied;

    /// <summary>
    /// How many threads work at once, the caller's included. At first the number of processors, or what the environment
    /// variable FUNCTIONAL_THREADS says. Results do not depend on it. More than <see cref="Most"/> are taken as that many.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public static int Count
    {
        get => count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            count = Math.Min(value, Most);
        }
    }

    /// <summary>The most threads that there are: four for each processor, and 64 where that is less. More would only wait for
    /// each other, and threads of the operating system stay once they are there.</summary>
    public static int Most => Math.Max(64, 4 * Environment.ProcessorCount);

    /// <summary>Runs every chunk from 0 to <paramref name="chunks"/> − 1 and returns when all are done. Allocates nothing.</summary>
    /// <remarks>If a chunk throws, chunks not yet begun are left out and the exception is thrown here.</remarks>
    public static void Run<TBody>(int chunks, ref TBody body)
        where TBody : struct, IChunks
    {
        if (chunks <= 1 || count == 1 || Interlocked.CompareExchange(ref occupied, 1, 0) != 0)
        {
            for (var chunk = 0; chunk < chunks; chunk++) body.Run(chunk);
            return;
        }
        // The pool is given a copy in this frame: a reference into the heap could move under it.
        var local = body;
        try
        {
            Share(chunks, &RunOn<TBody>, Unsafe.AsPointer(ref local));
        }
        finally
        {
            body = local;
            Volatile.Write(ref occupied, 0);
        }
    }

    private static void RunOn<TBody>(void* body, int chunk)
        where TBody : struct, IChunks => Unsafe.AsRef<TBody>(body).Run(chunk);

    // Publishes the work, takes part in it, and waits for the chunks that others claimed.
    private static void Share(int chunks, delegate*<void*, int, void> run, void* argument)
    {
        var helping = Math.Min(chunks, count) - 1;
        if (helpers.Length < helping) Hire(helping);
        runChunk = run;
        body = argument;
        chunkCount = chunks;
        failure = null;
        invited = helping;
        Volatile.Write(ref unfinished, chunks);
        var work = (int)(Volatile.Read(ref claims) >> 32) + 1;
        Interlocked.Exchange(ref claims, ((long)work << 32) | (uint)chunks);
        for (var i = 0; i < helping; i++) helpers[i].Wake();

        Work(work);
        var since = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref unfinished) > 0)
        {
            if (Stopwatch.GetTimestamp() - since < Patience) Thread.SpinWait(1);
            else Thread.Yield();
        }
        failure?.Throw();
    }

    // Claims and runs chunks of one work until none is left.
    private static void Work(int work)
    {
        while (true)
        {
            var state = Volatile.Read(ref claims);
            if ((int)(state >> 32) != work || (int)state == 0) return;
            if (Interlocked.CompareExchange(ref claims, state - 1, state) != state) continue;
            try
            {
                if (Volatile.Read(ref failure) is null) runChunk(body, chunkCount - (int)state);
            }
            catch (Exception e)
            {
                Volatile.Write(ref failure, ExceptionDispatchInfo.Capture(e));
            }
            Interlocked.Decrement(ref unfinished);
        }
    }

    private static void Hire(int needed)
    {
        var all = new Helper[needed];
        helpers.CopyTo(all, 0);
        for (var i = helpers.Length; i < needed; i++) all[i] = new Helper(i);
        helpers = all;
    }

    private static int InitialCount() =>
        int.TryParse(Environment.GetEnvironmentVariable("FUNCTIONAL_THREADS"), out var threads) && threads > 0
            ? Math.Min(threads, Most)
            : Environment.ProcessorCount;

    private sealed class Helper
    {
        private readonly int number;
        private readonly SemaphoreSlim bell = new(0);
        private int asleep;

        public Helper(int number)
        {
            this.number = number;
            new Thread(Live, 1 << 20) { IsBackground = true, Name = $"Functional worker {number + 1}" }.Start();
        }

        public void Wake()
        {
            if (Volatile.Read(ref asleep) == 1 && Interlocked.Exchange(ref asleep, 0) == 1) bell.Release();
        }

        private void Live()
        {
            var done = 0;
            while (true)
            {
                var work = Await(done);
                if (number < invited) Work(work);
                done = work;
            }
        }

        // The number of the next work after one that is done.
        private int Await(int done)
        {
            var since = Stopwatch.GetTimestamp();
            while (true)
            {
                var work = (int)(Volatile.Read(ref claims) >> 32);
                if (work != done) return work;
                if (Stopwatch.GetTimestamp() - since < Patience)
                {
                    Thread.SpinWait(1);
                    continue;
                }
                // Said to be asleep first, then looked once more: work published in between would otherwise be slept through.
                Interlocked.Exchange(ref asleep, 1);
                var missed = (int)(Volatile.Read(ref claims) >> 32) != done && Interlocked.Exchange(ref asleep, 0) == 1;
                if (!missed) bell.Wait();
                since = Stopwatch.GetTimestamp();
            }
        }
    }
}
