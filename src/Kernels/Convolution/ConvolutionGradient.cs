// The transpose of a convolution in the kernel: for every tap, channel and feature the sum over all examples and places of
// x·y. Tiles are taps and channels by features, the inner loop runs along the places of a row.
using System.Numerics;

namespace Functional.Kernels;

/// <summary>The gradient of a convolution's kernel with vectors of one width.</summary>
/// <remarks>
/// Examples are taken in portions whose number depends on the sizes alone; each portion has a sum of its own, and the sums
/// are added in order. So every bit is the same for any number of threads.
/// </remarks>
internal unsafe struct ConvolutionGradient<TLanes, TVector, T> : IChunks
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    private const int MostPortions = 8;

    // Elements that the sums of all portions may take together.
    private const long PortionElements = 1 << 22;

    private readonly Correlation plan;
    private readonly ConvolutionBlock block;
    private readonly bool copies, copiesResult, lanewise, together;
    private readonly int groups, channels, features, panels, portions, portionSize, shares;
    private readonly nint image, result, weights;
    private readonly T* x, y, w, others;

    private ConvolutionGradient(Correlation plan, T* x, T* y, T* w)
    {
        this.plan = plan;
        this.x = x;
        this.y = y;
        this.w = w;
        var shape = plan.Shape;
        lanewise = shape.IsDepthwise;
        groups = lanewise ? 1 : shape.Groups;
        channels = lanewise ? 1 : shape.Channels / groups;
        features = shape.Features / groups;
        panels = groups * PanelsOf(features);
        // A last vector may stick out of the image.
        copiesResult = features % TLanes.Count != 0;
        // Rows of a tile: all channels under all taps of a row of the window, where they lie side by side; but tap by tap where
        // that makes no more tiles, and spares what meets the padding.
        var last = shape.Space[2];
        int perTap = TilesOf(channels), perLine = TilesOf(last.Kernel * channels);
        together = lanewise || (groups == 1 && (last.Dilation == 1 || channels == 1) && (perLine < last.Kernel * perTap || !plan.ReachesAlong(2)));
        for (var axis = 0; axis < ConvolutionShape.Axes; axis++) copies |= plan.ReachesAlong(axis) && !Skips(axis);
        copies |= lanewise && copiesResult;
        block = copies ? new(plan.Length, plan.Source, plan.SourceChannels) : new(plan.Source, plan.Source, plan.SourceChannels);
        (image, result) = (plan.SourceChannels, plan.TargetChannels);
        for (var i = 0; i < ConvolutionShape.Axes; i++)
        {
            image *= plan.Source[i];
            result *= plan.Target[i];
        }
        weights = (nint)shape.Window * channels * shape.Features;
        portions = (int)Math.Clamp(PortionElements / Math.Max(1, weights), 1, Math.Min(MostPortions, shape.Examples));
        portionSize = (shape.Examples + portions - 1) / portions;
        portions = (shape.Examples + portionSize - 1) / portionSize;
        // Panels go to different chunks only where there are not enough portions for the threads: each copies the images anew.
        shares = Math.Min(panels, ((4 * Workers.Count) + portions - 1) / portions);
        if (Workers.Count == 1 || portions >= 2 * Workers.Count) shares = 1;
        others = Scratch.Common<T>((portions - 1) * weights);
    }

    private static int TilesOf(int rows) => (rows + TLanes.TileRows - 1) / TLanes.TileRows;

    private static int PanelsOf(int columns) => (columns + ConvolutionTiles<TLanes, TVector, T>.Width - 1) / ConvolutionTiles<TLanes, TVector, T>.Width;

    /// <summary>Computes w from x and y.</summary>
    public static void Run(Correlation plan, T* x, T* y, T* w)
    {
        var body = new ConvolutionGradient<TLanes, TVector, T>(plan, x, y, w);
        ConvolutionPlan.Share(plan.Shape.Work, body.portions * body.shares, ref body);
        for (var portion = 1; portion < body.portions; portion++) Add(body.weights, body.others + ((portion - 1) * body.weights), w);
    }

    private static void Add(nint count, T* terms, T* sums)
    {
        nint i = 0;
        for (; i + TLanes.Count <= count; i += TLanes.Count) TLanes.Store(TLanes.Add(TLanes.Load(sums + i), TLanes.Load(terms + i)), sums + i);
        for (; i < count; i++) sums[i] += terms[i];
    }

    public readonly void Run(int chunk)
    {
        int portion = chunk / shares, share = chunk % shares;
        var sums = portion == 0 ? w : others + ((portion - 1) * weights);
        int from = portion * portionSize, to = Math.Min(from + portionSize, plan.Shape.Examples);
        var slack = ConvolutionTiles<TLanes, TVector, T>.Width;
        var room = copies ? block.Count + slack : 0;
        var scratch = Scratch.Of<T>(room + (copiesResult ? result + slack : 0));
        for (var example = from; example < to; example++)
        {
            T* a = x + (example * image), b = y + (example * result);
            if (copies)
            {
                block.Copy(a, plan.Begin, plan.Length, scratch);
                a = scratch;
            }
            if (copiesResult)
            {
                Buffer.MemoryCopy(b, scratch + room, result * sizeof(T), result * sizeof(T));
                b = scratch + room;
            }
            for (var panel = share; panel < panels; panel += shares) Panel(a, b, panel, example > from, sums);
        }
    }

    // Some features, with all taps and channels that they see, over one image.
    private readonly void Panel(T* a, T* b, int panel, bool more, T* sums)
    {
        var space = plan.Shape.Space;
        int width = ConvolutionTiles<TLanes, TVector, T>.Width, perGroup = panels / groups;
        int group = panel / perGroup, column = panel % perGroup * width, columns = Math.Min(width, features - column);
        var count = space[0].Output * space[1].Output;
        var few = stackalloc nint[count <= Scratch.Few ? count : 0];
        var stretches = count <= Scratch.Few ? few : Scratch.List(count);
        var tile = new ConvolutionTile<T>
        {
            Stretches = stretches,
            ColumnA = space[2].Stride * block.Stride(2),
            RowA = lanewise || (together && channels == 1) ? space[2].Dilation * block.Stride(2) : 1,
            RowB = plan.TargetChannels,
            RowC = plan.TargetChannels,
        };
        var rows = together ? space[2].Kernel * channels : channels;
        var c = sums + (group * features) + column;
        a += lanewise ? column : group * channels;
        b += (group * features) + column;
        for (var i = 0; i < space[0].Kernel; i++)
        {
            var planes = Inside(0, i);
            for (var j = 0; j < space[1].Kernel; j++)
            {
                var lines = Inside(1, j);
                tile.Count = 0;
                for (var plane = planes.From; plane < planes.To; plane++)
                {
                    for (var line = lines.From; line < lines.To; line++)
                        stretches[tile.Count++] = (plane * space[0].Stride * block.Stride(0)) + (line * space[1].Stride * block.Stride(1));
                }
                for (var k = 0; k < space[2].Kernel; k += together ? space[2].Kernel : 1)
                {
                    var places = Inside(2, k);
                    tile.K = places.To - places.From;
                    tile.GapB = (space[2].Output - tile.K) * tile.RowB;
                    tile.A = a + (At(0, i) * block.Stride(0)) + (At(1, j) * block.Stride(1)) + (At(2, k) * block.Stride(2)) + (places.From * tile.ColumnA);
                    tile.B = b + (((((planes.From * space[1].Output) + lines.From) * (nint)space[2].Output) + places.From) * tile.RowB);
                    tile.C = c;
                    if (more)
                    {
                        tile.Start = c;
                        tile.RowStart = tile.RowC;
                    }
                    if (lanewise) ConvolutionTiles<TLanes, TVector, T>.Run<Lanewise>(rows, columns, tile);
                    else ConvolutionTiles<TLanes, TVector, T>.Run<Shared>(rows, columns, tile);
                    c += rows * tile.RowC;
                }
            }
        }
    }

    // The places of y that meet x through a tap: all, or those that meet the image itself.
    private readonly (int From, int To) Inside(int axis, int tap) =>
        Skips(axis) ? plan.Shape.Space[axis].Inside(tap) : (0, plan.Shape.Space[axis].Output);

    // Whether places that meet padding are left out along an axis: where those of y that stay follow each other evenly.
    private readonly bool Skips(int axis) => axis == 0 || (axis == 1 ? plan.Shape.Space[0].Output == 1 : !together);

    // Where the first place of y sees x through a tap, in what is read.
    private readonly nint At(int axis, int tap)
    {
        var place = plan.Phases[axis][0].Sources[tap];
        return copies ? place - plan.Begin[axis] : place;
    }
}
