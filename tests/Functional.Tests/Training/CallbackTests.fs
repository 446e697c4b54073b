/// The ready-made callbacks: what they do, when, what they remember, and what they refuse.
module Functional.Tests.CallbackTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Toys

/// One number that gradient descent moves by exactly 1 a step: its loss goes wherever the targets say.
let private line: Trainer<Tensor> = {
    Apply = fun _ w x -> x * w, w
    Loss = fun _ prediction -> mean prediction
    Penalty = None
    Constraint = None
    Optimizer = Optimizer.sgd 1.0
    Metrics = []
}

/// A metric with a given value in each epoch of one batch: before epoch n the line's number is 1 − n.
let private scripted (name: string) (values: float list) : Metric =
    let values = Tensor.ofSeq values

    {
        Name = name
        Init = [| Tensor.scalar 0.0 |]
        Update = fun _ _ prediction -> [| values |> take 0 (cast DType.Int32 (-(mean prediction))) |]
        Result = fun sums -> sums[0]
        Additive = false
        Better = Some Lower
    }

let private one = Dataset.create (Tensor.ones [ 1 ]) (Tensor.ones [ 1 ])

let private run epochs metric (callbacks: Callback<Tensor> list) =
    Training.fit { quiet epochs with Callbacks = callbacks } { line with Metrics = [ metric ] } (scalar 0.0) one

let private stopping patience restore =
    Callbacks.earlyStopping { Monitor = Monitor.create "score"; Patience = patience; RestoreBest = restore }

let private reducing options =
    Callbacks.reduceRateOnPlateau (
        options {
            Monitor = Monitor.create "score"
            Factor = 0.5
            Patience = 2
            Cooldown = 0
            MinScale = 0.0
        }
    )

