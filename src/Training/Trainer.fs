namespace Functional

// What is trained, against which loss, and how: everything that one training step needs, and the step itself.

/// What is trained and how. `Apply` computes predictions from parameters of any type; the rest is what Keras gives to
/// `compile`. Inputs and outputs are tensors, or trees of them where there are several: pairs, records, arrays.
type Trainer<'P, 'X, 'Y> = {
    /// phase → parameters → inputs → predictions, and the parameters with their running statistics brought up to date.
    Apply: Phase -> 'P -> 'X -> 'Y * 'P
    /// target → prediction → how far off the prediction is, a single number.
    Loss: 'Y -> 'Y -> Tensor
    /// Added to the loss: `Penalty.onWeights (Penalty.l2 1e-4)`.
    Penalty: ('P -> Tensor) option
    /// Applied to the parameters after every step of the optimiser: `Constraint`.
    Constraint: ('P -> 'P) option
    Optimizer: Optimizer
    /// Computed from the predictions that the step makes anyway.
    Metrics: Metric<'Y> list
}

/// What is trained where there is one input and one output.
type Trainer<'P> = Trainer<'P, Tensor, Tensor>

/// What one of a network's outputs is trained towards.
type OutputGoal = {
    /// What the output is called.
    Output: string
    Loss: LossFunction
    /// What the loss is multiplied by before the losses of all outputs are added.
    Weight: float
    Metrics: Metric list
}

