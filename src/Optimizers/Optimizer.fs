namespace Functional

// An optimiser is two pure functions, after Optax (DeepMind, optax/_src/base.py): no state hides anywhere.

/// What an optimiser remembers between steps. It is itself a tree of tensors: it can be saved, compiled and batched.
type OptimizerState = {
    /// The number of steps done, 0-d, Int64.
    Step: Tensor
    /// A factor on the learning rate, 0-d, Float64: 1 until something (reduction on a plateau) lowers it.
    RateScale: Tensor
    /// Memory of the parameters' shapes (moments, velocities), by its name in the optimiser's paper.
    Slots: Map<string, Tensor[]>
}

/// A way of changing parameters by their gradients. The functions see the trained leaves only, in tree order;
/// `Optimizer.init` and `Optimizer.step` do the same for trees.
type Optimizer = {
    Name: string
    /// The learning rate as a function of the steps done.
    Rate: Schedule
    /// The state before the first step, from the parameters.
    Init: Tensor[] -> OptimizerState
    /// gradients → state → parameters → the new parameters and the new state.
    Update: Tensor[] -> OptimizerState -> Tensor[] -> Tensor[] * OptimizerState
}
