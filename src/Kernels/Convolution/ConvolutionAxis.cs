namespace Functional.Kernels;

/// <summary>
/// Some places of the target along one axis, equally far from each other, that see the source through the same taps: every
/// place of a convolution, or one in so many of its transpose, where the stride says which taps of the kernel a place meets.
/// </summary>
internal sealed class ConvolutionPhase
{
    /// <summary>The first place, the distance to the next, and how many there are.</summary>
    public required int Target, TargetStep, Count;

    /// <summary>How far the source moves from one place to the next.</summary>
    public required int SourceStep;

    /// <summary>Where the first place sees the source, ascending; may lie in the padding.</summary>
    public required int[] Sources;

    /// <summary>The places of the kernel that belong to <see cref="Sources"/>.</summary>
    public required int[] Taps;

    /// <summary>The taps through which a place sees a source of some places, not its padding.</summary>
    public (int From, int To) Inside(int place, int size)
    {
        int moved = place * SourceStep, from = 0, to = Sources.Length;
        while (from < to && Sources[from] + moved < 0) from++;
        while (from < to && Sources[to - 1] + moved >= size) to--;
        return (from, to);
    }
}

/// <summary>A convolution along one axis: y[o] = Σ x[o·stride − low + k·dilation]·w[k].</summary>
internal readonly record struct ConvolutionAxis(int Input, int Output, int Kernel, int Stride, int Dilation, int Low)
{
    /// <summary>The places of y that see x, not its padding, through a tap.</summary>
    public (int From, int To) Inside(int tap)
    {
        int first = (tap * Dilation) - Low, room = Input - 1 - first;
        int from = first >= 0 ? 0 : (Stride - 1 - first) / Stride, to = room < 0 ? 0 : Math.Min(Output, (room / Stride) + 1);
        return (Math.Min(from, to), to);
    }

    /// <summary>The places of y with the places of x they see.</summary>
    public ConvolutionPhase[] Forward()
    {
        var sources = new int[Kernel];
        var taps = new int[Kernel];
        for (var k = 0; k < Kernel; k++)
        {
            sources[k] = (k * Dilation) - Low;
            taps[k] = k;
        }
        return [new() { Target = 0, TargetStep = 1, Count = Output, SourceStep = Stride, Sources = sources, Taps = taps }];
    }

    /// <summary>The places of x with the places of y that see them: i + low = o·stride + k·dilation.</summary>
    public ConvolutionPhase[] Backward()
    {
        var phases = new List<ConvolutionPhase>(Math.Min(Stride, Input));
        for (var first = 0; first < Math.Min(Stride, Input); first++)
        {
            var sources = new List<int>();
            var taps = new List<int>();
            for (var k = Kernel - 1; k >= 0; k--)
            {
                var distance = first + Low - (k * Dilation);
                if (distance % Stride != 0) continue;
                sources.Add(distance / Stride);
                taps.Add(k);
            }
            phases.Add(new()
            {
                Target = first,
                TargetStep = Stride,
                Count = ((Input - 1 - first) / Stride) + 1,
                SourceStep = 1,
                Sources = [.. sources],
                Taps = [.. taps],
            });
        }
        return [.. phases];
    }
}
