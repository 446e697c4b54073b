// Sums over a window: a convolution, and its transpose in the input, which is the same sum with the kernel turned round and
// as many kinds of target places as the stride. Direct, without laying the windows out: the channels under the taps of a row
// of the window lie side by side in the image, so they are one stretch of a tile's inner loop.
using System.Numerics;

namespace Functional.Kernels;

/// <summary>What a sum over a window does, worked out from the sizes.</summary>
internal sealed class Correlation
{
    // Elements of an image with its padding that a chunk of work copies at most: they stay in the second-level cache.
    private const int BlockElements = 1 << 16;

    private readonly int[] begin = new int[ConvolutionShape.Axes], length = new int[ConvolutionShape.Axes];

    // How many places of the source the first places of the split axis see.
    private int window;

    public Correlation(ConvolutionShape shape, bool backward)
    {
        Shape = shape;
        Backward = backward;
        (SourceChannels, TargetChannels) = backward ? (shape.Features, shape.Channels) : (shape.Channels, shape.Features);
        Phases = Array.ConvertAll(shape.Space, axis => backward ? axis.Backward() : axis.Forward());
        Source = Array.ConvertAll(shape.Space, axis => backward ? axis.Output : axis.Input);
        Target = Array.ConvertAll(shape.Space, axis => backward ? axis.Input : axis.Output);
        Step = Array.ConvertAll(Phases, phases => phases.Length == 0 ? 1 : phases[0].SourceStep);
        SplitAxis = Array.FindIndex(Phases, phases => phases.Length > 0 && phases[0].Count > 1);
        if (SplitAxis < 0) SplitAxis = ConvolutionShape.Axes - 1;
        SplitCount = Phases[SplitAxis].Select(phase => phase.Count).DefaultIfEmpty(0).Max();
        for (var axis = 0; axis < ConvolutionShape.Axes; axis++) Reach(axis);
        Reaches = Enumerable.Range(0, ConvolutionShape.Axes).Any(ReachesAlong);
    }

    public ConvolutionShape Shape { get; }

    public bool Backward { get; }

    public int SourceChannels { get; }

    public int TargetChannels { get; }

    /// <summary>The places of source and target along each axis.</summary>
    public int[] Source { get; }

    public int[] Target { get; }

    /// <summary>How far the source moves from one place of a phase to the next.</summary>
    public int[] Step { get; }

    public ConvolutionPhase[][] Phases { get; }

    /// <summary>Whether windows reach into the padding.</summary>
    public bool Reaches { get; }

    /// <summary>The axis along which an image is cut into chunks of work.</summary>
    public int SplitAxis { get; }

    /// <summary>How many places the phases of that axis have at most.</summary>
    public int SplitCount { get; }

    /// <summary>The first place of the source that is seen, and how many there are from there to the last.</summary>
    public ReadOnlySpan<int> Begin => begin;

    public ReadOnlySpan<int> Length => length;

    /// <summary>How many places of the split axis make a chunk, for so many threads. What is computed does not depend on it.</summary>
    public int Places(int threads)
    {
        long all = SourceChannels;
        foreach (var n in length) all *= n;
        var chunks = Math.Max(1, all / BlockElements);
        if (Shape.Work > ConvolutionPlan.WorthSharing) chunks = Math.Max(chunks, 4L * threads / Math.Max(1, Shape.Examples));
        return (int)Math.Max(1, (SplitCount + chunks - 1) / chunks);
    }

    /// <summary>How many places of the source so many places of the split axis see.</summary>
    public int Needed(int places) => Math.Min(length[SplitAxis], ((places - 1) * Step[SplitAxis]) + window);

    /// <summary>Whether windows reach into the padding along an axis.</summary>
    public bool ReachesAlong(int axis) => begin[axis] < 0 || begin[axis] + length[axis] > Source[axis];

    private void Reach(int axis)
    {
        var seen = Phases[axis].Where(phase => phase.Sources.Length > 0).ToArray();
        if (seen.Length == 0) return;
        begin[axis] = seen.Min(phase => phase.Sources[0]);
        length[axis] = seen.Max(phase => phase.Sources[^1] + ((phase.Count - 1) * phase.SourceStep)) - begin[axis] + 1;
        if (axis == SplitAxis) window = seen.Max(phase => phase.Sources[^1]) - begin[axis] + 1;
    }
}

