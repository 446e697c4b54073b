/// Activation functions with Keras' meanings and defaults. `open Functional` brings them in, beside `relu`, `sigmoid`,
/// `softplus`, `softmax`, `logSoftmax` and F#'s `tanh`; all work elementwise on tensors of any shape, unless they say otherwise.
[<AutoOpen; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Activations

open System

/// Parameters of the parametric relu: the shape of one example.
type ParametricRelu = { Alpha: Tensor }

/// x itself.
let linear (x: Tensor) = x

/// x where positive, else alpha·x; Keras' layer has alpha 0.3. Its derivative at 0 is alpha.
/// Example: `leakyRelu 0.3 x`.
let leakyRelu (alpha: float) (x: Tensor) = where (greater x (host x 0.0)) x (alpha * x)

/// x where positive, else alpha·x, with an alpha for every feature: alpha has the shape of one example, or broadcasts to it.
/// He et al., "Delving deep into rectifiers" (2015).
let parametricRelu (alpha: Tensor) (x: Tensor) = where (greater x (host x 0.0)) x (alpha * x)

/// x above a threshold, else 0.
let thresholdedRelu (threshold: float) (x: Tensor) = where (greater x (host x threshold)) x (host x 0.0)

/// x where positive, else alpha·(exp(x) − 1). Clevert et al., "Fast and accurate deep network learning by exponential
/// linear units" (2016); Keras' alpha is 1. Example: `elu 1.0 x`.
let elu (alpha: float) (x: Tensor) =
    let zero = host x 0.0
    let negative = less x zero
    // the inner guard keeps exp of large x, and ∞·0 in the derivative, away
    where negative (alpha * expm1 (where negative x zero)) x

/// The self-normalising scaled elu of Klambauer et al. (2017).
let selu (x: Tensor) = 1.0507009873554805 * elu 1.6732632423543772 x

/// x·Φ(x), with the normal distribution function Φ. Hendrycks and Gimpel, "Gaussian error linear units" (2016).
let gelu (x: Tensor) = 0.5 * x * erfc (x * (-1.0 / sqrt 2.0))

/// The approximation of gelu by tanh: 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))).
let geluTanh (x: Tensor) = 0.5 * x * (1.0 + tanh (sqrt (2.0 / Math.PI) * (x + 0.044715 * x * square x)))

/// x/(1 + |x|).
let softsign (x: Tensor) = x / (1.0 + abs x)

/// 0.2x + 0.5 within [0, 1], Keras 2's meaning.
let hardSigmoid (x: Tensor) = clamp 0.0 1.0 (0.2 * x + 0.5)

/// exp(−x²).
let gaussian (x: Tensor) = exp (-(square x))

/// x·sigmoid(x), also called SiLU. Ramachandran et al., "Searching for activation functions" (2017).
let swish (x: Tensor) = x * sigmoid x

/// Activations by their Keras names, for descriptions of models that are text.
[<RequireQualifiedAccess>]
module Activation =

    let private known: (string * (Tensor -> Tensor)) list = [
        "linear", linear
        "relu", relu
        "leaky_relu", leakyRelu 0.3
        "elu", elu 1.0
        "selu", selu
        "gelu", gelu
        "gelu_tanh", geluTanh
        "softplus", softplus
        "softsign", softsign
        "sigmoid", sigmoid
        "hard_sigmoid", hardSigmoid
        "tanh", tanh
        "exponential", exp
        "gaussian", gaussian
        "swish", swish
        "silu", swish
        "softmax", softmax
        "log_softmax", logSoftmax
    ]

    /// The names, as Keras spells them where it has them.
    let names = List.map fst known

    /// The activation of a name. Example: `Activation.ofName "hard_sigmoid"` is `hardSigmoid`.
    let ofName (name: string) : Tensor -> Tensor =
        match List.tryFind (fst >> (=) name) known with
        | Some(_, f) -> f
        | None ->
            let list = String.concat ", " names
            invalidArg "name" $"activation: \"{name}\" is not known; there are {list}"
