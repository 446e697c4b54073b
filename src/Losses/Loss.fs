/// Losses with Keras' meanings: how far a prediction is from its target, a single number. The target comes first, the
/// prediction last: `predict net x |> Loss.meanSquaredError y`. Unless a loss says otherwise it is the mean over
/// everything, the batch included, and target and prediction have one shape.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Loss

open Functional.Kernels
open Functional.Operations

/// Keras' guard against log 0: probabilities are kept this far away from 0 and 1.
[<Literal>]
let private Epsilon = 1e-7

/// Refuses targets that would broadcast in silence, such as [batch] against [batch, 1].
let private sameShape name (target: Tensor) (prediction: Tensor) =
    if not (Shape.same target.Shape prediction.Shape) then
        invalidArg
            "target"
            $"Loss.{name}: the target has shape {Shape.show target.Shape}, the prediction {Shape.show prediction.Shape}; they must be equal"

    if prediction.Size = 0 then
        invalidArg
            "prediction"
            $"Loss.{name}: there is nothing to compare (shape {Shape.show prediction.Shape}); is the batch empty?"

let private difference name (target: Tensor) (prediction: Tensor) =
    sameShape name target prediction
    prediction - target

/// The number of rows along the last axis: what a loss of vectors is averaged over.
let private rows name (prediction: Tensor) =
    if prediction.Rank = 0 then
        invalidArg
            "prediction"
            $"Loss.{name}: the prediction is a single number; it needs an axis of classes or features"

    prediction.Size / prediction.Shape[prediction.Rank - 1]

// ---- distances

/// ½Σ(prediction − target)², summed over everything: the loss of the talk.
let halfSquaredError (target: Tensor) (prediction: Tensor) : Tensor =
    let d = difference "halfSquaredError" target prediction
    inner d d * 0.5

/// The mean of (prediction − target)².
/// Example: `Loss.meanSquaredError (Tensor.ofSeq [1.0; 2.0]) (Tensor.ofSeq [1.0; 4.0])` is 2.
let meanSquaredError (target: Tensor) (prediction: Tensor) : Tensor =
    let d = difference "meanSquaredError" target prediction
    inner d d * (1.0 / float d.Size)

/// The mean of |prediction − target|.
let meanAbsoluteError (target: Tensor) (prediction: Tensor) : Tensor =
    difference "meanAbsoluteError" target prediction |> abs |> mean

/// The mean of ½d² where |d| ≤ delta, else of delta·|d| − ½delta². Huber, "Robust estimation of a location parameter"
/// (1964); Keras' delta is 1.
let huber (delta: float) (target: Tensor) (prediction: Tensor) : Tensor =
    if not (delta > 0.0) then
        invalidArg "delta" $"Loss.huber: delta must be positive; {delta} was given"

    let d = difference "huber" target prediction |> abs
    let near = minimum d (host d delta)
    // ½near² + delta·(d − near), both of which are 0 where they do not apply
    mean (0.5 * square near + delta * (d - near))

