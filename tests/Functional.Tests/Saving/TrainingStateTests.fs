/// A training's file in which something else stands than a training can have left.
module Functional.Tests.TrainingStateTests

open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Toys

let private net = init 1L 2 4 2

let private fitted =
    lazy
        (let stop = Callbacks.earlyStopping { Monitor = Monitor.create "loss"; Patience = 5; RestoreBest = true }
         (Training.fit { quiet 2 with Callbacks = [ stop ] } trainer net (points 40)).State)

/// A file of a training with some of its tensors and texts changed.
let private changed (path: string) (tensors: (string * Tensor option) list) (texts: (string * string) list) =
    TrainingState.save path fitted.Value
    let contents = Safetensors.read path
    let names = tensors |> List.map fst |> Set.ofList

    Safetensors.write path (List.fold (fun all (name, text) -> Map.add name text all) contents.Metadata texts) [|
        yield! contents.Tensors |> Array.filter (fun (name, _) -> not (names.Contains name))
        for name, tensor in tensors do
            match tensor with
            | Some tensor -> name, tensor
            | None -> ()
    |]

let private refused name tensors texts pieces =
    testCase name
    <| inFolder (fun folder ->
        let path = Path.Combine(folder, "run.safetensors")
        changed path tensors texts

        messageOf<InvalidDataException>(fun () -> TrainingState.load path trainer net |> ignore)
        |> mentions (path :: pieces))

let private position (epoch: int64) (batch: int64) = [
    "training/Position", Some(Tensor.create [ 2 ] [| epoch; batch |])
]

let private history (rows: int) (columns: int) = [ "training/history", Some(Tensor.zeros [ rows; columns ]) ]

[<Tests>]
let tests =
    testList "states that cannot be" [
        testCase "unchanged, it is loaded"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "run.safetensors")
            changed path [] []
            let state = TrainingState.load path trainer net
            Expect.equal (bits state.Parameters) (bits fitted.Value.Parameters) "parameters"
            Expect.equal state.History fitted.Value.History "history"
            Expect.equal state.Epoch 2 "epochs")

        for epoch, batch in [ -1L, 0L; 4294967297L, 0L; 9223372036854775807L, 0L; 2L, -5L; 2L, -9223372036854775808L ] do
            refused $"position {epoch}, {batch}" (position epoch batch) [] [ "has done" ]

        refused "more epochs in the history than are done" (history 7 2) [] [ "7 epochs"; "2 are done" ]
        refused "a history of other columns" (history 2 3) [] [ "2 columns" ]
        refused "no history" [ "training/history", None ] [] [ "missing" ]
        refused "a name that is null" [] [ "history", """["loss",null]""" ] [ "null" ]
        refused "null for the names" [] [ "history", "null" ] [ "names" ]
        refused "a name twice" [] [ "history", """["loss","loss"]""" ] [ "loss, loss" ]
        refused "names that are numbers" [] [ "history", "[1,2]" ] [ "names" ]
        refused "names that are no JSON" [] [ "history", "[" ] [ "names" ]
        refused "steps below 0" [ "training/Optimizer.Step", Some(Tensor.create [] [| -3L |]) ] [] [ "-3 steps" ]
        refused "a rate that is NaN" [ "training/Optimizer.RateScale", Some(Tensor.scalar nan) ] [] [ "NaN" ]
        refused "a memory with a gap" [ "training/memory/early stopping/1", None ] [] [ "early stopping"; "number 1" ]
        refused "a memory without a number" [ "training/memory/x/y", Some(scalar 1.0) ] [] [ "no callback" ]

        testCase "more batches than an epoch has"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "run.safetensors")
            changed path (position 2L 1000L) []
            let state = TrainingState.load path trainer net

            messageOf<System.ArgumentException>(fun () ->
                Training.resume (quiet 3) trainer state (points 40) |> ignore)
            |> mentions [ "1000 batches"; "has 2" ])

        testCase "a callback's memory that lacks its last number"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "run.safetensors")
            changed path [ "training/memory/early stopping/2", None ] []
            let state = TrainingState.load path trainer net
            let stop = Callbacks.earlyStopping { Monitor = Monitor.create "loss"; Patience = 5; RestoreBest = true }

            let message =
                try
                    Training.resume { quiet 3 with Callbacks = [ stop ] } trainer state (points 40) |> ignore
                    ""
                with e ->
                    e.Message

            message |> mentions [ "early stopping"; "2 tensors"; "3 numbers" ])

        testCase "a tree without tensors is refused, not written"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "x.safetensors")

            messageOf<System.ArgumentException>(fun () -> Checkpoint.save path 3.0)
            |> mentions [ "without tensors" ]

            Expect.isFalse (File.Exists path) "nothing is written")
    ]
