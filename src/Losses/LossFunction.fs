namespace Functional

// What a loss is.

/// target → prediction → how far off the prediction is, a single number: the mean over the batch unless a loss says otherwise.
type LossFunction = Tensor -> Tensor -> Tensor
