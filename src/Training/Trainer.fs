namespace Functional

// What is trained, against which loss, and how: everything that one training step needs, and the step itself.

/// What is trained and how. `Apply` computes predictions from parameters of any type; the rest is what Keras gives to
/// `compile`.
type Trainer<'P> = {
    /// phase → parameters → inputs → predictions, and the parameters with their running statistics brought up to date.
    Apply: Phase -> 'P -> Tensor -> Tensor * 'P
    Loss: LossFunction
    /// Added to the loss: `Penalty.onWeights (Penalty.l2 1e-4)`.
    Penalty: ('P -> Tensor) option
    Optimizer: Optimizer
    /// Computed from the predictions that the step makes anyway.
    Metrics: Metric list
}

/// What changes in a training step: what it is given, and what it gives.
type StepState<'P> = {
    Parameters: 'P
    Optimizer: OptimizerState
    /// What the loss and the metrics have gathered, the loss first.
    Sums: Tensor[][]
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Trainer =

    /// Trains a layer.
    /// Example: `Trainer.ofLayer net Loss.meanSquaredError (Optimizer.sgd 0.1) [ Metric.accuracy ]`.
    let ofLayer (layer: Layer<'P>) (loss: LossFunction) (optimizer: Optimizer) (metrics: Metric list) : Trainer<'P> = {
        Apply = layer.Apply
        Loss = loss
        Penalty = None
        Optimizer = optimizer
        Metrics = metrics
    }

    /// Trains an ordinary function of a parameter record: `predict net x`.
    let ofFunction
        (predict: 'P -> Tensor -> Tensor)
        (loss: LossFunction)
        (optimizer: Optimizer)
        (metrics: Metric list)
        : Trainer<'P> = {
        Apply = fun _ parameters x -> predict parameters x, parameters
        Loss = loss
        Penalty = None
        Optimizer = optimizer
        Metrics = metrics
    }

    /// The same with a penalty on the parameters added to the loss.
    let withPenalty (penalty: 'P -> Tensor) (trainer: Trainer<'P>) : Trainer<'P> = {
        trainer with
            Penalty = Some penalty
    }

    let private lossOf (trainer: Trainer<'P>) (parameters: 'P) (target: Tensor) (prediction: Tensor) =
        let loss = trainer.Loss target prediction

        match trainer.Penalty with
        | Some penalty -> loss + penalty parameters
        | None -> loss

    // ---- the numbers of an epoch: the loss first, then the metrics

    let private lossMetric = Metric.ofMean "loss" (fun loss _ -> loss)

    let internal names (trainer: Trainer<'P>) : string list = "loss" :: (trainer.Metrics |> List.map _.Name)

    /// The sums of an epoch before its first batch.
    let internal noSums (trainer: Trainer<'P>) : Tensor[][] = [|
        lossMetric.Init
        for metric in trainer.Metrics do
            metric.Init
    |]

    /// The sums with one more batch, whose loss is known.
    let internal addSums
        (trainer: Trainer<'P>)
        (loss: Tensor)
        (target: Tensor)
        (prediction: Tensor)
        (sums: Tensor[][])
        : Tensor[][] =
        let next = Array.zeroCreate sums.Length
        next[0] <- lossMetric.Update sums[0] loss prediction
        let mutable metrics = trainer.Metrics

        for i in 1 .. sums.Length - 1 do
            next[i] <- metrics.Head.Update sums[i] target prediction
            metrics <- metrics.Tail

        next

    /// One training step: the loss of the batch, and the state after it. A pure function of trees: the same
    /// arguments give the same bits, and it can be compiled as a whole.
    let step
        (trainer: Trainer<'P>)
        (key: Tensor, before: StepState<'P>, x: Tensor, y: Tensor)
        : Tensor * StepState<'P> =
        let objective p =
            let prediction, updated = trainer.Apply (Phase.Training key) p x
            let updated = if obj.ReferenceEquals(updated, p) then None else Some updated
            lossOf trainer p y prediction, (prediction, updated)

        let loss, (prediction, updated), gradient = valueAndGradAux objective before.Parameters
        let parameters = Option.defaultValue before.Parameters updated
        let parameters, optimizer = Optimizer.step trainer.Optimizer gradient before.Optimizer parameters

        loss,
        {
            Parameters = parameters
            Optimizer = optimizer
            Sums = addSums trainer loss y prediction before.Sums
        }

    /// The numbers that the sums stand for, by name.
    let internal results (trainer: Trainer<'P>) (sums: Tensor[][]) : (string * float) list =
        lossMetric :: trainer.Metrics
        |> List.mapi (fun i metric -> metric.Name, Tensor.toFloat (metric.Result sums[i]))

    /// The sums with one more batch, the parameters as they are.
    let internal measure (trainer: Trainer<'P>) (parameters: 'P, sums: Tensor[][], x: Tensor, y: Tensor) : Tensor[][] =
        let prediction = fst (trainer.Apply Inference parameters x)
        addSums trainer (lossOf trainer parameters y prediction) y prediction sums

    /// The loss and the metrics over some batches, measured one by one.
    let internal evaluate
        (trainer: Trainer<'P>)
        (measure: 'P * Tensor[][] * Tensor * Tensor -> Tensor[][])
        (parameters: 'P)
        (batches: (Tensor * Tensor) seq)
        : (string * float) list =
        let mutable sums = noSums trainer

        for x, y in batches do
            sums <- measure (parameters, sums, x, y)

        results trainer sums
