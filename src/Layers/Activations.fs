/// Activation functions with Keras' meanings and defaults. `open Functional` brings them in, beside `relu`, `sigmoid`,
/// `softplus`, `softmax`, `logSoftmax` and F#'s `tanh`; all work elementwise on tensors of any shape, unless they say otherwise.
[<AutoOpen; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Activations

open System

/// Parameters of the parametric relu: the shape of one example.
type ParametricRelu = { Alpha: Tensor }

/// x itself.
let linear (x: Tensor) = x

/// x where positive, else alpha·x; Keras' activation has alpha 0.2, its layer 0.3. The derivative at 0 is alpha.
/// Example: `leakyRelu 0.3 x`.
let leakyRelu (alpha: float) (x: Tensor) = where (greater x (host x 0.0)) x (alpha * x)

/// x where positive, else alpha·x, with an alpha for every feature: alpha has the shape of one example, or broadcasts to it.
/// He et al., "Delving deep into rectifiers" (2015).
let parametricRelu (alpha: Tensor) (x: Tensor) = where (greater x (host x 0.0)) x (alpha * x)

/// Keras' relu with all its arguments: x from a threshold on, slope·(x − threshold) below it, at most a highest value.
/// Example: `reluOf (Some 6.0) 0.1 0.0 x`.
let reluOf (highest: float option) (slope: float) (threshold: float) (x: Tensor) =
    let below = if slope = 0.0 then host x 0.0 else slope * (x - threshold)
    let y = where (greaterEqual x (host x threshold)) x below

    match highest with
    | Some highest -> minimum y (host y highest)
    | None -> y

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

/// max(0, x), at most 6: Howard et al., "MobileNets" (2017).
let relu6 (x: Tensor) = clamp 0.0 6.0 x

/// x/6 + ½ within [0, 1], as Keras computes it: relu6(x + 3)/6. Its second version had 0.2x + 0.5.
let hardSigmoid (x: Tensor) = relu6 (x + 3.0) / 6.0

/// x·hardSigmoid(x), also called hard swish: Howard et al., "Searching for MobileNetV3" (2019).
let hardSilu (x: Tensor) = x * hardSigmoid x

/// x within [−1, 1].
let hardTanh (x: Tensor) = clamp -1.0 1.0 x

/// x where |x| is above a threshold, else 0; Keras' threshold is 0.5.
let hardShrink (threshold: float) (x: Tensor) = where (greater (abs x) (host x threshold)) x (host x 0.0)

/// x brought towards 0 by a threshold, 0 where |x| is no larger; Keras' threshold is 0.5.
let softShrink (threshold: float) (x: Tensor) = x - clamp -threshold threshold x

/// x − tanh(x).
let tanhShrink (x: Tensor) = x - tanh x

/// scale·x + offset: numbers of another range, such as bytes to 0 … 1.
let rescale (scale: float) (offset: float) (x: Tensor) = x * scale + offset

/// x divided by its length along an axis; lengths under 10⁻⁶ count as that, as in Keras.
let unitLength (axis: int) (x: Tensor) =
    let squares = sumKeep [ axis ] (square x)
    x * rsqrt (maximum squares (host squares 1e-12))

/// exp(−x²).
let gaussian (x: Tensor) = exp (-(square x))

/// x·sigmoid(x), also called SiLU. Ramachandran et al., "Searching for activation functions" (2017).
let swish (x: Tensor) = x * sigmoid x

/// x where positive, else alpha·(exp(x/alpha) − 1): an elu whose slope is continuous for any alpha; Keras' is 1. Barron,
/// "Continuously differentiable exponential linear units" (2017).
let celu (alpha: float) (x: Tensor) =
    if not (alpha > 0.0) then
        invalidArg "alpha" $"celu: alpha must be positive; {alpha} was given"

    where (less x (host x 0.0)) (elu alpha (x / alpha)) x

/// log(sigmoid(x)), right for x of any size.
let logSigmoid (x: Tensor) = -(softplus -x)

/// x·tanh(softplus(x)): Misra, "Mish" (2019).
let mish (x: Tensor) = x * tanh (softplus x)

/// (x + √(x² + b))/2; Keras' b is 4. Barron, "Squareplus" (2021).
let squareplus (b: float) (x: Tensor) = 0.5 * (x + sqrt (square x + b))

/// 0 up to −1, x from 1 on, (x + 1)²/4 between: a softplus that is 0 somewhere.
let sparsePlus (x: Tensor) =
    let between = clamp -1.0 1.0 x
    0.25 * square (between + 1.0) + relu (x - 1.0)

/// 0 up to −1, 1 from 1 on, (x + 1)/2 between.
let sparseSigmoid (x: Tensor) = 0.5 * (hardTanh x + 1.0)

/// The first half of an axis times the sigmoid of the second, which halves the axis: Dauphin et al., "Language modeling with
/// gated convolutional networks" (2017); Keras' axis is the last. Errors: an axis of odd size.
let glu (axis: int) (x: Tensor) =
    let axis = if axis < 0 then axis + x.Rank else axis
    let size = x.Shape[axis]

    if size % 2 <> 0 then
        invalidArg "x" $"glu: axis {axis} has {size} places; it is cut into two halves, so their number must be even"

    narrow axis 0 (size / 2) x * sigmoid (narrow axis (size / 2) (size / 2) x)

/// The point nearest to x whose numbers along the last axis are probabilities, many of them 0: Martins and Astudillo, "From
/// softmax to sparsemax" (2016).
let sparsemax (x: Tensor) =
    let classes = x.Shape[x.Rank - 1]
    let sorted = sort -1 x |> reverse [ -1 ]
    let sums = cumsum -1 sorted
    let counts = Tensor.linspace 1.0 (float classes) classes |> cast x.DType
    // how many of the largest stay above 0, and what is taken from each so that they sum to 1
    let support = greater (1.0 + counts * sorted) sums |> cast x.DType |> sumKeep [ -1 ]
    let last = cast DType.Int32 support - 1.0
    relu (x - (gatherAlong -1 last sums - 1.0) / support)

/// Activations by their Keras names, for descriptions of models that are text.
[<RequireQualifiedAccess>]
module Activation =

    let private known: (string * (Tensor -> Tensor)) list = [
        "linear", linear
        "relu", relu
        "relu6", relu6
        "leaky_relu", leakyRelu 0.2
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
        "celu", celu 1.0
        "hard_silu", hardSilu
        "hard_swish", hardSilu
        "hard_tanh", hardTanh
        "hard_shrink", hardShrink 0.5
        "soft_shrink", softShrink 0.5
        "tanh_shrink", tanhShrink
        "log_sigmoid", logSigmoid
        "mish", mish
        "squareplus", squareplus 4.0
        "sparse_plus", sparsePlus
        "sparse_sigmoid", sparseSigmoid
        "sparsemax", sparsemax
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
