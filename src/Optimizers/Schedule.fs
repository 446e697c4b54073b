namespace Functional

// Learning rates as functions of the number of steps done.

/// The number of steps done so far (0-d, Int64) → the learning rate of the next one (0-d, Float64). An ordinary
/// function of tensors, so that a compiled step can contain it.
type Schedule = Tensor -> Tensor
