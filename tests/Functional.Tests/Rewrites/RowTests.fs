/// Loops by rows: bodies in which the rows of a batch have nothing to do with each other are cut, with the same bits, and others
/// are not.
module Functional.Tests.RowTests

open Expecto
open Functional
open Functional.Levels
open Functional.Rewrites
open Functional.Operations
open Functional.Tests.Programs
open Functional.Tests.Traced

/// The graph of a function of Float64 matrices of these shapes.
let private graphOf (shapes: int[] list) (f: Tensor[] -> Tensor[]) =
    traced (shapes |> List.map List.ofArray) (f >> List.ofArray) |> Simplify.graph

let private values (xs: Tensor[]) = xs |> Array.map (fun x -> (x :?> Concrete).Value)

let private rowsOf (first: int) (count: int) (x: Tensor) =
    Tensor.toFloats x |> Array.chunkBySize (x.Size / x.Shape[0]) |> Array.skip first |> Array.take count

/// The body cut to three of its five rows gives those rows of what the whole gives.
let private cutsRows name constants moving body =
    test name {
        let shapes = constants @ List.replicate moving [| 5; 4 |]
        let g = graphOf shapes body

        match Rows.divide g constants.Length with
        | None -> failtest "its rows were not seen to be apart"
        | Some division ->
            let inputs = shapes |> List.mapi (fun i s -> normal (50 + i) (List.ofArray s)) |> Array.ofList
            let whole = Interpret.graph g (values inputs)

            let part =
                inputs
                |> Array.mapi (fun i x -> if division.ByRow[i] then x[1..3, *] else x)
                |> values
                |> Interpret.graph (Rows.narrow g division 3)

            Array.iter2
                (fun whole part ->
                    Expect.equal
                        (rowsOf 0 3 (Concrete part))
                        (rowsOf 1 3 (Concrete whole))
                        "three rows of the result, bit for bit")
                whole
                part
    }

let private doesNotCut name constants moving body =
    test name {
        let g = graphOf (constants @ List.replicate moving [| 5; 4 |]) body
        Expect.isNone (Rows.divide g constants.Length) "rows that depend on each other"
    }

let private mask = normal 60 [ 5; 4 ]

[<Tests>]
let rows =
    testList "loops by rows" [
        cutsRows "a plain recurrent step" [ [| 4; 4 |] ] 2 (fun v -> [| tanh (v[1] *@ v[0] + v[2]) |])
        cutsRows "a product with a transpose" [ [| 4; 4 |] ] 2 (fun v -> [| v[1] *@ transpose v[0] + v[2] |])
        cutsRows "a bias, a softmax and sums along a row" [ [| 4 |] ] 1 (fun v ->
            let x = v[1] + v[0]
            [| softmax x; x - sumKeep [ 1 ] x; x * meanKeep [ 1 ] (square x) |])
        cutsRows "columns cut and put together" [] 2 (fun v ->
            let parts = split -1 [ 1; 3 ] v[0]
            [| concat -1 [ tanh parts[1]; v[1][*, ..0] * parts[0] ] |])
        cutsRows "a constant with a place for every example" [ [| 5; 4 |]; [| 4; 4 |] ] 1 (fun v -> [|
            (v[2] * v[0]) *@ v[1]
        |])
        cutsRows "zeros of the batch's shape" [] 1 (fun v -> [|
            v[0] + broadcastTo [ 5; 4 ] (sum (Tensor.zeros [ 2 ]))
        |])
        cutsRows "a table looked up by the batch" [ [| 7; 4 |] ] 1 (fun v ->
            let index = (cast DType.Int32 (abs v[1])).[*, 0]
            [| take 0 index v[0] + v[1] |])
        doesNotCut "a sum over the batch" [] 1 (fun v -> [| v[0] - sumKeep [ 0 ] v[0] |])
        doesNotCut "a running sum along the batch" [] 1 (fun v -> [| cumsum 0 v[0] |])
        doesNotCut "the batch in reverse order" [] 1 (fun v -> [| reverse [ 0 ] v[0] |])
        doesNotCut "a transpose" [] 1 (fun v -> [| v[0] *@ transpose v[0] *@ v[0] |])
        doesNotCut "neighbours in the batch" [] 1 (fun v -> [| concat 0 [ v[0][1..4, *]; v[0][0..0, *] ] |])
        doesNotCut "a result without the batch" [] 1 (fun v -> [| v[0]; sumOver [ 0 ] v[0] |])
        doesNotCut "a square constant that is a matrix and has a place for every example" [ [| 5; 5 |] ] 1 (fun v -> [|
            v[0] *@ v[1]
        |])
    ]
