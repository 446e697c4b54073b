// What a recurrent layer is: a cell that reads a sequence step by step.
using Directions = Functional.RecurrentBlock.Directions;

namespace Functional.CSharp;

/// <summary>A layer that reads sequences [steps, features] step by step. Steps that are masked are left out.</summary>
public abstract class RNN : Layer
{
    private protected RNN(RecurrentArguments arguments, RecurrentCore core)
    {
        Arguments = arguments;
        Core = core;
    }

    internal RecurrentArguments Arguments { get; }

    internal RecurrentCore Core { get; }

    /// <summary>The layer's output, from a state that other nodes give, and without the steps that a mask leaves out.</summary>
    /// <param name="sequence">What is read: [steps, features].</param>
    /// <param name="initialState">The state to begin from: [units], of an LSTM two: hidden state and memory; zeros when null.</param>
    /// <param name="mask">Which steps are there: [steps], 0 for those that are not; all when null.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>
    /// var encoded = new LSTM(64, returnState: true).ApplyAll(question);               // output, hidden state, memory
    /// var decoded = new LSTM(64, returnSequences: true).Apply(answer, encoded[1..]);
    /// </code></example>
    public Node Apply(Node sequence, IReadOnlyList<Node>? initialState = null, Node? mask = null) =>
        base.Apply(With(sequence, initialState, mask));

    /// <summary>All outputs: the layer's and, with <c>returnState</c>, the last states.</summary>
    /// <param name="sequence">What is read: [steps, features].</param>
    /// <param name="initialState">The state to begin from; zeros when null.</param>
    /// <param name="mask">Which steps are there; all when null.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>var outputAndStates = new GRU(64, returnState: true).ApplyAll(x);</code></example>
    public Node[] ApplyAll(Node sequence, IReadOnlyList<Node>? initialState = null, Node? mask = null) =>
        base.ApplyAll(With(sequence, initialState, mask));

    /// <summary>A sequence with the states to begin from, and its mask.</summary>
    internal static Nodes With(Node sequence, IReadOnlyList<Node>? initialState, Node? mask) =>
        (Node[])[WithMask.Of(sequence, mask), .. initialState ?? []];

    /// <summary>The block that reads in two directions.</summary>
    internal Block InDirections(Directions directions) => Core.Over(Arguments, directions);

    internal override int? BeforeStates => Arguments.Stateful ? 1 : null;

    internal override bool HidesStates => Arguments.Stateful && !Arguments.ReturnState;

    internal override LayerConfig? Config() => Arguments.Write(Settings);

    internal override IReadOnlyList<Part> Parts => Arguments.Parts;

    private protected override Block Create() => Freeze(Core.Over(Arguments, null));
}
