// Several nodes made one: Keras' merge layers.
using Microsoft.FSharp.Collections;

namespace Functional.CSharp;

/// <summary>A layer that makes one tensor of several. A step of a sequence is there where it is there in all of them.</summary>
public abstract class Merging : Layer
{
    private protected Merging()
    {
    }

    internal override LayerConfig Config() => Settings;

    /// <summary>A function of all as a block.</summary>
    private protected Block Merge(Func<FSharpList<Tensor>, Tensor> function, bool keepsMask = true) =>
        Erase(BlockModule.merge(Names.Snake(Kind), keepsMask ? MaskUse.Keeps : MaskUse.Drops, Bridge.Curry(function)));
}

/// <summary>The sum of all.</summary>
/// <example><code>var sum = new Add().Apply([left, right]);</code></example>
public sealed class Add : Merging
{
    private protected override Block Create() => Merge(Functional.Merge.add);
}

/// <summary>The product of all, elementwise.</summary>
/// <example><code>var gated = new Multiply().Apply([x, gate]);</code></example>
public sealed class Multiply : Merging
{
    private protected override Block Create() => Merge(Functional.Merge.multiply);
}

/// <summary>The mean of all.</summary>
/// <example><code>var mean = new Average().Apply([left, right]);</code></example>
public sealed class Average : Merging
{
    private protected override Block Create() => Merge(Functional.Merge.average);
}

/// <summary>The largest of all, elementwise.</summary>
/// <example><code>var most = new Maximum().Apply([left, right]);</code></example>
public sealed class Maximum : Merging
{
    private protected override Block Create() => Merge(Functional.Merge.maximum);
}

/// <summary>The smallest of all, elementwise.</summary>
/// <example><code>var least = new Minimum().Apply([left, right]);</code></example>
public sealed class Minimum : Merging
{
    private protected override Block Create() => Merge(Functional.Merge.minimum);
}

/// <summary>The first less the second.</summary>
/// <example><code>var difference = new Subtract().Apply([left, right]);</code></example>
public sealed class Subtract : Merging
{
    private protected override Block Create() => Merge(all => all.Length == 2
        ? Functional.Merge.subtract(all[0], all[1])
        : throw new ArgumentException($"Subtract: takes two inputs, {all.Length} were given"));
}

/// <summary>All, joined along an axis. Along the axis of time their masks are joined, too.</summary>
/// <param name="axis">The axis; the batch is 0, −1 the last.</param>
/// <example><code>var both = new Concatenate().Apply([left, right]);</code></example>
public sealed class Concatenate(int axis = -1) : Merging
{
    private protected override Block Create() => axis == 0
        ? throw new ArgumentException("Concatenate: axis 0 is the batch; examples cannot be joined to others")
        : Erase(BlockModule.concatenate(axis));

    internal override LayerConfig Config() => Settings.Set("axis", axis);
}

/// <summary>An axis of the first contracted with one of the second, example by example.</summary>
/// <example><code>
/// var likeness = new Dot(axes: 1, normalize: true).Apply([left, right]);   // the cosine of two vectors' angle
/// var scores = new Dot(axes: (2, 2)).Apply([queries, keys]);
/// </code></example>
public sealed class Dot : Merging
{
    private readonly (int First, int Second) axes;
    private readonly bool normalize;

    /// <summary>The same axis of both.</summary>
    /// <param name="axes">The axis; the batch is 0, −1 the last.</param>
    /// <param name="normalize">Whether the vectors contracted are scaled to length 1 before.</param>
    public Dot(int axes, bool normalize = false)
        : this((axes, axes), normalize)
    {
    }

    /// <summary>An axis of each.</summary>
    /// <param name="axes">The axes; the batch is 0, −1 the last.</param>
    /// <param name="normalize">Whether the vectors contracted are scaled to length 1 before.</param>
    public Dot((int First, int Second) axes, bool normalize = false)
    {
        this.axes = axes;
        this.normalize = normalize;
    }

    private protected override Block Create() => Merge(
        all => all.Length == 2
            ? Functional.Merge.dot(axes.First, axes.Second, normalize, all[0], all[1])
            : throw new ArgumentException($"Dot: takes two inputs, {all.Length} were given"),
        keepsMask: false);

    internal override LayerConfig Config() => Settings.Set("axes", [axes.First, axes.Second]).Set("normalize", normalize);

    internal static Dot Read(LayerConfig c)
    {
        var both = c.Ints("axes", 2);
        return new((both[0], both[1]), c.Bool("normalize"));
    }
}
