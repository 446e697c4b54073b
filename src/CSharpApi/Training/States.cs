// A training's state with some of it changed.
using State = Functional.TrainingState<object[]>;

namespace Functional.CSharp;

internal static class States
{
    /// <summary>The state with other parameters, or another memory of the optimiser.</summary>
    public static State With(this State state, object[]? parameters = null, OptimizerState? optimizer = null) => new(
        parameters: parameters ?? state.Parameters,
        optimizer: optimizer ?? state.Optimizer,
        key: state.Key,
        epoch: state.Epoch,
        batch: state.Batch,
        sums: state.Sums,
        history: state.History,
        memory: state.Memory);
}
