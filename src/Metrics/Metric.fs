namespace Functional

// Metrics: numbers about predictions that are gathered batch by batch, with Keras' meanings.

open Functional.Kernels
open Functional.Operations

/// Which values of a number are better.
type Better =
    | Lower
    | Higher

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module MetricType =

    /// A number about predictions, gathered batch by batch into a few tensors of sums. The functions are pure, so the sums
    /// can be saved in the middle of an epoch, compiled and added up. Targets and predictions are tensors, or trees of them
    /// where a network has several outputs.
    type Metric<'Y> = {
        /// What the number is called in the history: "accuracy".
        Name: string
        /// The sums before the first batch.
        Init: Tensor[]
        /// sums → target → prediction → the sums with one more batch.
        Update: Tensor[] -> 'Y -> 'Y -> Tensor[]
        /// sums → the number, 0-d.
        Result: Tensor[] -> Tensor
        /// Whether the sums of two batches together are those of one plus those of the other.
        Additive: bool
        /// Which values are better; None where the metric does not say it. Callbacks that watch it ask.
        Better: Better option
    }

    /// A number about the predictions of a network with one output.
    type Metric = Metric<Tensor>

/// Metrics. Targets come before predictions, as in losses.
/// Example: `Metric.evaluate Metric.accuracy labels (predict net x)`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Metric =

    let private none = Tensor.scalar 0.0

    /// The mean over all examples of a number that is a mean over each batch: every batch counts by its size.
    /// `f` takes target and prediction to a single number, as a loss does. Which values are better it does not say:
    /// `Metric.ofMean "error" f |> Metric.withBetter Lower`.
    let ofMean (name: string) (f: Tensor -> Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none; none |]
        Update =
            fun sums target prediction ->
                let size = float prediction.Shape[0]
                [| sums[0] + cast DType.Float64 (f target prediction) * size; sums[1] + size |]
        Result = fun sums -> safeDivide sums[0] sums[1]
        Additive = true
        Better = None
    }

    /// The same metric, which says which of its values are better: what a callback that watches it goes by.
    let withBetter (better: Better) (metric: Metric<'Y>) : Metric<'Y> = { metric with Better = Some better }

    /// The same metric under another name in the history.
    let called (name: string) (metric: Metric<'Y>) : Metric<'Y> = { metric with Name = name }

    /// The metric of one of several outputs, under a name of its own.
    /// Example: `Metric.ofPart "digit_accuracy" fst Metric.accuracy` where targets are pairs.
    let ofPart (name: string) (part: 'Y -> Tensor) (metric: Metric) : Metric<'Y> = {
        Name = name
        Init = metric.Init
        Update = fun sums target prediction -> metric.Update sums (part target) (part prediction)
        Result = metric.Result
        Additive = metric.Additive
        Better = metric.Better
    }

    /// The metric of one batch.
    let evaluate (metric: Metric) (target: Tensor) (prediction: Tensor) : float =
        Tensor.toFloat (metric.Result(metric.Update metric.Init target prediction))

    /// How many are true, Float64.
    let private count (mask: Tensor) = mask |> cast DType.Float64 |> sum

    /// The share of trues among all that `hits` says of targets and predictions.
    let private ofShare name (hits: Tensor -> Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none; none |]
        Update =
            fun sums target prediction ->
                let mask = hits target prediction
                [| sums[0] + count mask; sums[1] + float mask.Size |]
        Result = fun sums -> safeDivide sums[0] sums[1]
        Additive = true
        Better = Some Higher
    }

    let private requireSame name (target: Tensor) (prediction: Tensor) =
        if not (Shape.same target.Shape prediction.Shape) then
            invalidArg
                "target"
                $"Metric.{name}: the target has shape {Shape.show target.Shape}, the prediction {Shape.show prediction.Shape}; they must be equal"

    let private isAbove (threshold: float) (prediction: Tensor) = greater prediction (host prediction threshold)

    let private binaryHits threshold (target: Tensor) (prediction: Tensor) =
        requireSame "binaryAccuracy" target prediction
        equal (cast prediction.DType target) (isAbove threshold prediction |> cast prediction.DType)

    let private classHits name (target: Tensor) (prediction: Tensor) =
        equal (Confusion.trueClasses $"Metric.{name}" target prediction) (Confusion.predictedClasses prediction)

    /// How often a prediction is on its target's side of a threshold; Keras' threshold is 0.5. Targets are 0 and 1.
    let binaryAccuracy (threshold: float) : Metric = ofShare "binary_accuracy" (binaryHits threshold)

    /// How often the largest number of a prediction is in the place of the class; targets are class numbers or one-hot rows.
    let categoricalAccuracy: Metric = ofShare "categorical_accuracy" (classHits "categoricalAccuracy")

    /// The same for targets that are class numbers.
    let sparseCategoricalAccuracy: Metric =
        ofShare "sparse_categorical_accuracy" (classHits "sparseCategoricalAccuracy")

    /// Keras' "accuracy": binary with threshold 0.5 where the prediction is one number for each example, else categorical.
    let accuracy: Metric =
        ofShare "accuracy" (fun target prediction ->
            if prediction.Rank < 2 || prediction.Shape[prediction.Rank - 1] = 1 then
                binaryHits 0.5 target prediction
            else
                classHits "accuracy" target prediction)

    /// How often the class is among the k largest numbers of a prediction; equals all count as among them.
    let topK (k: int) : Metric =
        if k < 1 then
            invalidArg "k" $"Metric.topK: k must be at least 1; {k} was given"

        ofShare $"top_{k}_accuracy" (fun target prediction ->
            let classes = prediction.Shape[prediction.Rank - 1]
            let truth = Confusion.trueClasses "Metric.topK" target prediction |> expandDims 1
            let scores = reshape [ truth.Shape[0]; classes ] prediction
            let larger = greater scores (gatherAlong 1 truth scores) |> cast DType.Int32 |> sumOver [ 1 ]
            less larger (host larger (float k)))

    /// True positives, false positives and false negatives, elementwise: targets are 0 and 1.
    let private ofPositives name threshold (result: Tensor -> Tensor -> Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none; none; none |]
        Update =
            fun sums target prediction ->
                requireSame name target prediction
                let said, isSo = isAbove threshold prediction, cast DType.Bool target
                let right = count (logicalAnd said isSo)
                [| sums[0] + right; sums[1] + count said - right; sums[2] + count isSo - right |]
        Result = fun sums -> result sums[0] sums[1] sums[2]
        Additive = true
        Better = Some Higher
    }

    /// The share of those said to be positive (above the threshold; Keras' is 0.5) that are; 0 where none was said to be.
    let precision (threshold: float) : Metric =
        ofPositives "precision" threshold (fun right wrong _ -> safeDivide right (right + wrong))

    /// The share of the positives that are said to be (above the threshold; Keras' is 0.5); 0 where there are none.
    let recall (threshold: float) : Metric =
        ofPositives "recall" threshold (fun right _ missed -> safeDivide right (right + missed))

    /// The harmonic mean of precision and recall.
    let f1 (threshold: float) : Metric =
        ofPositives "f1" threshold (fun right wrong missed -> safeDivide (2.0 * right) (2.0 * right + wrong + missed))

    /// How often predictions and targets, elementwise 0 and 1, meet in some way.
    let private counting name better threshold (meet: Tensor -> Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none |]
        Update =
            fun sums target prediction ->
                requireSame name target prediction
                [| sums[0] + count (meet (cast DType.Bool target) (isAbove threshold prediction)) |]
        Result = fun sums -> sums[0]
        Additive = true
        Better = Some better
    }

    /// How many positives are said to be (above the threshold; Keras' is 0.5).
    let truePositives (threshold: float) : Metric = counting "true_positives" Higher threshold logicalAnd

    /// How many negatives are not said to be positive.
    let trueNegatives (threshold: float) : Metric =
        counting "true_negatives" Higher threshold (fun isSo said -> logicalNot (logicalOr isSo said))

    /// How many negatives are said to be positive.
    let falsePositives (threshold: float) : Metric =
        counting "false_positives" Lower threshold (fun isSo said -> logicalAnd (logicalNot isSo) said)

    /// How many positives are not said to be.
    let falseNegatives (threshold: float) : Metric =
        counting "false_negatives" Lower threshold (fun isSo said -> logicalAnd isSo (logicalNot said))

    /// The mean over the classes that occur of intersection over union; targets are class numbers or one-hot rows.
    let meanIntersectionOverUnion: Metric = {
        Name = "mean_io_u"
        Init = [| none |]
        Update = fun sums target prediction -> [| sums[0] + Confusion.matrix target prediction |]
        Result =
            fun sums ->
                let matrix = sums[0]
                let occurs = sumOver [ 0 ] matrix + sumOver [ 1 ] matrix
                let share = Confusion.intersectionOverUnion matrix
                safeDivide (sum share) (count (greater occurs (host occurs 0.0)))
        Additive = true
        Better = Some Higher
    }

    /// The mean over the classes of a number from their confusion matrix; targets are class numbers or one-hot rows.
    /// Example: `Metric.ofConfusion "macro_f1" Confusion.f1`.
    let ofConfusion (name: string) (perClass: Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none |]
        Update = fun sums target prediction -> [| sums[0] + Confusion.matrix target prediction |]
        Result = fun sums -> mean (perClass sums[0])
        Additive = true
        Better = None
    }

    /// The mean of (prediction − target)².
    let meanSquaredError: Metric = ofMean "mse" Loss.meanSquaredError |> withBetter Lower
    /// The mean of |prediction − target|.
    let meanAbsoluteError: Metric = ofMean "mae" Loss.meanAbsoluteError |> withBetter Lower

    /// The root of the mean of (prediction − target)².
    let rootMeanSquaredError: Metric = {
        meanSquaredError with
            Name = "root_mean_squared_error"
            Result = meanSquaredError.Result >> sqrt
    }

    /// The cosine of the angle between target and prediction along the last axis, on average: 1 where they point the same way.
    /// The loss of this name is minus that.
    let cosineSimilarity: Metric =
        ofMean "cosine_similarity" (fun target prediction -> -(Loss.cosineSimilarity target prediction))
        |> withBetter Higher

    /// R², the coefficient of determination: 1 − Σ(prediction − target)²/Σ(target − mean)² over all examples, on average
    /// over the outputs; an output whose target never changes counts as 0. The mean and the squared distances are merged
    /// by Chan, Golub and LeVeque's formula (1979), which loses no digits to cancellation.
    let rSquared: Metric = {
        Name = "r2"
        // examples, and for each output: mean, squared distance from it, squared residual
        Init = [| none; none; none; none |]
        Update =
            fun sums target prediction ->
                requireSame "rSquared" target prediction
                let rows = target.Shape[0]

                let columns x =
                    x |> cast DType.Float64 |> reshape [ rows; (if rows = 0 then 0 else target.Size / rows) ]

                let y, residual = columns target, columns prediction - columns target
                let ours = meanOver [ 0 ] y
                let before, total = sums[0], sums[0] + float rows
                let apart = ours - sums[1]

                [|
                    total
                    sums[1] + apart * (float rows / total)
                    sums[2] + sumOver [ 0 ] (square (y - ours)) + square apart * (before * float rows / total)
                    sums[3] + sumOver [ 0 ] (square residual)
                |]
        Additive = false
        Better = Some Higher
        Result =
            fun sums ->
                let still = lessEqual sums[2] (host sums[2] 0.0)
                mean (where still (host sums[2] 0.0) (1.0 - safeDivide sums[3] sums[2]))
    }
