using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>One axis of a strided copy: how many elements, and how far apart they lie (in elements) on both sides.</summary>
internal struct CopyAxis(int size, nint from, nint to)
{
    public int Size = size;
    public nint From = from;
    public nint To = to;
}

/// <summary>
/// The one engine under every function of <see cref="Layout"/>: copies a box of elements between two strided
/// places. Axes are dropped and merged until the copy is as flat as it can be; two axes are left to an inner kernel
/// (runs of memory, fills, blocked transposes, or plain strides), the others are counted like an odometer.
/// </summary>
[SkipLocalsInit]
internal static unsafe class LayoutCopy
{
    /// <summary>Below this many bytes a second thread costs more than it brings.</summary>
    private const long Alone = 256 * 1024;

    /// <summary>How many bytes one chunk of a shared copy writes, about.</summary>
    private const long Share = 64 * 1024;

    /// <summary>Sets so many bytes to zero.</summary>
    public static void Clear(byte* to, nint bytes)
    {
        byte zero = 0;
        Span<CopyAxis> axes = [new CopyAxis((int)bytes, 0, 1)];
        Run(&zero, to, 1, axes);
    }

    /// <summary>Copies the box; <paramref name="axes"/> is overwritten. Elements are told apart by their size only.</summary>
    public static void Run(byte* from, byte* to, int elementSize, Span<CopyAxis> axes)
    {
        foreach (ref var axis in axes)
        {
            if (axis.Size == 0) return;
        }

        switch (elementSize)
        {
            case 1: Run((byte*)from, (byte*)to, axes); break;
            case 4: Run((uint*)from, (uint*)to, axes); break;
            default: Run((ulong*)from, (ulong*)to, axes); break;
        }
    }

    private static void Run<T>(T* from, T* to, Span<CopyAxis> axes)
        where T : unmanaged
    {
        var rank = Collapse(axes);
        // The two innermost axes belong to the kernel, so there must be two.
        var inner = stackalloc CopyAxis[Math.Max(rank, 2)];
        inner[0] = inner[1] = new CopyAxis(1, 0, 0);
        axes[..rank].CopyTo(new Span<CopyAxis>(inner + Math.Max(2 - rank, 0), rank));
        rank = Math.Max(rank, 2);
        long bytes = sizeof(T);
        for (var i = 0; i < rank; i++) bytes *= inner[i].Size;

        ref var last = ref inner[rank - 1];
        var kernel = CopyKernel.Strided;
        if (last.To == 1 && last.From == 1) kernel = CopyKernel.Runs;
        else if (last.To == 1 && last.From == 0) kernel = CopyKernel.Fill;
        else if (last.To == 1)
        {
            // The axis that lies densely in the source comes next to the one that lies densely in the target.
            for (var i = 0; i < rank - 1; i++)
            {
                if (inner[i].From != 1 || inner[i].Size == 1) continue;
                (inner[i], inner[rank - 2]) = (inner[rank - 2], inner[i]);
                kernel = CopyKernel.Transpose;
                break;
            }
        }

        // One long run has no second axis to share out: cut it into pieces, the last of which may be short.
        if (kernel is CopyKernel.Runs or CopyKernel.Fill && rank == 2 && inner[0].Size == 1 && bytes >= Alone)
        {
            var piece = (int)(Share / sizeof(T));
            var whole = last.Size / piece;
            var rest = last.Size - whole * piece;
            if (rest > 0)
            {
                var done = (nint)whole * piece;
                CopyKernels.Apply(kernel, from + done * last.From, to + done, new CopyAxis(1, 0, 0), new CopyAxis(rest, last.From, 1));
            }

            inner[0] = new CopyAxis(whole, piece * last.From, piece);
            last.Size = piece;
        }

        if (rank == 2 && bytes < Alone)
        {
            CopyKernels.Apply(kernel, from, to, inner[0], inner[1]);
            return;
        }

        var work = new Work<T>(from, to, inner, rank, kernel, bytes);
        if (work.Chunks == 1) work.Run(0);
        else Workers.Run(work.Chunks, ref work);
    }

    /// <summary>Drops axes of size 1 and merges neighbours that are one axis on both sides; returns how many are left.</summary>
    private static int Collapse(Span<CopyAxis> axes)
    {
        var kept = 0;
        foreach (var axis in axes)
        {
            if (axis.Size == 1) continue;
            if (kept > 0)
            {
                ref var outer = ref axes[kept - 1];
                if (outer.From == axis.From * axis.Size && outer.To == axis.To * axis.Size)
                {
                    outer = new CopyAxis(outer.Size * axis.Size, axis.From, axis.To);
                    continue;
                }
            }

            axes[kept++] = axis;
        }

        return kept;
    }

    /// <summary>
    /// The copy as chunks. An item is one strip of rows at one place of the outer axes; a chunk is a run of items.
    /// The axes live on the caller's stack, who waits until all chunks are done.
    /// </summary>
    private readonly struct Work<T> : IChunks
        where T : unmanaged
    {
        private readonly T* from;
        private readonly T* to;
        private readonly CopyAxis* axes;
        private readonly int outer;
        private readonly CopyKernel kernel;
        private readonly int strip;
        private readonly int strips;
        private readonly long items;
        private readonly long itemsPerChunk;

        public Work(T* from, T* to, CopyAxis* axes, int rank, CopyKernel kernel, long bytes)
        {
            this.from = from;
            this.to = to;
            this.axes = axes;
            this.kernel = kernel;
            outer = rank - 2;
            var rows = axes[rank - 2].Size;
            if (bytes < Alone)
            {
                strip = rows;
            }
            else
            {
                // Whole blocks of rows, so that a transposed strip ends where a block does.
                var rowBytes = (long)axes[rank - 1].Size * sizeof(T);
                strip = (int)Math.Min(rows, Math.Max(CopyKernels.Block, Share / rowBytes / CopyKernels.Block * CopyKernels.Block));
            }

            strips = (rows + strip - 1) / strip;
            items = strips;
            for (var i = 0; i < outer; i++) items *= axes[i].Size;
            itemsPerChunk = bytes < Alone ? items : Math.Max(1, Share / (bytes / items));
            Chunks = (int)((items + itemsPerChunk - 1) / itemsPerChunk);
        }

        public int Chunks { get; }

        public void Run(int chunk)
        {
            var first = chunk * itemsPerChunk;
            var end = Math.Min(items, first + itemsPerChunk);
            var place = stackalloc int[outer + 1];
            var source = from;
            var target = to;
            var position = first / strips;
            for (var i = outer - 1; i >= 0; i--)
            {
                place[i] = (int)(position % axes[i].Size);
                position /= axes[i].Size;
                source += place[i] * axes[i].From;
                target += place[i] * axes[i].To;
            }

            var at = (int)(first % strips);
            var (row, column) = (axes[outer], axes[outer + 1]);
            for (var item = first; ;)
            {
                var start = at * strip;
                var rows = new CopyAxis(Math.Min(strip, row.Size - start), row.From, row.To);
                CopyKernels.Apply(kernel, source + start * row.From, target + start * row.To, rows, column);
                if (++item == end) return;
                if (++at < strips) continue;
                at = 0;
                for (var i = outer - 1; i >= 0; i--)
                {
                    source += axes[i].From;
                    target += axes[i].To;
                    if (++place[i] < axes[i].Size) break;
                    source -= axes[i].Size * axes[i].From;
                    target -= axes[i].Size * axes[i].To;
                    place[i] = 0;
                }
            }
        }
    }
}
