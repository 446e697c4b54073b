/// Which values of a number are better is for the number to say: its name decides nothing. Names are drawn, from the very
/// words that were guessed from once.
module Functional.Tests.MonitorTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection
open Functional.Tests.Toys

let private words = [|
    "acc"
    "auc"
    "precision"
    "recall"
    "f1"
    "r2"
    "top_k"
    "loss"
    "error"
    "layer2"
    "cosine_similarity"
    "mse"
    "x"
|]

let private drawName (random: Random) =
    String.Join("_", Array.init (1 + random.Next 3) (fun _ -> words[random.Next words.Length]))

/// One number that gradient descent moves by exactly 1 a step: before epoch n it is 1 − n.
let private line: Trainer<Tensor> = {
    Apply = fun _ w x -> x * w, w
    Loss = fun _ prediction -> mean prediction
    Penalty = None
    Constraint = None
    Optimizer = Optimizer.sgd 1.0
    Metrics = []
}

let private one = Dataset.create (Tensor.ones [ 1 ]) (Tensor.ones [ 1 ])

/// A metric of a name whose value in epoch n is the n-th.
let private scripted name better (values: float[]) : Metric =
    // validation comes after the step of the last epoch
    let values = Tensor.ofSeq (Array.append values [| 0.0 |])

    {
        Name = name
        Init = [| Tensor.scalar 0.0 |]
        Update = fun _ _ prediction -> [| values |> take 0 (cast DType.Int32 (-(mean prediction))) |]
        Result = fun sums -> sums[0]
        Additive = false
        Better = better
    }

let private epochs = 6

let private fit metric (callbacks: Callback<Tensor> list) =
    let options = { quiet epochs with Callbacks = callbacks; Validation = Examples one }

    Training.fit options { line with Metrics = [ metric ] } (scalar 0.0) one

/// The epoch of the best value, counted from 1: the first of several.
let private bestEpoch better (values: float[]) =
    1 + Array.IndexOf(values, (if better = Lower then Array.min values else Array.max values))

[<Tests>]
let tests =
    testList "monitors" [
        testCase "the direction is the metric's, whatever it is called"
        <| inFolder (fun folder ->
            let random = Random 7
            let path = Path.Combine(folder, "best.safetensors")

            for _ in 1 .. draws 25 do
                let name = drawName random

                if name <> "loss" then
                    let better = if random.Next 2 = 0 then Lower else Higher
                    let values = Array.init epochs (fun _ -> float (random.Next 1000))
                    let metric = scripted name (Some better) values
                    let expected = -(float (bestEpoch better values))
                    let monitor = Monitor.create name

                    let stopping = Callbacks.earlyStopping { Monitor = monitor; Patience = epochs; RestoreBest = true }

                    let fitted = fit metric [ stopping; Callbacks.checkpointBest path monitor Map.empty ]
                    Expect.equal (Tensor.toFloat fitted.Parameters) expected $"early stopping on {name}, {better}"

                    Expect.equal
                        (Tensor.toFloat (Checkpoint.load path (scalar 0.0)))
                        expected
                        $"the best checkpoint by {name}, {better}"

                    // the rate falls with the first epoch that is not better than the one before it
                    let falls = [| 5.0; 4.0; 3.0; 2.0; 1.0; 0.0 |]
                    let values = if better = Lower then falls else Array.rev falls

                    let reducing values =
                        let rate =
                            Callbacks.reduceRateOnPlateau {
                                Monitor = monitor
                                Factor = 0.5
                                Patience = 1
                                Cooldown = 0
                                MinScale = 0.0
                            }

                        Tensor.toFloat (fit (scripted name (Some better) values) [ rate ]).State.Optimizer.RateScale

                    Expect.equal (reducing values) 1.0 $"{name} improves"
                    Expect.isLessThan (reducing (Array.rev values)) 1.0 $"{name} gets worse")

        testCase "a metric that does not say it is refused, unless the callback says it"
        <| fun () ->
            let random = Random 8

            for _ in 1 .. draws 20 do
                let name = "my_" + drawName random
                let metric = scripted name None [| 3.0; 1.0; 2.0; 5.0; 4.0; 0.0 |]
                let stopping monitor = Callbacks.earlyStopping { Monitor = monitor; Patience = 9; RestoreBest = true }

                messageOf<ArgumentException>(fun () -> fit metric [ stopping (Monitor.create name) ] |> ignore)
                |> mentions [ "early stopping"; name; "does not say"; "loss, val_loss" ]

                for better, expected in [ Lower, -6.0; Higher, -4.0 ] do
                    let monitor = { Monitor.create name with Better = Some better }
                    Expect.equal (Tensor.toFloat (fit metric [ stopping monitor ]).Parameters) expected name

        testCase "losses fall, whatever their outputs are called, and validation goes as training does"
        <| fun () ->
            let random = Random 9

            for _ in 1 .. draws 20 do
                let outputs = [ for i in 0..1 -> $"{drawName random}{i}" ]

                let goals: OutputGoal list = [
                    for output in outputs ->
                        {
                            Output = output
                            Loss = Loss.meanSquaredError
                            Weight = 1.0
                            Metrics = [ Metric.accuracy; Metric.meanAbsoluteError ]
                        }
                ]

                let network = {
                    Name = "two"
                    Blocks = [||]
                    Calls = [||]
                    Outputs = Array.create 2 { Call = -1; Output = 0 }
                }

                let directions = Map.ofList (Trainer.directions (Trainer.ofNetwork network goals (Optimizer.sgd 0.1)))

                for output in outputs do
                    Expect.equal directions[$"{output}_loss"] Lower "loss"
                    Expect.equal directions[$"{output}_accuracy"] Higher "accuracy"
                    Expect.equal directions[$"{output}_mae"] Lower "error"

        testCase "an unknown name is answered with those that can be watched"
        <| fun () ->
            let stopping =
                Callbacks.earlyStopping { Monitor = Monitor.create "acuracy"; Patience = 1; RestoreBest = false }

            messageOf<ArgumentException>(fun () ->
                fit (scripted "accuracy" (Some Higher) (Array.zeroCreate epochs)) [ stopping ] |> ignore)
            |> mentions [ "\"acuracy\""; "loss, accuracy, val_loss, val_accuracy" ]
    ]
