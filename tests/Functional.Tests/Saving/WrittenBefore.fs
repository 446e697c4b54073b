/// Files of trainings that were written while optimisers remembered named arrays: each says the same to this version, and is
/// written again as it was.
module Functional.Tests.WrittenBefore

open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Toys

let private cases = [
    "adam", Adam.create { Adam.defaults with Rate = Schedule.constant 0.01; AmsGrad = true }
    "nadam", Nadam.create Nadam.defaults
    "rmsprop", RmsProp.create { RmsProp.defaults with Centered = true; Momentum = 0.9 }
    "adadelta", Adadelta.create Adadelta.defaults
    "rule",
    Optimizer.ofRule "own" (Schedule.constant 0.1) [ "velocity"; "size of steps" ] (fun rate g memory p ->
        let v = 0.9 * memory[0] - rate * g
        p + v, [ v; abs v ])
]

let private file name = Path.Combine(__SOURCE_DIRECTORY__, "Written", name + ".safetensors")

/// Every tensor of a file by its name, with its bits.
let private contents (path: string) =
    (Safetensors.read path).Tensors |> Array.map (fun (name, t) -> name, t.Shape, bits t) |> Array.sort

[<Tests>]
let tests =
    testList "trainings written before" [
        for name, optimizer in cases do
            testCase name
            <| inFolder (fun folder ->
                let trainer, data = trainerWith optimizer, points 40
                let options = { quiet 3 with Batching = { Size = 10; Shuffle = true; KeepLast = true } }
                let state = TrainingState.load (file name) trainer (init 5L 2 4 2)
                Expect.equal (state.Epoch, state.Batch) (1, 1) "in the middle of the second epoch"

                let again = Path.Combine(folder, "again.safetensors")
                TrainingState.save again state
                Expect.equal (contents again) (contents (file name)) "written again"

                // rounding differs between processors, what they have learnt does not
                let whole = Training.fit options trainer (init 1L 2 4 2) data
                let resumed = Training.resume options trainer state data

                for now, before in Array.zip (Tree.leaves resumed.Parameters) (Tree.leaves whole.Parameters) do
                    Expect.isLessThan (Tensor.toFloat (amax (abs (now - before)))) 1e-5 "learnt to the end")
    ]
