namespace Functional.Kernels;

/// <summary>
/// The steps of <see cref="Sorting"/>, over numbers made of half a key (the upper 32 bits) and an index (the lower),
/// which stand in the order of their indices at first.
/// </summary>
internal static class SortingSteps
{
    /// <summary>From this length on, counting digits is faster than comparing.</summary>
    private const int Long = 512;

    private const int DigitBits = 11;
    private const int Digits = 3;

    /// <summary>Sorts by the half key, equal ones by the index: a radix sort from the lowest digit up, or by comparison.</summary>
    public static void Sort(Span<ulong> items, Span<ulong> scratch)
    {
        if (items.Length < Long)
        {
            items.Sort();
            return;
        }

        const int values = 1 << DigitBits;
        Span<int> counts = stackalloc int[Digits * values];
        counts.Clear();
        foreach (var item in items)
        {
            counts[(int)(item >> 32) & (values - 1)]++;
            counts[values + ((int)(item >> (32 + DigitBits)) & (values - 1))]++;
            counts[2 * values + (int)(item >> (32 + 2 * DigitBits))]++;
        }

        var from = items;
        var to = scratch[..items.Length];
        for (var digit = 0; digit < Digits; digit++)
        {
            var place = counts.Slice(digit * values, values);
            var shift = 32 + digit * DigitBits;
            // A digit that all items share moves nothing.
            if (place[(int)(from[0] >> shift) & (values - 1)] == items.Length) continue;
            var sum = 0;
            foreach (ref var count in place) (count, sum) = (sum, sum + count);
            foreach (var item in from) to[place[(int)(item >> shift) & (values - 1)]++] = item;
            var other = from;
            from = to;
            to = other;
        }

        if (from != items) from.CopyTo(items);
    }

    /// <summary>After a sort by the upper halves of 64-bit keys: sorts runs of equal ones by the lower halves.</summary>
    public static void Refine(Span<ulong> items, ReadOnlySpan<ulong> keys, Span<ulong> scratch)
    {
        for (var first = 0; first < items.Length;)
        {
            var half = items[first] >> 32;
            var end = first + 1;
            while (end < items.Length && items[end] >> 32 == half) end++;
            if (end - first > 1)
            {
                var run = items[first..end];
                foreach (ref var item in run) item = (keys[(int)(uint)item] << 32) | (uint)item;
                Sort(run, scratch);
            }

            first = end;
        }
    }

    /// <summary>
    /// The smallest items, in the order of their indices. Exactly so many, or, when halves of keys decide only in part,
    /// all those whose half key is not above that of the last of them.
    /// </summary>
    public static Span<ulong> Select(Span<ulong> items, int count, Span<ulong> scratch, bool ties)
    {
        // A heap with the largest of the smallest on top; most items only meet the top.
        var heap = scratch[..count];
        items[..count].CopyTo(heap);
        for (var i = count / 2 - 1; i >= 0; i--) Sink(heap, i);
        foreach (var item in items[count..])
        {
            if (item >= heap[0]) continue;
            heap[0] = item;
            Sink(heap, 0);
        }

        var last = ties ? heap[0] | uint.MaxValue : heap[0];
        var kept = 0;
        foreach (var item in items)
        {
            if (item <= last) items[kept++] = item;
        }

        return items[..kept];
    }

    private static void Sink(Span<ulong> heap, int i)
    {
        var item = heap[i];
        for (int child; (child = 2 * i + 1) < heap.Length; i = child)
        {
            if (child + 1 < heap.Length && heap[child + 1] > heap[child]) child++;
            if (heap[child] <= item) break;
            heap[i] = heap[child];
        }

        heap[i] = item;
    }
}
