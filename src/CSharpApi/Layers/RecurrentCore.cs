// What Keras' three recurrent layers share: their arguments, and the way from a cell to a block, in one direction or two.
using Microsoft.FSharp.Core;
using Directions = Functional.RecurrentBlock.Directions;

namespace Functional.CSharp;

/// <summary>The arguments of a recurrent layer, checked.</summary>
internal sealed record RecurrentArguments(
    int Units,
    Weighted Weighted,
    Initializer? RecurrentInitializer,
    Regularizer? RecurrentRegularizer,
    Constraint? RecurrentConstraint,
    double Dropout,
    double RecurrentDropout,
    bool ReturnSequences,
    bool ReturnState,
    bool GoBackwards,
    bool Stateful)
{
    /// <summary>For candidates and outputs: tanh by default.</summary>
    public FSharpFunc<Tensor, Tensor> Activation => (Weighted.Activation ?? Activations.Tanh).Function;

    public RecurrentLayerOptions Options => new(
        returnSequences: ReturnSequences,
        goBackwards: GoBackwards,
        padding: null,
        dropout: Dropout,
        recurrentDropout: RecurrentDropout,
        settings: new CellSettings(
            kernelInitializer: Weighted.Kernel,
            recurrentInitializer: (RecurrentInitializer ?? Initializer.Orthogonal()).Function,
            biasInitializer: Weighted.Bias,
            dType: DType.Float32));

    /// <summary>Whether the F# block gives its last state.</summary>
    public bool GivesState => ReturnState || Stateful;

    /// <summary>The weights that have penalties or constraints.</summary>
    public IReadOnlyList<Part> Parts => [.. Weighted.Parts(nameof(SimpleRnn.Kernel)), new(nameof(SimpleRnn.RecurrentKernel), RecurrentRegularizer, RecurrentConstraint)];

    public RecurrentArguments Check(string layer)
    {
        if (Units < 1) throw new ArgumentOutOfRangeException("units", $"{layer}: {Units} units; there must be at least one");
        foreach (var (name, rate) in new[] { ("dropout", Dropout), ("recurrentDropout", RecurrentDropout) })
            if (!(rate is >= 0 and < 1)) throw new ArgumentOutOfRangeException(name, $"{layer}: {name} is the fraction dropped, in [0, 1); {rate} was given");
        return this;
    }

    public LayerConfig? Write(LayerConfig config) => Weighted.Write(config
        .Set("units", Units)
        .Set("dropout", Dropout)
        .Set("recurrent_dropout", RecurrentDropout)
        .Set("return_sequences", ReturnSequences)
        .Set("return_state", ReturnState)
        .Set("go_backwards", GoBackwards)
        .Set("stateful", Stateful))?
        .SetRegularizer("recurrent_regularizer", RecurrentRegularizer)?
        .SetConstraint("recurrent_constraint", RecurrentConstraint);

    public static RecurrentArguments Read(LayerConfig config) => new RecurrentArguments(
        config.Int("units"),
        Weighted.Read(config),
        null,
        config.Regularizer("recurrent_regularizer"),
        config.Constraint("recurrent_constraint"),
        config.Double("dropout"),
        config.Double("recurrent_dropout"),
        config.Bool("return_sequences"),
        config.Bool("return_state"),
        config.Bool("go_backwards"),
        config.Has("stateful") && config.Bool("stateful")).Check(config.Kind);
}

/// <summary>A cell with the types of its parameters and its state hidden.</summary>
internal abstract class RecurrentCore
{
    /// <summary>The block, its parameters erased; in one direction where none are given.</summary>
    public abstract Block Over(RecurrentArguments arguments, Directions? directions);
}

/// <summary>A cell with its types.</summary>
internal sealed class RecurrentCore<TParameters, TState>(Cell<TParameters, TState> cell) : RecurrentCore
{
    public override Block Over(RecurrentArguments arguments, Directions? directions) => directions is null
        ? LayerModule.erase(RecurrentBlock.ofCell(cell, arguments.Options, arguments.GivesState, arguments.Units))
        : LayerModule.erase(RecurrentBlock.bidirectional(directions, cell, arguments.Options, arguments.GivesState, arguments.Units));
}
