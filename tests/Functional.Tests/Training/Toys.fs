/// A small network and small data for the tests of training.
module Functional.Tests.Toys

open System
open Functional
open Functional.Kernels

type Net = { Hidden: Dense; Output: Dense }

let init (seed: int64) (inputs: int) (hidden: int) (outputs: int) : Net =
    let keys = Key.split 2 (Key.create seed)

    {
        Hidden = Dense.init keys[0] inputs hidden
        Output = Dense.init keys[1] hidden outputs
    }

let predict (net: Net) : Tensor -> Tensor = dense net.Hidden >> tanh >> dense net.Output

/// How often the larger of two outputs is the larger of two targets.
let accuracy =
    Metric.ofMean "accuracy" (fun target prediction ->
        equal (argmax 1 target) (argmax 1 prediction) |> cast DType.Float32 |> mean)

let trainerWith (optimizer: Optimizer) : Trainer<Net> =
    Trainer.ofFunction predict Loss.meanSquaredError optimizer [ accuracy ]

let trainer = trainerWith (Optimizer.adam 0.01)

/// Points of the plane, and on which side of a curve they lie, one-hot.
let points (count: int) : Dataset =
    let random = Random 11

    let xs =
        Array.init count (fun _ -> [|
            float32 (random.NextDouble() * 2.0 - 1.0)
            float32 (random.NextDouble() * 2.0 - 1.0)
        |])

    let side (p: float32[]) = if p[1] > p[0] * p[0] - 0.3f then [| 1.0f; 0.0f |] else [| 0.0f; 1.0f |]
    Dataset.ofRows xs (Array.map side xs)

let quiet (epochs: int) : FitOptions<'P> = { FitOptions.create epochs with Display = Silent; StopOnCtrlC = false }

/// Every bit of a tree.
let bits (tree: 'P) : int64[][] =
    Tree.leaves tree
    |> Array.map (fun t -> Tensor.toFloats t |> Array.map BitConverter.DoubleToInt64Bits)

/// Some work with plans as users have them: the tests' own are debug plans, which allocate.
let withoutShadow (work: unit -> 'T) : 'T =
    Functional.Plans.Shadow.IsOn <- false

    try
        work ()
    finally
        Functional.Plans.Shadow.IsOn <- true