/// The mean of (log(1 + prediction) − log(1 + target))²; numbers under 10⁻⁷ count as that.
let meanSquaredLogarithmicError (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "meanSquaredLogarithmicError" target prediction
    let logOf (x: Tensor) = log (maximum x (host x Epsilon) + 1.0)
    mean (square (logOf prediction - logOf target))

/// 100 times the mean of |prediction − target|/|target|, where targets under 10⁻⁷ count as that.
let meanAbsolutePercentageError (target: Tensor) (prediction: Tensor) : Tensor =
    let d = difference "meanAbsolutePercentageError" target prediction
    mean (abs (d / maximum (abs target) (host target Epsilon))) * 100.0

/// The mean of log(cosh(prediction − target)): half a square near 0, a distance far away.
let logCosh (target: Tensor) (prediction: Tensor) : Tensor =
    let d = difference "logCosh" target prediction
    mean (d + softplus (-2.0 * d) - log 2.0)

/// The mean of prediction − t·log(prediction): counts whose expectation is predicted.
let poisson (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "poisson" target prediction
    mean (prediction - target * log (prediction + Epsilon))

// ---- probabilities

/// Targets of a binary loss brought towards ½: t·(1 − s) + s/2, Keras' label smoothing.
/// Example: `Loss.smoothedBinary 0.1 Loss.binaryCrossEntropy`. Errors: a smoothing outside [0, 1].
let smoothedBinary (smoothing: float) (loss: LossFunction) : LossFunction =
    Labels.checkSmoothing "smoothedBinary" smoothing

    if smoothing = 0.0 then
        loss
    else
        fun target -> loss (target * (1.0 - smoothing) + 0.5 * smoothing)

/// One-hot targets with a part of them spread over all classes: t·(1 − s) + s/classes, Keras' label smoothing.
/// Example: `Loss.smoothed 0.1 Loss.categoricalCrossEntropy`. Errors: a smoothing outside [0, 1].
let smoothed (smoothing: float) (loss: LossFunction) : LossFunction =
    Labels.checkSmoothing "smoothed" smoothing

    if smoothing = 0.0 then
        loss
    else
        fun target ->
            let classes = target.Shape[target.Rank - 1]
            loss (target * (1.0 - smoothing) + smoothing / float classes)

/// xᵞ for x from 0 to 1, whose derivative is a number at 0, too.
let private power (gamma: float) (x: Tensor) =
    if gamma = 2.0 then square x
    elif gamma = 0.0 then Tensor.onesLike x
    elif gamma = 1.0 then x
    else x ** gamma

/// The mean of −t·log p − (1 − t)·log(1 − p): p are probabilities of a yes, t is 0, 1 or between.
let binaryCrossEntropy (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "binaryCrossEntropy" target prediction
    let p = clamp Epsilon (1.0 - Epsilon) prediction
    -(mean (target * log p + (1.0 - target) * log (1.0 - p)))

/// The binary cross-entropy of p = sigmoid(logits), softplus(x) − x·t, computed as softplus(−|x|) + x·((x > 0) − t): sums of
/// what is not negative, which are right for logits of any size.
let binaryCrossEntropyFromLogits (target: Tensor) (logits: Tensor) : Tensor =
    sameShape "binaryCrossEntropyFromLogits" target logits
    let positive = greater logits (host logits 0.0)
    // not −|x|, whose derivative at 0 would be 0
    let below = softplus (where positive -logits logits)
    mean (below + logits * (cast logits.DType positive - target))

/// The binary cross-entropy times (1 − q)ᵞ, q being the probability given to what is true, so that examples which are right
/// already count little; with an alpha, ones are multiplied by it and zeros by 1 − alpha. Keras' gamma is 2, its alpha 0.25.
/// Lin et al., "Focal loss for dense object detection" (2017).
let binaryFocalCrossEntropy (alpha: float option) (gamma: float) (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "binaryFocalCrossEntropy" target prediction
    let p = clamp Epsilon (1.0 - Epsilon) prediction
    let entropy = -(target * log p + (1.0 - target) * log (1.0 - p))
    let right = target * prediction + (1.0 - target) * (1.0 - prediction)
    let focal = power gamma (1.0 - right) * entropy

    match alpha with
    | Some alpha -> mean (focal * (target * alpha + (1.0 - target) * (1.0 - alpha)))
    | None -> mean focal

/// Log-probabilities as Keras takes them from a model's output: scaled to sum 1, kept away from 0 and 1.
let private safeLogOf (probabilities: Tensor) =
    probabilities / sumKeep [ -1 ] probabilities |> clamp Epsilon (1.0 - Epsilon) |> log

/// The mean over the rows of −Σ t·log p: p are probabilities of the classes along the last axis (the output of a
/// softmax), t the true distribution, usually one-hot.
let categoricalCrossEntropy (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "categoricalCrossEntropy" target prediction
    inner target (safeLogOf prediction) * (-1.0 / float (rows "categoricalCrossEntropy" prediction))

/// The categorical cross-entropy of p = softmax(logits), by logSoftmax, which is right for logits of any size.
let categoricalCrossEntropyFromLogits (target: Tensor) (logits: Tensor) : Tensor =
    sameShape "categoricalCrossEntropyFromLogits" target logits
    inner target (logSoftmax logits) * (-1.0 / float (rows "categoricalCrossEntropyFromLogits" logits))

/// The mean over the rows of −alpha·Σ t·(1 − p)ᵞ·log p; Keras' alpha is 0.25, its gamma 2.
/// Lin et al., "Focal loss for dense object detection" (2017).
let categoricalFocalCrossEntropy (alpha: float) (gamma: float) (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "categoricalFocalCrossEntropy" target prediction
    let scaled = prediction / sumKeep [ -1 ] prediction
    let p = clamp Epsilon (1.0 - Epsilon) scaled

    inner target (power gamma (1.0 - p) * log p)
    * (-alpha / float (rows "categoricalFocalCrossEntropy" prediction))

/// Labels as a column of places, checked against the number of classes.
let private places name (labels: Tensor) (prediction: Tensor) =
    let count = rows name prediction
    let classes = prediction.Shape[prediction.Rank - 1]

    let lead = prediction.Shape[.. prediction.Rank - 2]
    let column = Array.append lead [| 1 |]

    if not (Shape.same labels.Shape lead || Shape.same labels.Shape column) then
        invalidArg
            "target"
            $"Loss.{name}: labels of shape {Shape.show labels.Shape} for a prediction of {Shape.show prediction.Shape}; there must be one for each row: {Shape.show lead} or {Shape.show column}"

    if count = 0 || classes = 0 then
        invalidArg
            "prediction"
            $"Loss.{name}: there is nothing to compare (shape {Shape.show prediction.Shape}); is the batch empty?"

    Labels.check $"Loss.{name}" classes labels
    reshape column labels

/// Minus the mean of the log-probability of each row's label.
let private negativeLogOf name labels (prediction: Tensor) (logOf: Tensor -> Tensor) =
    let column = places name labels prediction
    // not gatherAlong, which would count negative labels from the end
    -(mean (Tensor.Bind(GatherAlong(prediction.Rank - 1), logOf prediction, column)))

/// The categorical cross-entropy with targets that are class numbers: labels [batch] or [batch, 1] of an integer type,
/// prediction [batch, classes]. A label outside the classes is an error.
let sparseCategoricalCrossEntropy (labels: Tensor) (prediction: Tensor) : Tensor =
    negativeLogOf "sparseCategoricalCrossEntropy" labels prediction safeLogOf

/// The sparse categorical cross-entropy of p = softmax(logits), which is right for logits of any size.
/// Example: `Loss.sparseCategoricalCrossEntropyFromLogits labels (predict net x)`.
let sparseCategoricalCrossEntropyFromLogits (labels: Tensor) (logits: Tensor) : Tensor =
    negativeLogOf "sparseCategoricalCrossEntropyFromLogits" labels logits logSoftmax

/// The sparse categorical cross-entropy of the rows whose label is not one that is to be ignored, the mean over these; 0 where
/// there are none. The predictions are probabilities, or logits.
/// Example: `Loss.sparseCategoricalCrossEntropyIgnoring 255 true labels (predict net x)`.
let sparseCategoricalCrossEntropyIgnoring
    (ignored: int)
    (fromLogits: bool)
    (labels: Tensor)
    (prediction: Tensor)
    : Tensor =
    let counts = notEqual labels (host labels (float ignored))
    let known = where counts labels (host labels 0.0)
    let column = places "sparseCategoricalCrossEntropyIgnoring" known prediction
    let logs = if fromLogits then logSoftmax prediction else safeLogOf prediction
    let own = Tensor.Bind(GatherAlong(prediction.Rank - 1), logs, column)
    let counts = reshape own.Shape counts
    -(safeDivide (sum (where counts own (host own 0.0))) (sum (cast own.DType counts)))

/// The sparse categorical cross-entropy of the rows where a mask is true, the mean over these: for sequences of different
/// lengths, padded. Labels and mask [batch, time] for logits [batch, time, classes]. A mask that is false everywhere gives 0.
/// Example: `Loss.tokenCrossEntropyFromLogits (Sequences.mask outputs) outputs logits`.
let tokenCrossEntropyFromLogits (mask: Tensor) (labels: Tensor) (logits: Tensor) : Tensor =
    let name = "tokenCrossEntropyFromLogits"
    let column = places name labels logits

    if mask.DType <> DType.Bool || not (Shape.same mask.Shape logits.Shape[.. logits.Rank - 2]) then
        invalidArg
            "mask"
            $"Loss.{name}: the mask of logits {Shape.show logits.Shape} is Bool {Shape.show logits.Shape[.. logits.Rank - 2]}; it is {mask.DType} {Shape.show mask.Shape}"

    let logs = Tensor.Bind(GatherAlong(logits.Rank - 1), logSoftmax logits, column) |> squeeze [ -1 ]
    let zero = host logs 0.0
    -(safeDivide (sum (where mask logs zero)) (sum (cast logits.DType mask)))

/// The mean over the rows of Σ t·log(t/p): the Kullback–Leibler divergence of the prediction from the target, both
/// distributions along the last axis.
let kullbackLeibler (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "kullbackLeibler" target prediction
    let t, p = clamp Epsilon 1.0 target, clamp Epsilon 1.0 prediction
    inner t (log t - log p) * (1.0 / float (rows "kullbackLeibler" prediction))

// ---- margins and angles

/// Targets of −1 and 1, as hinges take them; where all are 0 or 1, they stand for −1 and 1, as in Keras.
let private signs (target: Tensor) =
    let isOther = logicalAnd (notEqual target (host target 0.0)) (notEqual target (host target 1.0))
    let others = sum (cast target.DType isOther)
    where (equal others (host target 0.0)) (2.0 * target - 1.0) target

/// The mean of max(0, 1 − t·prediction); the targets are −1 and 1, or 0 and 1.
let hinge (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "hinge" target prediction
    mean (relu (1.0 - signs target * prediction))

/// The mean of max(0, 1 − t·prediction)²; the targets are −1 and 1, or 0 and 1.
let squaredHinge (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "squaredHinge" target prediction
    mean (square (relu (1.0 - signs target * prediction)))

/// The mean over the rows of max(0, 1 + the largest prediction of another class − that of the class); targets are one-hot rows.
let categoricalHinge (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "categoricalHinge" target prediction
    let own = sumOver [ -1 ] (target * prediction)
    let other = maxOver [ -1 ] ((1.0 - target) * prediction)
    mean (relu (other - own + 1.0))

/// 1 − alpha-beta overlap of target and prediction over everything: Σtp/(Σtp + alpha·Σt(1 − p) + beta·Σp(1 − t)). Keras' alpha
/// and beta are ½, which makes it Dice's. Salehi et al., "Tversky loss function for image segmentation" (2017).
let tversky (alpha: float) (beta: float) (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "tversky" target prediction
    let both = inner target prediction
    let missed = inner target (1.0 - prediction)
    let wrong = inner prediction (1.0 - target)
    1.0 - both / (both + alpha * missed + beta * wrong + Epsilon)

/// 1 − 2·Σtp/(Σt + Σp) over everything: the share of target and prediction that do not overlap.
let dice (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "dice" target prediction
    1.0 - 2.0 * inner target prediction / (sum target + sum prediction + Epsilon)

/// Minus the cosine of the angle between target and prediction along the last axis, on average over the rows: −1 where
/// they point the same way.
let cosineSimilarity (target: Tensor) (prediction: Tensor) : Tensor =
    sameShape "cosineSimilarity" target prediction

    inner (Merge.unit -1 target) (Merge.unit -1 prediction)
    * (-1.0 / float (rows "cosineSimilarity" prediction))
