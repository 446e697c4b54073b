// Layers that give examples another shape.
using System.Runtime.CompilerServices;

namespace Functional.CSharp;

/// <summary>Says the shape of one example, without the batch axis, before the first layer. It is no layer of its own in
/// the summary, and has no weights.</summary>
/// <example><code>
/// model.Add(new InputLayer(28, 28));
/// model.Add(new Flatten());
/// </code></example>
public sealed class InputLayer : Layer
{
    /// <summary>The shape of one example.</summary>
    /// <param name="shape">The sizes of its axes; null for one that may be another for every batch.</param>
    /// <exception cref="ArgumentException">A size under 1.</exception>
    [OverloadResolutionPriority(1)]
    public InputLayer(params int?[]? shape)
    {
        // a single null is no array for the compiler, but an axis for who wrote it
        shape ??= [null];
        if (shape.Any(size => size < 1))
            throw new ArgumentException($"InputLayer: the shape {string.Join("×", shape)} has a size under 1", nameof(shape));
        InputShape = [.. shape];
    }

    /// <summary>The shape of one example, all of whose sizes are known.</summary>
    /// <param name="shape">The sizes of its axes.</param>
    /// <exception cref="ArgumentException">A size under 1.</exception>
    public InputLayer(int[] shape)
        : this(Array.ConvertAll(shape, size => (int?)size))
    {
    }

    private protected override Block Create() => Erase(Functional.Layers.activation("input", ActivationsModule.Activation.ofName("linear")));

    internal override LayerConfig Config() => Settings;
}

/// <summary>All axes of an example as one.</summary>
/// <example><code>model.Add(new Flatten { InputShape = [28, 28] });</code></example>
public sealed class Flatten : Layer
{
    private protected override Block Create() => Erase(Functional.Layers.flatten);

    internal override LayerConfig Config() => Settings;
}

/// <summary>The elements of an example under another shape; one size may be −1 and is worked out.</summary>
/// <example><code>model.Add(new Reshape(28, 28, 1));</code></example>
public sealed class Reshape : Layer
{
    private readonly int[] target;

    /// <summary>The shape to have, without the batch axis.</summary>
    /// <param name="targetShape">The sizes of the axes.</param>
    public Reshape(params int[] targetShape)
    {
        ArgumentNullException.ThrowIfNull(targetShape);
        target = [.. targetShape];
    }

    private protected override Block Create() => Erase(Functional.Layers.reshape(Bridge.List(target)));

    internal override LayerConfig Config() => Settings.Set("target_shape", target);
}

/// <summary>The axes of an example in another order, counted from 1.</summary>
/// <example><code>model.Add(new Permute(2, 1));   // exchanges two axes</code></example>
public sealed class Permute : Layer
{
    private readonly int[] order;

    /// <summary>Every axis once.</summary>
    /// <param name="dims">The order of the axes, counted from 1.</param>
    public Permute(params int[] dims)
    {
        ArgumentNullException.ThrowIfNull(dims);
        order = [.. dims];
    }

    private protected override Block Create() => Erase(Functional.Layers.permute(Bridge.List(order)));

    internal override LayerConfig Config() => Settings.Set("dims", order);
}

/// <summary>Every example, a vector, repeated: features become n × features.</summary>
/// <param name="n">How often.</param>
/// <example><code>model.Add(new RepeatVector(10));</code></example>
public sealed class RepeatVector(int n) : Layer
{
    private protected override Block Create() => Erase(Functional.Layers.repeatVector(n));

    internal override LayerConfig Config() => Settings.Set("n", n);
}
