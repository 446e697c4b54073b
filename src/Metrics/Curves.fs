/// Metrics over many thresholds at once: areas under curves, and the best of one number where another is high enough, with
/// Keras' thresholds and formulas. Targets are 0 and 1, predictions probabilities of a yes, elementwise.
[<RequireQualifiedAccess>]
module Functional.Curves

open Functional.Kernels
open Functional.Operations

/// Which curve an area is under.
type Curve =
    /// The share of the positives that are found over the share of the negatives that are taken for one.
    | Roc
    /// Precision over recall.
    | PrecisionRecall

/// Keras' thresholds: evenly between 0 and 1, the ends a little outside.
let private thresholds (count: int) : Tensor =
    if count < 2 then
        invalidArg "thresholds" $"Curves: {count} thresholds; there must be at least 2"

    Tensor.ofSeq [
        -1e-7
        for i in 1 .. count - 2 do
            float i / float (count - 1)
        1.0 + 1e-7
    ]

/// How many positives and negatives are said to be positive at each threshold, and how many there are.
type private Counts = {
    TruePositives: Tensor
    FalsePositives: Tensor
    Positives: Tensor
    Negatives: Tensor
}

let private ofCounts name (count: int) (result: Counts -> Tensor) : Metric =
    let thresholds = thresholds count
    let none = Tensor.zeros [ count ]

    {
        Name = name
        Init = [| none; none; Tensor.scalar 0.0; Tensor.scalar 0.0 |]
        Update =
            fun sums target prediction ->
                if not (Shape.same target.Shape prediction.Shape) then
                    invalidArg
                        "target"
                        $"Curves.{name}: the target has shape {Shape.show target.Shape}, the prediction {Shape.show prediction.Shape}; they must be equal"

                let isSo = target |> cast DType.Bool |> cast DType.Float64 |> flatten
                // compared in the prediction's own type: its 0.5 is 0.5
                let limits = expandDims 1 (cast prediction.DType thresholds)
                let said = greater (expandDims 0 (flatten prediction)) limits |> cast DType.Float64
                let right = sumOver [ 1 ] (said * isSo)

                [|
                    sums[0] + right
                    sums[1] + sumOver [ 1 ] said - right
                    sums[2] + sum isSo
                    sums[3] + sum (1.0 - isSo)
                |]
        Result =
            fun sums ->
                result {
                    TruePositives = sums[0]
                    FalsePositives = sums[1]
                    Positives = sums[2]
                    Negatives = sums[3]
                }
        Additive = true
        Better = Some Higher
    }

/// The numbers at all thresholds but the last, and at all but the first.
let private ends (x: Tensor) = narrow 0 0 (x.Shape[0] - 1) x, narrow 0 1 (x.Shape[0] - 1) x

let private underRoc (c: Counts) =
    let (x0, x1), (y0, y1) =
        ends (safeDivide c.FalsePositives c.Negatives), ends (safeDivide c.TruePositives c.Positives)

    sum ((x0 - x1) * (y0 + y1) * 0.5)

/// Between thresholds the true positives, not the precision, go in a line: Davis and Goadrich, "The relationship between
/// precision-recall and ROC curves" (2006).
let private underPrecisionRecall (c: Counts) =
    let (right0, right1), (said0, said1) = ends c.TruePositives, ends (c.TruePositives + c.FalsePositives)
    let found = right0 - right1
    let slope = safeDivide found (said0 - said1)
    let intercept = right1 - slope * said1
    let zero = host said0 0.0
    let both = logicalAnd (greater said0 zero) (greater said1 zero)
    let ratio = where both (safeDivide said0 said1) (host said0 1.0)
    sum (safeDivide (slope * (found + intercept * log ratio)) c.Positives)

/// The area under a curve, from a number of thresholds; Keras' are 200. Example: `Curves.auc Curves.Roc 200`.
let auc (curve: Curve) (thresholds: int) : Metric =
    ofCounts "auc" thresholds (fun counts ->
        match curve with
        | Roc -> underRoc counts
        | PrecisionRecall -> underPrecisionRecall counts)

let private sensitivity (c: Counts) = safeDivide c.TruePositives c.Positives
let private specificity (c: Counts) = safeDivide (c.Negatives - c.FalsePositives) c.Negatives
let private precision (c: Counts) = safeDivide c.TruePositives (c.TruePositives + c.FalsePositives)

let private bestWhere name (wanted: Counts -> Tensor) (other: Counts -> Tensor) (least: float) thresholds : Metric =
    if not (least >= 0.0 && least <= 1.0) then
        invalidArg "least" $"Curves.{name}: what must be reached lies in [0, 1]; {least} was given"

    ofCounts name thresholds (fun counts ->
        let wanted, other = wanted counts, other counts
        amax (where (greaterEqual other (host other least)) wanted (host wanted 0.0)))

/// The largest sensitivity (recall) at a threshold whose specificity is at least a number; 0 where there is none.
let sensitivityAtSpecificity (least: float) (thresholds: int) : Metric =
    bestWhere "sensitivity_at_specificity" sensitivity specificity least thresholds

/// The largest specificity at a threshold whose sensitivity (recall) is at least a number.
let specificityAtSensitivity (least: float) (thresholds: int) : Metric =
    bestWhere "specificity_at_sensitivity" specificity sensitivity least thresholds

/// The largest precision at a threshold whose recall is at least a number.
let precisionAtRecall (least: float) (thresholds: int) : Metric =
    bestWhere "precision_at_recall" precision sensitivity least thresholds

/// The largest recall at a threshold whose precision is at least a number.
let recallAtPrecision (least: float) (thresholds: int) : Metric =
    bestWhere "recall_at_precision" sensitivity precision least thresholds