/// What changes in a training step: what it is given, and what it gives.
type StepState<'P> = {
    Parameters: 'P
    Optimizer: OptimizerState
    /// What the loss and the metrics have gathered, the loss first.
    Sums: Tensor[][]
    /// Finished batches of the epoch, 0-d, Int64.
    Batch: Tensor
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Trainer =

    /// Trains a layer.
    /// Example: `Trainer.ofLayer net Loss.meanSquaredError (Optimizer.sgd 0.1) [ Metric.accuracy ]`.
    let ofLayer (layer: Layer<'P>) (loss: LossFunction) (optimizer: Optimizer) (metrics: Metric list) : Trainer<'P> = {
        Apply = layer.Apply
        Loss = loss
        Penalty = None
        Constraint = None
        Optimizer = optimizer
        Metrics = metrics
    }

    /// Trains an ordinary function of a parameter record: `predict net x`, or `predict net (image, size)` with data of pairs.
    let ofFunction
        (predict: 'P -> 'X -> 'Y)
        (loss: 'Y -> 'Y -> Tensor)
        (optimizer: Optimizer)
        (metrics: Metric<'Y> list)
        : Trainer<'P, 'X, 'Y> = {
        Apply = fun _ parameters x -> predict parameters x, parameters
        Loss = loss
        Penalty = None
        Constraint = None
        Optimizer = optimizer
        Metrics = metrics
    }

    /// Trains a network of blocks towards a goal for each of its outputs, as `ofNetwork`. Targets that have weights
    /// (`Masked.weighted`) count by them in the loss, and in further metrics, a list for each output; the goals' own metrics
    /// do not see them.
    let ofWeightedNetwork
        (network: Network)
        (goals: OutputGoal list)
        (weightedMetrics: Metric list list)
        (optimizer: Optimizer)
        : Trainer<obj[], Tensor[], Masked[]> =
        if goals.Length <> network.Outputs.Length then
            invalidArg
                "goals"
                $"{network.Name}: losses for {goals.Length} outputs; the model has {network.Outputs.Length}"

        let apply = Network.apply network

        /// A metric of one output, over the steps that are there.
        let ofOutput i isWeighted name (metric: Metric) : Metric<Masked[]> = {
            Name = name
            Init = metric.Init
            Update =
                fun sums (targets: Masked[]) (predictions: Masked[]) ->
                    let update =
                        match predictions[i].Mask, targets[i].Mask with
                        | mask, Some weights when isWeighted -> Steps.weightedMetric mask weights metric
                        | Some mask, _ -> Steps.metric mask metric
                        | None, _ -> metric.Update

                    update sums targets[i].Value predictions[i].Value
            Result = metric.Result
            Additive = metric.Additive
            Better = metric.Better
        }

        {
            Apply = fun phase parameters inputs -> apply phase parameters (Array.map Masked.ofTensor inputs)
            Loss =
                fun targets predictions ->
                    goals
                    |> List.mapi (fun i goal ->
                        let loss =
                            match predictions[i].Mask, targets[i].Mask with
                            | mask, Some weights -> Steps.weightedLoss mask weights goal.Loss
                            | Some mask, None -> Steps.loss mask goal.Loss
                            | None, None -> goal.Loss

                        let value = loss targets[i].Value predictions[i].Value
                        if goal.Weight = 1.0 then value else value * goal.Weight)
                    |> List.reduce (+)
            Penalty = None
            Constraint = None
            Optimizer = optimizer
            Metrics =
                match goals with
                | [ goal ] -> [
                    for metric in goal.Metrics do
                        ofOutput 0 false metric.Name metric

                    for metric in List.concat weightedMetrics do
                        ofOutput 0 true metric.Name metric
                  ]
                | several -> [
                    for i, goal in List.indexed several do
                        ofOutput
                            i
                            true
                            $"{goal.Output}_loss"
                            (Metric.ofMean "loss" goal.Loss |> Metric.withBetter Lower)

                        for metric in goal.Metrics do
                            ofOutput i false $"{goal.Output}_{metric.Name}" metric

                        for metric in List.tryItem i weightedMetrics |> Option.defaultValue [] do
                            ofOutput i true $"{goal.Output}_{metric.Name}" metric
                  ]
        }

    /// Trains a network of blocks towards a goal for each of its outputs. With one output the numbers are called as they are;
    /// with several, each output's loss is one of them, and its name stands before those of its own.
    let ofNetwork (network: Network) (goals: OutputGoal list) (optimizer: Optimizer) =
        ofWeightedNetwork network goals [] optimizer

    /// Trains a network that goes on, batch by batch, where it ended: its states are carried along as the last of the
    /// parameters, `Frozen`. No gradient crosses from one batch to another. Answers, as in validation, begin from zeros and
    /// change nothing. `trainer` is that of the network without states.
    let carrying
        (network: StatefulNetwork)
        (trainer: Trainer<obj[], Tensor[], Masked[]>)
        : Trainer<obj[], Tensor[], Masked[]> =
        let apply = StatefulNetwork.apply network

        {
            trainer with
                Apply =
                    fun phase all inputs ->
                        let last = all.Length - 1
                        let states = (all[last] :?> Frozen<Tensor[]>).Value
                        let inputs = Array.map Masked.ofTensor inputs

                        match phase with
                        | Inference ->
                            let zeros = StatefulNetwork.start states[0].DType inputs[0].Value.Shape[0] network
                            let outputs, _, _ = apply phase all[.. last - 1] zeros inputs
                            outputs, all
                        | Training _ ->
                            let outputs, next, parameters = apply phase all[.. last - 1] states inputs
                            let next: Frozen<Tensor[]> = { Value = Array.map stopGradient next }
                            outputs, Array.append parameters [| box next |]
        }

    /// The same with what the parameters are brought back to after every step.
    let withConstraint (constrain: 'P -> 'P) (trainer: Trainer<'P, 'X, 'Y>) : Trainer<'P, 'X, 'Y> = {
        trainer with
            Constraint = Some constrain
    }

    /// The same with a penalty on the parameters added to the loss.
    let withPenalty (penalty: 'P -> Tensor) (trainer: Trainer<'P, 'X, 'Y>) : Trainer<'P, 'X, 'Y> = {
        trainer with
            Penalty = Some penalty
    }

    let private lossOf (trainer: Trainer<'P, 'X, 'Y>) (parameters: 'P) (target: 'Y) (prediction: 'Y) =
        let loss = trainer.Loss target prediction

        match trainer.Penalty with
        | Some penalty -> loss + penalty parameters
        | None -> loss

    // ---- the numbers of an epoch: the loss first, then the metrics

    let private lossName = "loss"

    /// The mean over all examples of the loss: the metric is given the loss, and a tensor with the batch along its first axis.
    let private meanLoss = Metric.ofMean lossName (fun loss _ -> loss)

    let internal names (trainer: Trainer<'P, 'X, 'Y>) : string list = lossName :: (trainer.Metrics |> List.map _.Name)

    /// Which values of the numbers are better, where that is known.
    let internal directions (trainer: Trainer<'P, 'X, 'Y>) : (string * Better) list =
        (lossName, Lower)
        :: (trainer.Metrics
            |> List.choose (fun metric -> metric.Better |> Option.map (fun better -> metric.Name, better)))

    /// The sums of an epoch before its first batch.
    let internal noSums (trainer: Trainer<'P, 'X, 'Y>) : Tensor[][] = [|
        meanLoss.Init
        for metric in trainer.Metrics do
            metric.Init
    |]

    /// The sums with one more batch, whose loss is known.
    let internal addSums
        (trainer: Trainer<'P, 'X, 'Y>)
        (loss: Tensor)
        (target: 'Y)
        (prediction: 'Y)
        (sums: Tensor[][])
        : Tensor[][] =
        let next = Array.zeroCreate sums.Length
        next[0] <- meanLoss.Update sums[0] loss (Array.head (Tree.leaves prediction))
        let mutable metrics = trainer.Metrics

        for i in 1 .. sums.Length - 1 do
            next[i] <- metrics.Head.Update sums[i] target prediction
            metrics <- metrics.Tail

        next

    /// One training step: the loss of the batch, and the state after it. A pure function of trees: the same
    /// arguments give the same bits, and it can be compiled as a whole.
    let step
        (trainer: Trainer<'P, 'X, 'Y>)
        (key: Tensor, before: StepState<'P>, x: 'X, y: 'Y)
        : Tensor * StepState<'P> =
        let objective p =
            let prediction, updated = trainer.Apply (Phase.Training key) p x
            let updated = if obj.ReferenceEquals(updated, p) then None else Some updated
            lossOf trainer p y prediction, (prediction, updated)

        let loss, (prediction, updated), gradient = valueAndGradOfAny objective before.Parameters
        // metrics can fail on what they are given, so they come before anything is changed
        let sums = addSums trainer loss y prediction before.Sums
        let parameters = Option.defaultValue before.Parameters updated
        let parameters, optimizer = Optimizer.step trainer.Optimizer gradient before.Optimizer parameters

        let parameters =
            match trainer.Constraint with
            | Some constrain -> constrain parameters
            | None -> parameters

        loss,
        {
            Parameters = parameters
            Optimizer = optimizer
            Sums = sums
            Batch = before.Batch + 1.0
        }

    /// The numbers that the sums stand for, by name.
    let internal results (trainer: Trainer<'P, 'X, 'Y>) (sums: Tensor[][]) : (string * float) list =
        (lossName, meanLoss.Result) :: [ for metric in trainer.Metrics -> metric.Name, metric.Result ]
        |> List.mapi (fun i (name, result) -> name, Tensor.toFloat (result sums[i]))

    /// The sums with one more batch, the parameters as they are.
    let internal measure (trainer: Trainer<'P, 'X, 'Y>) (parameters: 'P, sums: Tensor[][], x: 'X, y: 'Y) : Tensor[][] =
        let prediction = fst (trainer.Apply Inference parameters x)
        addSums trainer (lossOf trainer parameters y prediction) y prediction sums

    /// The loss and the metrics over some batches, measured one by one.
    let internal evaluate
        (trainer: Trainer<'P, 'X, 'Y>)
        (measure: 'P * Tensor[][] * 'X * 'Y -> Tensor[][])
        (parameters: 'P)
        (batches: ('X * 'Y) seq)
        : (string * float) list =
        let mutable sums = noSums trainer

        for x, y in batches do
            sums <- measure (parameters, sums, x, y)

        results trainer sums
