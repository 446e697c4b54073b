/// Losses and metrics over sequences of which some steps are padding: those count for nothing.
[<RequireQualifiedAccess>]
module Functional.Steps

/// Steps as batches of one: [batch, time, ..] gives [batch · time, 1, ..]; examples where the mask, or the weights, are theirs.
let private single (mask: Tensor) (t: Tensor) =
    let axes = mask.Rank

    if t.Rank < axes || not (Shape.same t.Shape[.. axes - 1] mask.Shape) then
        invalidArg
            "target"
            $"steps: a mask {Shape.show mask.Shape} says which steps of {Shape.show t.Shape} are there; the first axes must be the same, [batch, time]"

    reshape (Array.append [| mask.Size; 1 |] t.Shape[axes..]) t

/// The mean of a loss over the steps that are there; 0 where none is. The loss is taken of each step by itself, so it has
/// to be a mean over the steps.
/// Example: `Steps.loss mask Loss.meanSquaredError target prediction`.
let loss (mask: Tensor) (loss: LossFunction) : LossFunction =
    fun target prediction ->
        let one (t, p) = loss t p
        let each = vmap one (single mask target, single mask prediction)
        let present = reshape [ mask.Size ] mask
        let total = sum (where present each (host each 0.0))
        safeDivide total (sum (cast each.DType present))

/// Each example, or step, by itself, as many as there are weights, and how much each counts: its weight, or 0 where the
/// mask says that it is not there.
let private weighed
    (mask: Tensor option)
    (weights: Tensor)
    (f: Tensor * Tensor -> 'T)
    (target: Tensor)
    (prediction: Tensor)
    =
    // a mask is of steps; the weight of an example is that of its steps
    let weights =
        match mask with
        | Some mask when weights.Rank < mask.Rank -> broadcastTo mask.Shape (expandDims -1 weights)
        | _ -> weights

    let each = vmap f (single weights target, single weights prediction)
    let weights = reshape [ weights.Size ] weights

    match mask with
    | Some mask ->
        let present = reshape [ weights.Size ] mask
        each, where present weights (host weights 0.0), Some present
    | None -> each, weights, None

/// The mean of a loss over the examples, or steps, that are there, each multiplied by its weight, as Keras takes it: divided
/// by how many there are, whatever they weigh. The loss is taken of each by itself, so it has to be a mean over them.
/// Example: `Steps.weightedLoss None (Tensor.ofSeq [ 2.0 ]) Loss.meanSquaredError target prediction`.
let weightedLoss (mask: Tensor option) (weights: Tensor) (loss: LossFunction) : LossFunction =
    fun target prediction ->
        let each, weights, present = weighed mask weights (fun (t, p) -> loss t p) target prediction

        match present with
        | Some present ->
            let each = where present each (host each 0.0)
            safeDivide (sum (each * cast each.DType weights)) (sum (cast each.DType present))
        | None -> mean (each * cast each.DType weights)

let private requireAdditive (metric: Metric) =
    if not metric.Additive then
        invalidArg
            "metric"
            $"steps: {metric.Name} cannot leave out steps or weigh them, since its sums do not add up; measure it without a mask and without weights"

/// A metric's sums with the examples, or steps, that are there, each as often as it weighs.
let weightedMetric
    (mask: Tensor option)
    (weights: Tensor)
    (metric: Metric)
    (sums: Tensor[])
    (target: Tensor)
    (prediction: Tensor)
    : Tensor[] =
    requireAdditive metric

    let one (t, p) = metric.Update metric.Init t p |> Array.map2 (fun before after -> after - before) metric.Init
    let each, weights, present = weighed mask weights one target prediction

    Array.map2
        (fun (before: Tensor) (steps: Tensor) ->
            let wide (x: Tensor) = reshape (Array.append x.Shape (Array.create (steps.Rank - 1) 1)) x

            let kept =
                match present with
                | Some present -> where (wide present) steps (host steps 0.0)
                | None -> steps

            before + sumOver [ 0 ] (kept * cast steps.DType (wide weights)))
        sums
        each

/// A metric's sums with the steps that are there.
let metric (mask: Tensor) (metric: Metric) (sums: Tensor[]) (target: Tensor) (prediction: Tensor) : Tensor[] =
    requireAdditive metric

    let one (t, p) = metric.Update metric.Init t p |> Array.map2 (fun before after -> after - before) metric.Init
    let each = vmap one (single mask target, single mask prediction)
    let present = reshape [ mask.Size ] mask

    Array.map2
        (fun (before: Tensor) (steps: Tensor) ->
            let wide = reshape (Array.append present.Shape (Array.create (steps.Rank - 1) 1)) present
            before + sumOver [ 0 ] (where wide steps (host steps 0.0)))
        sums
        each
