// Layers made of another: read in both directions, or applied to every step.
using Directions = Functional.RecurrentBlock.Directions;

namespace Functional.CSharp;

/// <summary>How the outputs of two directions become one.</summary>
public enum MergeMode
{
    /// <summary>Side by side: twice as many features.</summary>
    Concat,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their product.</summary>
    Mul,

    /// <summary>Their average.</summary>
    Ave,

    /// <summary>Not at all: two outputs, see <see cref="Layer.ApplyAll"/>.</summary>
    None,
}

/// <summary>A recurrent layer that reads in both directions, with weights for each. States to begin from, and last states, are
/// those of the forward direction, then those of the other.</summary>
/// <example><code>model.Add(new Bidirectional(new LSTM(64, returnSequences: true)));</code></example>
public sealed class Bidirectional : Layer
{
    private readonly RNN layer;
    private readonly MergeMode mergeMode;

    /// <summary>A recurrent layer in both directions.</summary>
    /// <param name="layer">The layer of one direction.</param>
    /// <param name="mergeMode"><c>"concat"</c>, <c>"sum"</c>, <c>"mul"</c>, <c>"ave"</c>, or <c>"none"</c> for two outputs.</param>
    public Bidirectional(RNN layer, Named<MergeMode> mergeMode = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        this.layer = layer;
        this.mergeMode = mergeMode.Value;
    }

    /// <summary>The layer's output, from a state that other nodes give, and without the steps that a mask leaves out.</summary>
    /// <param name="sequence">What is read: [steps, features].</param>
    /// <param name="initialState">The states to begin from, forwards and backwards; zeros when null.</param>
    /// <param name="mask">Which steps are there: [steps], 0 for those that are not; all when null.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>var read = new Bidirectional(new GRU(32)).Apply(x, mask: present);</code></example>
    public Node Apply(Node sequence, IReadOnlyList<Node>? initialState = null, Node? mask = null) =>
        base.Apply(RNN.With(sequence, initialState, mask));

    internal override int? BeforeStates => layer.Arguments.Stateful ? (mergeMode == MergeMode.None ? 2 : 1) : null;

    internal override bool HidesStates => layer.HidesStates;

    internal override LayerConfig? Config() => layer.FullConfig() is { } inner
        ? Settings.Set("merge_mode", Names.Snake(mergeMode)).Set("layer", inner.ToJson())
        : null;

    internal static Bidirectional Read(LayerConfig c) => LayerReader.Read(c.Node("layer")) is RNN layer
        ? new(layer, c.Choice<MergeMode>("merge_mode"))
        : throw new InvalidDataException("load: a Bidirectional layer in the model's description holds no recurrent layer");

    internal override IReadOnlyList<Part> Parts => layer.Parts;

    private protected override Block Create() => Freeze(layer.InDirections(mergeMode switch
    {
        MergeMode.Concat => Directions.NewMerged(BidirectionalMerge.Concat),
        MergeMode.Sum => Directions.NewMerged(BidirectionalMerge.Sum),
        MergeMode.Mul => Directions.NewMerged(BidirectionalMerge.Multiply),
        MergeMode.Ave => Directions.NewMerged(BidirectionalMerge.Average),
        _ => Directions.Apart,
    }));
}

/// <summary>A layer applied to every step of a sequence, with the same weights: [steps, ..] gives [steps, ..].</summary>
/// <example><code>model.Add(new TimeDistributed(new Dense(12, "softmax")));</code></example>
public sealed class TimeDistributed : Layer
{
    private readonly Layer layer;

    internal override bool TakesIntegers => layer.TakesIntegers;

    /// <summary>A layer for every step.</summary>
    /// <param name="layer">The layer of one step.</param>
    public TimeDistributed(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        this.layer = layer;
    }

    internal override LayerConfig? Config() => layer.FullConfig() is { } inner ? Settings.Set("layer", inner.ToJson()) : null;

    internal static TimeDistributed Read(LayerConfig c) => new(LayerReader.Read(c.Node("layer")));

    internal override IReadOnlyList<Part> Parts => layer.Trainable ? layer.Parts : [];

    private protected override Block Create() =>
        Erase(Functional.Layers.timeDistributed(BlockModule.toLayer(layer.Block)), keepsMask: true);
}
