/// What weights are brought back to after every step of an optimiser, Keras' constraints:
///     let trainer = Trainer.ofFunction … |> Trainer.withConstraint (fun net -> { net with Weights = Constraint.nonNegative net.Weights })
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Constraint

/// Lengths under this count as it, as in Keras.
let private epsilon = 1e-7

let private norms (axes: int list) (w: Tensor) = sqrt (sumKeep axes (square w))

/// Weights shorter than a length along some axes stay, others are scaled down to it. Keras' length is 2, its axis 0: of a
/// dense layer, what goes into one unit. Srivastava et al., "Dropout" (2014).
let maxNorm (length: float) (axes: int list) (w: Tensor) : Tensor =
    let norms = norms axes w
    w * (clamp 0.0 length norms / (norms + epsilon))

/// Negative weights become 0.
let nonNegative (w: Tensor) : Tensor = relu w

/// Weights scaled to length 1 along some axes.
let unitNorm (axes: int list) (w: Tensor) : Tensor = w / (norms axes w + epsilon)

/// Weights scaled so that their length along some axes is brought between two lengths, by a fraction of the way for each step
/// (the rate; 1 is all of it).
let minMaxNorm (low: float) (high: float) (rate: float) (axes: int list) (w: Tensor) : Tensor =
    let norms = norms axes w
    w * ((rate * clamp low high norms + (1.0 - rate) * norms) / (norms + epsilon))
