/// Reading and adding by index: every function of Indexing against its definition by coordinates.
module Functional.Tests.Kernels.IndexingTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.NaiveArrays

let private drawIndex (random: Random) below shape =
    let dtype = if random.Next 2 = 0 then DType.Int32 else DType.Int64
    ofFloats dtype shape (Array.init (size shape) (fun _ -> float (random.Next(max below 1))))

/// Adds as the kernels do: numbers by sum, truth values by "or".
let private accumulate (dtype: DType) (sums: float[]) at value =
    sums[at] <- if dtype = DType.Bool then max sums[at] value else sums[at] + value

let private checkSlices (random: Random) (x: NDArray) =
    if x.Rank > 0 then
        let axis = random.Next x.Rank

        let indexShape =
            drawShape random |> Array.truncate 2 |> Array.map (fun n -> if x.Shape[axis] = 0 then 0 else n)

        let index = drawIndex random x.Shape[axis] (if x.Shape[axis] = 0 then [| 0 |] else indexShape)
        let shape = Array.concat [ x.Shape[.. axis - 1]; index.Shape; x.Shape[axis + 1 ..] ]
        let indices, values = toFloats index, toFloats x

        let source (at: int[]) =
            let chosen = indices[number index.Shape at[axis .. axis + index.Rank - 1]]
            number x.Shape (Array.concat [ at[.. axis - 1]; [| int chosen |]; at[axis + index.Rank ..] ])

        let y = room x.DType shape
        Indexing.Gather(x, index, axis, y)
        expectSame (toFloats y) (tabulate shape (source >> Array.get values)) (fun () -> "gather")
        let updates = draw random x.DType shape
        let sums, added = Array.zeroCreate values.Length, toFloats updates
        added |> Array.iteri (fun i value -> accumulate x.DType sums (source (place shape i)) value)
        let back = room x.DType x.Shape
        Indexing.ScatterAdd(updates, index, axis, back)
        expectSame (toFloats back) sums (fun () -> "scatterAdd")

let private checkAlong (random: Random) (x: NDArray) =
    if x.Rank > 0 then
        let axis = random.Next x.Rank
        let shape = Array.updateAt axis (if x.Shape[axis] = 0 then 0 else random.Next 6) x.Shape
        let index = drawIndex random x.Shape[axis] shape
        let indices, values = toFloats index, toFloats x
        let source at = number x.Shape (Array.updateAt axis (int indices[number shape at]) at)
        let y = room x.DType shape
        Indexing.GatherAlong(x, index, axis, y)
        expectSame (toFloats y) (tabulate shape (source >> Array.get values)) (fun () -> "gatherAlong")
        let updates = draw random x.DType shape
        let sums = Array.zeroCreate values.Length

        toFloats updates
        |> Array.iteri (fun i value -> accumulate x.DType sums (source (place shape i)) value)

        let back = room x.DType x.Shape
        Indexing.ScatterAlong(updates, index, axis, back)
        expectSame (toFloats back) sums (fun () -> "scatterAlong")

let private message (action: unit -> unit) =
    try
        action ()
        failtest "no error was raised"
    with :? ArgumentOutOfRangeException as error ->
        error.Message

[<Tests>]
let tests =
    testList "indexing kernels" [
        testCase "gather, and scatterAdd as its transpose" <| fun () -> onArrays 11 300 checkSlices
        testCase "gatherAlong, and scatterAlong as its transpose" <| fun () -> onArrays 12 300 checkAlong

        testCase "large gathers and scatters are shared between threads"
        <| fun () ->
            let random = Random 13

            for shape, count in [ [| 3000; 130 |], 2000; [| 200_000 |], 150_000; [| 5; 700; 70 |], 900 ] do
                let axis = if shape.Length = 3 then 1 else 0
                let x = draw random DType.Float32 shape
                let index = drawIndex random shape[axis] [| count |]
                let y = room DType.Float32 (Array.updateAt axis count shape)
                Indexing.Gather(x, index, axis, y)
                let indices, values, taken = toFloats index, toFloats x, toFloats y

                let source i =
                    let at = place y.Shape i
                    number shape (Array.updateAt axis (int indices[at[axis]]) at)

                for i in 0..53 .. taken.Length - 1 do
                    if taken[i] <> values[source i] then
                        failtest $"gather at {i}"

                let sums, back = Array.zeroCreate values.Length, room DType.Float32 shape
                taken |> Array.iteri (fun i value -> sums[source i] <- sums[source i] + value)
                Indexing.ScatterAdd(y, index, axis, back)
                expectSame (toFloats back) sums (fun () -> "scatterAdd")

        testCase "an index outside is an error that says where it stands"
        <| fun () ->
            let x, y = room DType.Float32 [| 3; 5 |], room DType.Float32 [| 3; 3; 1 |]

            for dtype in [ DType.Int32; DType.Int64 ] do
                let index = ofFloats dtype [| 3; 1 |] [| 0; 4; 7 |]

                Expect.stringContains
                    (message (fun () -> Indexing.Gather(x, index, 1, y)))
                    "take: index 7 at position [2, 0] is outside axis -1 of size 5"
                    "too large"

                let index = ofFloats dtype [| 3; 1 |] [| 0; -1; 2 |]

                Expect.stringContains
                    (message (fun () -> Indexing.ScatterAlong(room DType.Float32 [| 3; 1 |], index, 1, x)))
                    "scatter: index -1 at position [1, 0] is outside axis -1 of size 5"
                    "negative: nothing is wrapped here"
    ]
