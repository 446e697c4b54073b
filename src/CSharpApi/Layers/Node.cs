// Nodes of a graph: tensors to be. A layer applied to some makes others; a model is made of the way between them.
using System.Collections;
using System.Runtime.CompilerServices;

namespace Functional.CSharp;

/// <summary>A tensor to be: what an input of a <see cref="Model"/> will hold, or what a layer will make of others.</summary>
/// <example><code>
/// var x = Model.Input(28, 28, 1);
/// var h = new Conv2D(32, 3, activation: "relu").Apply(x);
/// Console.WriteLine(h);   // Conv2D (26, 26, 32)
/// </code></example>
public sealed class Node
{
    internal Node(LayerCall call, int output, int[] shape)
    {
        Call = call;
        Output = output;
        Sizes = shape;
    }

    /// <summary>The shape of one example, without the batch axis; null for a size that is not known before there is data.</summary>
    public IReadOnlyList<int?> Shape => Dimensions.Seen(Sizes);

    /// <summary>The layer that gives it.</summary>
    public Layer Layer => Call.Layer;

    /// <summary>The application of the layer that gives it.</summary>
    internal LayerCall Call { get; }

    /// <summary>The shape as F# has it.</summary>
    internal int[] Sizes { get; }

    /// <summary>Which of the application's outputs it is.</summary>
    internal int Output { get; }

    /// <summary>The layer and the shape.</summary>
    public override string ToString() => $"{Layer.Name ?? Layer.Kind} {Dimensions.Show(Sizes)}";
}

/// <summary>A node, or several in brackets.</summary>
/// <example><code>
/// var sum = new Add().Apply([left, right]);
/// var model = new Model(inputs: [left, right], outputs: sum);
/// </code></example>
[CollectionBuilder(typeof(Nodes), nameof(Create))]
public readonly struct Nodes : IEnumerable<Node>
{
    private readonly Node[]? nodes;

    private Nodes(Node[] nodes) => this.nodes = nodes;

    /// <summary>One node.</summary>
    public static implicit operator Nodes(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return new([node]);
    }

    /// <summary>Several nodes.</summary>
    public static implicit operator Nodes(Node[] nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        return Create(nodes);
    }

    /// <summary>Several nodes.</summary>
    /// <param name="nodes">The nodes, in order.</param>
    public static Nodes Create(ReadOnlySpan<Node> nodes)
    {
        foreach (var node in nodes) ArgumentNullException.ThrowIfNull(node, nameof(nodes));
        return new([.. nodes]);
    }

    /// <summary>The nodes, in order.</summary>
    public IEnumerator<Node> GetEnumerator() => ((IEnumerable<Node>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal Node[] ToArray() => nodes ?? [];
}

/// <summary>A layer applied to some nodes.</summary>
internal sealed class LayerCall
{
    private static long count;

    private Block? block;

    public LayerCall(Layer layer, Node[] inputs, LayerConfig? arguments)
    {
        Layer = layer;
        Inputs = inputs;
        Arguments = arguments;
        int[][] shapes = [.. inputs.Select(node => node.Sizes)];
        try
        {
            if (layer is InputLayer) RequireNone(inputs);
            else if (inputs.Length == 0) throw new ArgumentException("no nodes were given");
            int[][] outputs = layer is InputLayer ? [layer.ExampleShape!] : layer.Seen(Block.OutputShape(shapes));
            Outputs = [.. outputs.Select((shape, i) => new Node(this, i, shape))];
        }
        catch (ArgumentException e)
        {
            var given = string.Join(", ", shapes.Select(Dimensions.Show));
            throw new ArgumentException($"{layer.Name ?? layer.Kind}: the layer cannot be applied to {(given == "" ? "nothing" : given)}: {e.Message}", nameof(inputs), e);
        }
    }

    public Layer Layer { get; }

    public Node[] Inputs { get; }

    public Node[] Outputs { get; }

    /// <summary>What the layer is told here; null where it does what it always does.</summary>
    public LayerConfig? Arguments { get; }

    /// <summary>The F# block that runs here.</summary>
    public Block Block => Arguments is null ? Layer.Block : block ??= Layer.BlockFor(Arguments);

    /// <summary>Calls are numbered as they are made, so that every call has a larger number than those it needs.</summary>
    public long Number { get; } = Interlocked.Increment(ref count);

    private static void RequireNone(Node[] inputs)
    {
        if (inputs.Length > 0) throw new ArgumentException("an input takes no nodes: new InputLayer(784).Apply([])");
    }
}
