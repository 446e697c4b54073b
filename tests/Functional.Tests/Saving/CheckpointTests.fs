/// Parameter trees on disk: any structure comes back; a checkpoint of another model says how it differs.
module Functional.Tests.CheckpointTests

open System.IO
open Expecto
open Functional
open Functional.Tests.Folders

type Dense = { Weights: Tensor; Bias: Tensor }

type Net = { Hidden: Dense list; Output: Dense; Name: string; Scale: Tensor }

let private dense inputs outputs start = {
    Weights = Tensor.create [ inputs; outputs ] (Array.init (inputs * outputs) (fun i -> float32 (start + i)))
    Bias = Tensor.create [ outputs ] (Array.init outputs (fun i -> float32 -i))
}

let private net start = {
    Hidden = [ dense 4 3 start; dense 3 3 (start + 1) ]
    Output = dense 3 2 start
    Name = "net"
    Scale = scalar (float start)
}

let private zeros (tree: 'P) : 'P = Tree.map Tensor.zerosLike tree
let private numbers (tree: 'P) = Tree.leaves tree |> Array.map Tensor.toFloats

[<Tests>]
let tests =
    testList "checkpoint" [
        testCase "a tree comes back into a tree of its structure"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")
            let saved = net 5
            Checkpoint.saveWith (Map [ "model", "{}" ]) path saved
            Expect.equal (numbers (Checkpoint.load path (zeros saved))) (numbers saved) "numbers"
            Expect.equal (Checkpoint.metadata path) (Map [ "model", "{}" ]) "texts"

            Expect.equal
                (Safetensors.describe path |> fst |> Array.map _.Name |> Array.sort)
                [|
                    "Hidden[0].Bias"
                    "Hidden[0].Weights"
                    "Hidden[1].Bias"
                    "Hidden[1].Weights"
                    "Output.Bias"
                    "Output.Weights"
                    "Scale"
                |]
                "one tensor per leaf path")

        testCase "a bare tensor is a tree"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "t.safetensors")
            Checkpoint.save path (Tensor.ofSeq [ 1.0; 2.0 ])
            Expect.equal (Tensor.toFloats (Checkpoint.load path (Tensor.zeros [ 2 ]))) [| 1.0; 2.0 |] "numbers")

        testCase "another model: every leaf that is missing, extra or different is named"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "net.safetensors")
            Checkpoint.save path (net 5)

            let other = {
                net 0 with
                    Hidden = [ dense 4 3 0; dense 3 4 0; dense 4 3 0 ]
                    Scale = Tensor.scalarOf DType.Float32 1.0
            }

            messageOf<InvalidDataException>(fun () -> Checkpoint.load path other |> ignore)
            |> mentions [
                path
                "another model"
                "not in the file: Hidden[2].Weights (Float32 4×3), Hidden[2].Bias (Float32 [3])"
                "Hidden[1].Weights is Float32 3×3 in the file and Float32 3×4 in the model"
                "Scale is Float64 scalar in the file and Float32 scalar in the model"
            ]

            messageOf<InvalidDataException>(fun () -> Checkpoint.load path (net 5).Output |> ignore)
            |> mentions [
                "only in the file:"
                "Hidden[0].Bias (Float32 [3])"
                "not in the file: Weights (Float32 3×2)"
            ])

        testCase "saving over a file replaces it whole"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "t.safetensors")
            Checkpoint.save path (Tensor.zeros [ 1000 ])
            Checkpoint.save path (Tensor.ofSeq [ 3.0 ])
            Expect.equal (Tensor.toFloats (Checkpoint.load path (Tensor.zeros [ 1 ]))) [| 3.0 |] "the new one"
            Expect.equal (Directory.GetFiles folder).Length 1 "nothing else")
    ]