let private scale (fitted: Fitted<'P>) = Tensor.toFloat fitted.State.Optimizer.RateScale

[<Tests>]
let tests =
    // one after another: some change the number of threads or the error output of the whole process
    testSequenced
    <| testList "callbacks" [
        testCase "early stopping waits, stops, and gives back the best parameters"
        <| fun () ->
            // w falls by 1 an epoch: after epoch 2 it is −2
            let fitted = run 10 (scripted "score" [ 5; 3; 4; 3; 3.5; 1; 1; 1; 1; 1 ]) [ stopping 3 true ]
            Expect.equal fitted.History.Epochs 5 "three epochs without improvement after the second"
            Expect.equal (Tensor.toFloat fitted.Parameters) -2.0 "the best parameters"

            match fitted.Ending with
            | Stopped reason -> mentions [ "score"; "3 epochs"; "best was 3"; "epoch 2" ] reason
            | other -> failtest $"ended with {other}"

            let last = run 10 (scripted "score" [ 5; 3; 4; 3; 3.5 ]) [ stopping 3 false ]
            Expect.equal (Tensor.toFloat last.Parameters) -5.0 "or the last ones"

            let whole = run 3 (scripted "score" [ 5; 3; 4 ]) [ stopping 3 true ]

            Expect.equal
                (whole.Ending, Tensor.toFloat whole.Parameters)
                (Completed, -2.0)
                "also when all epochs are done"

        testCase "early stopping with patience 0, a least change, NaN"
        <| fun () ->
            let epochs values monitor patience =
                (run 6 (scripted "score" values) [
                    Callbacks.earlyStopping { Monitor = monitor; Patience = patience; RestoreBest = false }
                ])
                    .History.Epochs

            let score = Monitor.create "score"
            Expect.equal (epochs [ 5; 4; 4; 3; 2; 1 ] score 0) 3 "the first epoch that is not better"

            Expect.equal
                (epochs [ 5; 4.9; 4.8; 4.7; 4; 3 ] { score with MinDelta = 0.5 } 2)
                3
                "changes too small to count"

            Expect.equal (epochs [ 5; 6; 7; 6; 8; 9 ] { score with Better = Some Higher } 1) 4 "higher is better"

            Expect.equal
                (epochs [ nan; 5; nan; nan; 1; 1 ] score 2)
                4
                "NaN is never better, anything is better than NaN"

        testCase "the rate falls on a plateau, with cooldown and a floor"
        <| fun () ->
            Expect.equal (scale (run 3 (scripted "score" [ 3; 3; 3 ]) [ reducing id ])) 0.5 "after two epochs"
            Expect.equal (scale (run 5 (scripted "score" [ 3; 3; 3; 3; 3 ]) [ reducing id ])) 0.25 "and two more"

            Expect.equal
                (scale (run 5 (scripted "score" [ 3; 2; 1; 1; 0 ]) [ reducing id ]))
                1.0
                "not while it improves"

            Expect.equal
                (scale (run 5 (scripted "score" [ 3; 3; 3; 3; 3 ]) [ reducing (fun o -> { o with Cooldown = 2 }) ]))
                0.5
                "cooling down"

            Expect.equal
                (scale (run 5 (scripted "score" [ 3; 3; 3; 3; 3 ]) [ reducing (fun o -> { o with MinScale = 0.4 }) ]))
                0.4
                "the floor"

            // 1 + 1 + 1 + ½: the rate is really used
            let fitted = run 4 (scripted "score" [ 3; 3; 3; 3 ]) [ reducing id ]
            Expect.equal (Tensor.toFloat fitted.Parameters) -3.5 "the steps"

        testCase "NaN stops, says where, and the parameters from before it stay"
        <| fun () ->
            let exploding = { line with Loss = fun _ prediction -> mean (sqrt (prediction + 2.5)) }
            let data = Dataset.create (Tensor.ones [ 8 ]) (Tensor.ones [ 8 ])

            let options = {
                quiet 5 with
                    Batching = Batching.ofSize 2
                    Callbacks = [ Callbacks.terminateOnNaN ]
            }

            let fitted = Training.fit options { exploding with Optimizer = Optimizer.sgd 2.0 } (scalar 0.0) data
            Expect.isTrue (Double.IsFinite(Tensor.toFloat fitted.Parameters)) "finite parameters"

            match fitted.Ending with
            | Stopped reason -> mentions [ "NaN in batch 1 of epoch 2"; "before that batch" ] reason
            | other -> failtest $"ended with {other}"

            Expect.equal (fitted.State.Epoch, fitted.State.Batch) (1, 0) "the four batches before it count"

        testCase "the CSV log tells the history, also after a resumption"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "log.csv")
            let options epochs = { quiet epochs with Callbacks = [ Callbacks.csvLog path ] }
            let net, data = init 1L 2 4 2, points 20
            let first = Training.fit (options 2) trainer net data
            let second = Training.resume (options 4) trainer first.State data
            let lines = File.ReadAllLines path
            Expect.equal lines[0] "epoch,loss,accuracy" "names"
            Expect.equal (lines[1..] |> Array.map (fun l -> int (l.Split(',')[0]))) [| 1; 2; 3; 4 |] "epochs"

            Expect.equal
                (lines[1..] |> Array.map (fun l -> float (l.Split(',')[1])))
                second.History["loss"]
                "every bit of the loss"

            Expect.equal (History.toCsv second.History) (File.ReadAllText path) "the file is the history")

        testCase "checkpoints: every few epochs, the best, and one that resumes"
        <| inFolder (fun folder ->
            let at name = Path.Combine(folder, name)

            let callbacks = [
                Callbacks.checkpoint (at "run-{epoch}.safetensors") 2 (ModelFile.metadata """{"name":"line"}""")
                Callbacks.checkpointBest (at "best.safetensors") (Monitor.create "score") Map.empty
                stopping 10 true
            ]

            let metric = scripted "score" [ 5; 3; 4; 3; 3.5 ]
            run 5 metric callbacks |> ignore
            let found = Directory.GetFiles folder |> Array.map Path.GetFileName |> Array.sort
            Expect.equal found [| "best.safetensors"; "run-2.safetensors"; "run-4.safetensors" |] "files"
            let weight name = Tensor.toFloat (Checkpoint.load (at name) (scalar 0.0))
            Expect.equal (weight "best.safetensors", weight "run-4.safetensors") (-2.0, -4.0) "parameters"
            Expect.equal (ModelFile.description (at "run-2.safetensors")) """{"name":"line"}""" "description"

            let state = TrainingState.load (at "run-4.safetensors") { line with Metrics = [ metric ] } (scalar 0.0)
            Expect.equal (state.Epoch, state.History.Epochs) (4, 4) "epochs"
            Expect.isTrue (state.Memory.ContainsKey "early stopping") "it is saved after the others have remembered")

        testCase "a checkpoint that cannot be written does not cost what was learnt"
        <| inFolder (fun folder ->
            let inner = Path.Combine(folder, "inner")
            Directory.CreateDirectory inner |> ignore
            let path = Path.Combine(inner, "run.safetensors")

            let pull =
                Callback.onEpochEnd (fun epoch _ ->
                    if epoch = 2 then
                        Directory.Delete(inner, true))

            let before = Console.Error
            use said = new StringWriter()
            Console.SetError said

            let fitted =
                try
                    run 3 (scripted "score" [ 1; 2; 3 ]) [ pull; Callbacks.checkpoint path 1 Map.empty ]
                finally
                    Console.SetError before

            Expect.equal (fitted.Ending, Tensor.toFloat fitted.Parameters) (Completed, -3.0) "it went on"
            Expect.equal fitted.Warnings.Length 2 "a warning each time"
            mentions [ "checkpoint"; path; "does not exist"; "training goes on" ] fitted.Warnings.Head
            mentions [ "warning: checkpoint" ] (string said))

        testCase "what cannot work is refused before anything is trained"
        <| inFolder (fun folder ->
            let batches = ref 0
            let counting = Callback.onBatchEnd (fun _ _ _ -> batches.Value <- batches.Value + 1)

            let refused (callback: Callback<Net>) =
                let options = { quiet 2 with Callbacks = [ counting; callback ] }
                fun () -> Training.fit options trainer (init 1L 2 4 2) (points 20) |> ignore

            let nowhere = Path.Combine(folder, "none", "x")

            messageOf<ArgumentException>(
                refused (
                    Callbacks.earlyStopping { Monitor = Monitor.create "val_loss"; Patience = 1; RestoreBest = true }
                )
            )
            |> mentions [ "early stopping"; "\"val_loss\""; "loss, accuracy"; "validation data" ]

            messageOf<IOException>(refused (Callbacks.checkpoint nowhere 1 Map.empty))
            |> mentions [ nowhere; "does not exist" ]

            messageOf<IOException>(refused (Callbacks.csvLog nowhere)) |> mentions [ nowhere; "does not exist" ]
            Expect.equal batches.Value 0 "no batch was trained"

            messageOf<ArgumentException>(fun () -> stopping -1 true |> ignore) |> mentions [ "patience"; "-1" ]

            messageOf<ArgumentException>(fun () -> reducing (fun o -> { o with Factor = 1.0 }) |> ignore)
            |> mentions [ "factor" ]

            messageOf<ArgumentException>(fun () -> ModelFile.metadata "{" |> ignore) |> mentions [ "not JSON" ])

        testCase "a callback that throws loses nothing"
        <| fun () ->
            let throwing =
                Callback.onEpochEnd (fun epoch _ ->
                    if epoch = 2 then
                        failwith "oh")

            try
                run 3 (scripted "score" [ 1; 2; 3 ]) [ throwing ] |> ignore
                failtest "it throws"
            with :? TrainingException as e ->
                mentions [ "oh"; "State" ] e.Message
                Expect.equal (Tensor.toFloat (e.State :?> TrainingState<Tensor>).Parameters) -2.0 "two steps are kept"

        testCase "the display: a line for each epoch, a live one between"
        <| fun () ->
            let shown live epochs callbacks =
                use out = new StringWriter()

                let options = {
                    quiet epochs with
                        Batching = Batching.ofSize 5
                        Callbacks = Display.toWriter out live :: callbacks
                }

                Training.fit options trainer (init 1L 2 4 2) (points 20) |> ignore
                string out

            let lines = (shown false 2 []).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            Expect.equal lines.Length 3 "two epochs, two lines, after one that says what is done"
            mentions [ "2 epochs of 4 batches"; "compiled" ] lines[0]
            mentions [ "Epoch 1/2"; "loss: 0."; "accuracy: 0." ] lines[1]
            Expect.isFalse (lines[1].Contains '\r') "no carriage returns where nobody watches"
            let slow = Callback.onBatchEnd (fun _ _ _ -> Threading.Thread.Sleep 60)
            mentions [ "\rEpoch 1/1  ["; "/4"; "left"; "loss: " ] (shown true 1 [ slow ])

            let stop = {
                Callback.create "stop" with
                    EpochEnd = fun _ state -> state, Stop "that will do"
            }

            mentions [ "Stopped: that will do" ] (shown false 3 [ stop ])
    ]
