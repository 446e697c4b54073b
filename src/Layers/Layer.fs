namespace Functional

// A layer as a value: how its parameters are drawn, which shape it gives, and what it computes.

/// What a network is run for.
type Phase =
    /// Answers: dropout and noise are off, running statistics are used as they are.
    | Inference
    /// Learning: dropout and noise draw from the key, running statistics are updated.
    | Training of key: Tensor

/// A function with parameters of type 'P, and all that is needed to make and place it. Shapes are without the batch axis.
type Layer<'P> = {
    /// What the layer is called in summaries.
    Name: string
    /// Parameters drawn from a key, for inputs of a shape.
    Initialize: Tensor -> int[] -> 'P
    /// The shape of the output, from that of the input; an error where the input does not fit.
    OutputShape: int[] -> int[]
    /// The output, and the parameters with their running statistics brought up to date (the same object where a layer
    /// has none).
    Apply: Phase -> 'P -> Tensor -> Tensor * 'P
}
