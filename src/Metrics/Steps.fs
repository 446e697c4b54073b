/// Losses and metrics over sequences of which some steps are padding: those count for nothing.
[<RequireQualifiedAccess>]
module Functional.Steps

/// Steps as batches of one: [batch, time, ..] gives [batch · time, 1, ..].
let private single (mask: Tensor) (t: Tensor) =
    let steps = mask.Size

    if t.Rank < 2 || not (Shape.same t.Shape[..1] mask.Shape) then
        invalidArg
            "target"
            $"steps: a mask {Shape.show mask.Shape} says which steps of {Shape.show t.Shape} are there; the first two axes must be the same, [batch, time]"

    reshape (Array.append [| steps; 1 |] t.Shape[2..]) t

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

/// A metric's sums with the steps that are there.
let metric (mask: Tensor) (metric: Metric) (sums: Tensor[]) (target: Tensor) (prediction: Tensor) : Tensor[] =
    if not metric.Additive then
        invalidArg
            "metric"
            $"steps: {metric.Name} cannot leave out steps, since its sums do not add up; measure it without a mask"

    let one (t, p) = metric.Update metric.Init t p |> Array.map2 (fun before after -> after - before) metric.Init
    let each = vmap one (single mask target, single mask prediction)
    let present = reshape [ mask.Size ] mask

    Array.map2
        (fun (before: Tensor) (steps: Tensor) ->
            let wide = reshape (Array.append present.Shape (Array.create (steps.Rank - 1) 1)) present
            before + sumOver [ 0 ] (where wide steps (host steps 0.0)))
        sums
        each