/// <summary>A sum over a window with vectors of one width.</summary>
internal unsafe struct Correlation<TLanes, TVector, T> : IChunks
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    private readonly Correlation plan;
    private readonly ConvolutionBlock block;
    private readonly bool copies, lanewise;
    private readonly int places, blocks, groups, panels;

    // Channels of a group, on either side.
    private readonly int sources, targets;
    private readonly T* source, packed, bias, target;

    private Correlation(Correlation plan, T* source, T* packed, T* bias, T* target)
    {
        this.plan = plan;
        this.source = source;
        this.packed = packed;
        this.bias = bias;
        this.target = target;
        var shape = plan.Shape;
        lanewise = shape.IsDepthwise;
        groups = lanewise ? 1 : shape.Groups;
        targets = plan.TargetChannels / groups;
        sources = lanewise ? 1 : plan.SourceChannels / groups;
        panels = Panels(targets);
        copies = plan.Reaches || (lanewise && targets % TLanes.Count != 0);
        var split = plan.SplitAxis;
        places = plan.Places(Workers.Count);
        blocks = (plan.SplitCount + places - 1) / places;
        Span<int> size = [plan.Length[0], plan.Length[1], plan.Length[2]];
        if (copies) size[split] = plan.Needed(places);
        else plan.Source.CopyTo(size);
        block = new(size, plan.Source, plan.SourceChannels);
    }

    private static int Panels(int columns) => (columns + ConvolutionTiles<TLanes, TVector, T>.Width - 1) / ConvolutionTiles<TLanes, TVector, T>.Width;

    /// <summary>Computes the target, starting from a bias or from zeros.</summary>
    public static void Run(Correlation plan, T* source, T* kernel, T* bias, T* target)
    {
        var shape = plan.Shape;
        var lanewise = shape.IsDepthwise;
        int groups = lanewise ? 1 : shape.Groups, columns = plan.TargetChannels / groups;
        var rows = shape.Window * (lanewise ? 1 : plan.SourceChannels / groups);
        var width = ConvolutionTiles<TLanes, TVector, T>.Width;
        var panels = groups * Panels(columns);
        var packed = Scratch.Common<T>((long)panels * width * (rows + 1));
        T* packedBias = null;
        if (bias != null)
        {
            packedBias = packed + ((nint)panels * width * rows);
            for (var g = 0; g < groups; g++)
            {
                for (var p = 0; p < Panels(columns); p++)
                {
                    var some = Math.Min(width, columns - (p * width));
                    var to = new Span<T>(packedBias + (((g * Panels(columns)) + p) * width), width);
                    to.Clear();
                    new Span<T>(bias + (g * columns) + (p * width), some).CopyTo(to);
                }
            }
        }
        Pack(plan, kernel, packed);
        var body = new Correlation<TLanes, TVector, T>(plan, source, packed, packedBias, target);
        ConvolutionPlan.Share(shape.Work, shape.Examples * body.blocks, ref body);
    }

    // Panels of the kernel in the order in which tiles read them: phase by phase, tap by tap.
    private static void Pack(Correlation plan, T* kernel, T* packed)
    {
        var shape = plan.Shape;
        var lanewise = shape.IsDepthwise;
        int groups = lanewise ? 1 : shape.Groups, columns = plan.TargetChannels / groups, rows = lanewise ? 1 : plan.SourceChannels / groups;
        var width = ConvolutionTiles<TLanes, TVector, T>.Width;
        // The kernel is [window, channels / groups, features]; backwards the rows are the features.
        nint features = shape.Features, tap = features * (lanewise ? 1 : shape.Channels / groups);
        nint row = plan.Backward && !lanewise ? 1 : features, column = plan.Backward && !lanewise ? features : 1;
        for (var g = 0; g < groups; g++)
        {
            var group = kernel + (g * (plan.Backward ? rows : columns));
            for (var first = 0; first < columns; first += width)
            {
                var some = Math.Min(width, columns - first);
                var wide = ConvolutionTiles<TLanes, TVector, T>.WidthFor(some);
                var to = packed;
                foreach (var d in plan.Phases[0])
                    foreach (var h in plan.Phases[1])
                        foreach (var w in plan.Phases[2])
                            foreach (var i in d.Taps)
                                foreach (var j in h.Taps)
                                    foreach (var k in w.Taps)
                                    {
                                        var place = (((i * shape.Space[1].Kernel) + j) * shape.Space[2].Kernel) + k;
                                        GemmPack<TLanes, TVector, T>.Panel(rows, some, wide, group + (place * tap) + (first * column), row, column, to);
                                        to += rows * wide;
                                    }
                packed += (nint)shape.Window * rows * width;
            }
        }
    }

    public readonly void Run(int chunk)
    {
        int example = chunk / blocks, first = chunk % blocks * places;
        nint image = plan.SourceChannels, result = plan.TargetChannels;
        for (var i = 0; i < ConvolutionShape.Axes; i++)
        {
            image *= plan.Source[i];
            result *= plan.Target[i];
        }
        var a = source + (example * image);
        if (copies)
        {
            Span<int> begin = [plan.Begin[0], plan.Begin[1], plan.Begin[2]], needed = [plan.Length[0], plan.Length[1], plan.Length[2]];
            var split = plan.SplitAxis;
            begin[split] += first * plan.Step[split];
            needed[split] = plan.Needed(Math.Min(places, plan.SplitCount - first));
            // Depthwise, a last vector may stick out of the block.
            var copy = Scratch.Of<T>(block.Count + ConvolutionTiles<TLanes, TVector, T>.Width);
            block.Copy(a, begin, needed, copy);
            a = copy;
        }
        var rows = 0;
        foreach (var d in plan.Phases[0])
        {
            foreach (var h in plan.Phases[1])
            {
                foreach (var w in plan.Phases[2])
                {
                    Phase(d, h, w, first, a, target + (example * result), rows);
                    rows += d.Taps.Length * h.Taps.Length * w.Taps.Length * sources;
                }
            }
        }
    }

    // All target places of one kind, for all groups and panels.
    private readonly void Phase(ConvolutionPhase d, ConvolutionPhase h, ConvolutionPhase w, int first, T* a, T* image, int rows)
    {
        var tile = new ConvolutionTile<T> { ColumnA = 1, K = sources, RowA = plan.Step[2] * block.Stride(2) };
        // Taps along the last axis that are evenly spaced, channel after channel, are one stretch.
        var spacing = w.Sources.Length > 1 ? w.Sources[1] - w.Sources[0] : 1;
        var together = sources == plan.SourceChannels ? spacing == 1 || sources == 1 : lanewise;
        if (together) tile.K = w.Sources.Length * sources;
        if (together && sources == 1) tile.ColumnA = spacing * block.Stride(2);
        var count = d.Sources.Length * h.Sources.Length * w.Sources.Length;
        var few = stackalloc nint[count <= Scratch.Few ? count : 0];
        var stretches = count <= Scratch.Few ? few : Scratch.List(count);
        foreach (var i in d.Sources)
        {
            foreach (var j in h.Sources)
            {
                for (var k = 0; k < w.Sources.Length; k += together ? w.Sources.Length : 1)
                    stretches[tile.Count++] = (At(0, i) * block.Stride(0)) + (At(1, j) * block.Stride(1)) + (At(2, w.Sources[k]) * block.Stride(2));
            }
        }
        tile.Stretches = stretches;
        int width = ConvolutionTiles<TLanes, TVector, T>.Width, all = plan.Shape.Window * sources;
        tile.RowC = (nint)w.TargetStep * plan.TargetChannels;
        for (var panel = 0; panel < groups * panels; panel++)
        {
            int group = panel / panels, column = panel % panels * width, columns = Math.Min(width, targets - column);
            tile.RowB = ConvolutionTiles<TLanes, TVector, T>.WidthFor(columns);
            tile.B = packed + ((nint)panel * width * all) + (rows * tile.RowB);
            if (bias != null) tile.Start = bias + (panel * width);
            var channel = lanewise ? column : group * sources;
            Places(d, h, w, first, tile, a + channel, image + (group * targets) + column, columns);
        }
    }

    // The target places of one kind, for one panel.
    private readonly void Places(ConvolutionPhase d, ConvolutionPhase h, ConvolutionPhase w, int first, ConvolutionTile<T> tile, T* a, T* c, int columns)
    {
        var (iFrom, iTo) = Range(0, d, first);
        var (jFrom, jTo) = Range(1, h, first);
        var (kFrom, kTo) = Range(2, w, first);
        if (kTo <= kFrom) return;
        // Stretches for each tap of the first two axes.
        int perRow = h.Sources.Length == 0 ? 0 : tile.Count / Math.Max(1, d.Sources.Length), perTap = perRow / Math.Max(1, h.Sources.Length);
        var stretches = tile.Stretches;
        var b = tile.B;
        for (var i = iFrom; i < iTo; i++)
        {
            var (dFrom, dTo) = d.Inside(i, plan.Source[0]);
            for (var j = jFrom; j < jTo; j++)
            {
                // What sees nothing but padding, before the first tap and after the last that do not, is left out.
                var (hFrom, hTo) = h.Inside(j, plan.Source[1]);
                nint before = (dFrom * perRow) + (hFrom * perTap);
                tile.Count = dFrom < dTo && hFrom < hTo ? ((dTo - 1) * perRow) + (hTo * perTap) - (int)before : 0;
                tile.Stretches = stretches + before;
                tile.B = b + (before * tile.K * tile.RowB);
                nint plane = d.Target + (i * d.TargetStep), row = h.Target + (j * h.TargetStep), place = w.Target + (kFrom * w.TargetStep);
                tile.C = c + (((((plane * plan.Target[1]) + row) * plan.Target[2]) + place) * plan.TargetChannels);
                tile.A = a + (Moved(0, i, first) * block.Stride(0)) + (Moved(1, j, first) * block.Stride(1)) + (Moved(2, kFrom, first) * block.Stride(2));
                if (lanewise) ConvolutionTiles<TLanes, TVector, T>.Run<Lanewise>(kTo - kFrom, columns, tile);
                else ConvolutionTiles<TLanes, TVector, T>.Run<Shared>(kTo - kFrom, columns, tile);
            }
        }
    }

    private readonly (int From, int To) Range(int axis, ConvolutionPhase phase, int first) =>
        axis == plan.SplitAxis ? (first, Math.Min(first + places, phase.Count)) : (0, phase.Count);

    // Where a place of the source lies in what is read: the block begins at the first place seen.
    private readonly nint At(int axis, int place) => copies ? place - plan.Begin[axis] : place;

    private readonly nint Moved(int axis, int place, int first) =>
        (copies && axis == plan.SplitAxis ? place - first : place) * (nint)plan.Step[axis];
}
